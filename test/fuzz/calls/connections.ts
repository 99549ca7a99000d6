import { type Answer, BRIEF, type Call } from '../grammar.ts';
import * as need from '../needs.ts';
import { type Handle, type Kind, nameOf, refuse, type World } from '../world.ts';

/** TCP: both generations of names. */
const PORT = ['p1', 'p2', 'p3'];
const PORTS = [...PORT, 'unlisted'];
const HERE = ['own', 'own', 'own', 'own', 'foreign'];
const THERE = ['own', 'own', 'own', 'own', 'own', 'dead', 'private', 'loop', 'mapped', 'over'];
const FORM = ['undef', 'utf8', 'binary', 'latin1', 'encodingtrap'];
const DATA = ['a', 'word', 'word', 'accent', 'face', 'lone', 'mixed', 'u3', 'uutf', 'upart', 'empty', 'u0'];
const FUNCTIONS = ['fn', 'asyncfn', 'bound', 'fnproxy'];
const SEND_BYTES = 2 ** 20;
const CLOSED_THERE = '~! SocketClosedRemoteError SOCKET_CLOSED_REMOTE';
const CLOSED_HERE = '~! SocketClosedLocalError SOCKET_CLOSED_LOCAL';

function listen(world: World, kind: Kind, [localip, port, given, options]: readonly unknown[]): Answer {
  const ip = need.needAddress(localip);
  need.needPort(port);
  const called = typeof given === 'function';
  if (!called && given !== undefined && (typeof given !== 'object' || given === null)) refuse('RepyArgumentError');
  const binary = need.needEncoding(called || given === undefined ? options : given);
  need.needNumeric(ip);
  need.needOwnPort(port);
  need.needOwnAddress(world, ip);
  if (world.listening(['tcp', 'tcps'], ip, port) !== undefined) refuse('AlreadyListeningError');
  world.take('insockets');
  world.make(kind, { ip, port, binary, called });
  return '~ handle';
}

interface Wanted {
  readonly to: readonly [ip: unknown, port: unknown];
  readonly local: readonly [ip: unknown, port: unknown];
  readonly timeout: unknown;
  readonly binary: boolean;
}

function dial(world: World, { to, local, timeout, binary }: Wanted): Answer {
  const [host, port] = to;
  const ip = need.needAddress(host);
  need.needPort(port);
  const from = need.needLocal(...local);
  need.needSeconds(timeout, 3600);
  if (timeout === 0) refuse('RepyArgumentError');
  need.needNumeric(ip, from.ip);
  need.needApart([ip, port], from);
  need.needOwnPort(from.port);
  need.needReachable(world, ip, port);
  if (from.ip !== undefined && world.listening(['tcp', 'tcps'], from.ip, from.port ?? 0))
    refuse('AlreadyListeningError');
  need.needOwnAddress(world, from.ip);
  world.take('outsockets');
  const listener = world.listening(['tcp', 'tcps'], ip, port);
  if (listener === undefined) {
    world.outsockets -= 1;
    refuse('ConnectionRefusedError');
  }
  const client = world.make('client', { binary, bytes: Buffer.alloc(0), taken: 0 });
  accept(world, listener, client);
  return '~ handle';
}

function accept(world: World, listener: Handle, client: Handle): void {
  const server: Handle = { kind: 'server', open: true, waiting: [], readers: [], binary: listener.binary === true };
  Object.assign(server, { bytes: Buffer.alloc(0), taken: 0, peer: client });
  client.peer = server;
  const reader = listener.readers.shift();
  if (listener.called || reader !== undefined) world.handles.server.push(server);
  else listener.accepted = [...(listener.accepted ?? []), server];
  if (reader !== undefined) world.later(reader, '~ handle');
}

function nextConnection(world: World, listener: Handle): Answer {
  const server = listener.accepted?.shift();
  if (server !== undefined) {
    world.handles.server.push(server);
    return '~ handle';
  }
  listener.readers.push(world.place);
  return '...';
}

function stop(world: World, listener: Handle, ending: string): Answer {
  const was = listener.open;
  listener.open = false;
  if (was) world.insockets -= 1;
  for (const place of listener.readers.splice(0)) world.later(place, ending);
  return `= ${was}`;
}

function text(handle: Handle, length: number): string {
  const bytes = handle.bytes?.subarray(0, length);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}

/** Takes up to so many bytes of what came. @returns undefined when there is nothing to give yet. */
function receive(handle: Handle, most: number): string | undefined {
  const { bytes = Buffer.alloc(0) } = handle;
  for (let at = handle.taken ?? 0; at < bytes.byteLength; ) {
    const to = Math.min(bytes.byteLength, at + most);
    handle.taken = to;
    const got = handle.binary
      ? new Uint8Array(bytes.subarray(at, to))
      : text(handle, to).slice(text(handle, at).length);
    if (got.length > 0) return nameOf(got);
    at = to;
  }
  return undefined;
}

/** What is left of a character whose rest never comes. */
function rest(handle: Handle): string | undefined {
  if (handle.binary || handle.bytes === undefined) return undefined;
  const whole = handle.bytes.toString();
  const left = whole.slice(text(handle, handle.bytes.byteLength).length);
  handle.bytes = undefined as unknown as Buffer;
  return left === '' ? undefined : nameOf(left);
}

function recv(world: World, [most]: readonly unknown[], handle: Handle): Answer {
  if (!Number.isInteger(most) || (most as number) < 1 || (most as number) > SEND_BYTES) refuse('RepyArgumentError');
  if (!handle.open) refuse('SocketClosedLocalError');
  const got = handle.readers.length > 0 ? undefined : receive(handle, most as number);
  if (got !== undefined) return `~ ${got}`;
  if (handle.peer?.open === false) {
    const left = rest(handle);
    return left === undefined ? CLOSED_THERE : `~ ${left}`;
  }
  handle.readers.push(world.place);
  handle.wanted = [...(handle.wanted ?? []), most as number];
  return '...';
}

function send(world: World, [data]: readonly unknown[], handle: Handle): Answer {
  const bytes = need.needData(data, SEND_BYTES);
  if (!handle.open) refuse('SocketClosedLocalError');
  const { peer } = handle;
  // What the peer's system has closed is known only after it has answered a first packet.
  if (peer?.open === false) return (actual) => actual === CLOSED_THERE || actual === `~ ${bytes.byteLength}`;
  if (peer !== undefined) {
    peer.bytes = Buffer.concat([peer.bytes ?? Buffer.alloc(0), bytes]);
    while (peer.readers.length > 0) {
      const got = receive(peer, peer.wanted?.[0] ?? 1);
      if (got === undefined) break;
      peer.wanted?.shift();
      world.later(peer.readers.shift() ?? 0, `~ ${got}`);
    }
  }
  return `~ ${bytes.byteLength}`;
}

function hangUp(world: World, handle: Handle): Answer {
  const was = handle.open;
  handle.open = false;
  for (const place of handle.readers.splice(0)) world.later(place, CLOSED_HERE);
  for (const place of handle.peer?.readers.splice(0) ?? []) {
    const left = handle.peer === undefined ? undefined : rest(handle.peer);
    world.later(place, left === undefined ? CLOSED_THERE : `~ ${left}`);
  }
  return `= ${was}`;
}

const methods = (on: 'client' | 'server'): readonly Call[] => [
  { name: 'send', weight: 5, on, promises: true, args: [DATA], model: send },
  { name: 'send', weight: 1, on, promises: true, fixed: 1, args: [['tcp1', 'tcpwide1', 'utcp1']], model: send },
  {
    name: 'recv',
    patience: BRIEF,
    weight: 5,
    on,
    promises: true,
    args: [['one', 'two', 'seven', 'hour', 'zero', 'mib1', 'half']],
    model: recv,
  },
  { name: 'close', weight: 2, on, args: [], model: (world, _, handle) => hangUp(world, handle) },
  {
    name: 'stopcomm',
    weight: 1,
    on,
    args: [],
    text: () => 'API.stopcomm(ON)',
    model: (world, _, one) => hangUp(world, one),
  },
];

const LISTENERS: readonly Call[] = [
  {
    name: 'waitforconn',
    weight: 7,
    makes: 'tcp',
    promises: true,
    args: [HERE, PORTS, ['conn', 'conn', 'undef', 'binary'], FORM],
    never: FUNCTIONS,
    model: (world, args) => listen(world, 'tcp', args),
  },
  {
    name: 'listenforconnection',
    weight: 4,
    makes: 'tcps',
    promises: true,
    args: [HERE, PORTS, FORM],
    model: (world, [ip, port, options]) => {
      need.needMachine(ip);
      return listen(world, 'tcps', [ip, port, undefined, options]);
    },
  },
  {
    name: 'getconnection',
    patience: BRIEF,
    weight: 3,
    on: 'tcps',
    promises: true,
    args: [],
    model: (world, _, server) => (server.open ? nextConnection(world, server) : refuse('SocketClosedLocalError')),
  },
  {
    name: 'next',
    patience: BRIEF,
    weight: 3,
    on: 'tcp',
    args: [],
    text: () => 'ON[asyncIterator]().next()',
    model: (world, _, listener) => {
      if (listener.called) refuse('RepyArgumentError');
      return listener.open || (listener.accepted?.length ?? 0) > 0 ? nextConnection(world, listener) : '~ done';
    },
  },
  { name: 'close', on: 'tcp', args: [], model: (world, _, listener) => stop(world, listener, '~ done') },
  {
    name: 'close',
    on: 'tcps',
    args: [],
    model: (world, _, listener) => {
      for (const server of listener.accepted?.splice(0) ?? []) hangUp(world, server);
      return stop(world, listener, CLOSED_HERE);
    },
  },
];

/** Both ways to say it: all in a row, or an object of options after the port. */
function openconn(world: World, [ip, port, third, localport, timeout, sixth]: readonly unknown[]): Answer {
  const short = typeof third === 'object' && third !== null;
  const options = (short ? third : sixth) as Record<string, unknown> | undefined;
  need.needAddress(ip);
  need.needPort(port);
  const binary = need.needEncoding(options);
  const local = short
    ? ([need.read(options, 'localip'), need.read(options, 'localport')] as const)
    : ([third, localport] as const);
  const wanted = short ? need.read(options, 'timeout') : timeout;
  return dial(world, { to: [ip, port], local, timeout: wanted === undefined ? 5 : wanted, binary });
}

function openconnection(world: World, args: readonly unknown[]): Answer {
  const [ip, port, localip, localport, timeout, options] = args;
  need.needMachine(ip);
  need.needPort(port);
  need.needMachine(localip);
  need.needPort(localport);
  need.needSeconds(timeout, 3600);
  return dial(world, { to: [ip, port], local: [localip, localport], timeout, binary: need.needEncoding(options) });
}

const TIMEOUTS = ['one', 'seven', 'hour', 'undef', 'zero', 'negative', 'nul', 'toolong'];
const SHORT = ['binary', 'utf8', 'timeout1', 'timeout0', 'timeoutnull', 'latin1', 'localhalf', 'object'];
const WHOLE = [THERE, PORTS, ['own', 'own', 'foreign'], ['p1', 'unlisted'], TIMEOUTS, FORM];
const DIALS: readonly Call[] = [
  { name: 'openconn', weight: 8, makes: 'client', promises: true, args: [THERE, PORTS, SHORT], model: openconn },
  { name: 'openconn', weight: 3, makes: 'client', promises: true, args: WHOLE, model: openconn },
  { name: 'openconnection', weight: 3, makes: 'client', promises: true, args: WHOLE, model: openconnection },
];

export const CONNECTIONS: readonly Call[] = [...LISTENERS, ...DIALS, ...methods('client'), ...methods('server')];
