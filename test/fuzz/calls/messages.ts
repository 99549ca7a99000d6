import { BRIEF, type Call } from '../grammar.ts';
import * as need from '../needs.ts';
import { type Handle, nameOf, refuse, type World } from '../world.ts';

/** UDP: both generations of names. */
const PORT = ['p1', 'p2', 'p3'];
const PORTS = [...PORT, 'unlisted'];
const HERE = ['own', 'own', 'own', 'foreign'];
const THERE = ['own', 'own', 'own', 'dead', 'private', 'metadata', 'loop', 'mapped', 'over', 'word'];
const DATA = ['a', 'empty', 'accent', 'lone', 'mixed', 'u0', 'u3', 'uutf', 'usub', 'upart', 'ufake', 'unamed'];
const LARGE = ['udp', 'udp1', 'udpwide', 'udpwide1', 'udplone1', 'u65507', 'u65508'];
const FORM = ['undef', 'utf8', 'binary', 'binary', 'latin1', 'encodingtrap'];
const FUNCTIONS = ['fn', 'asyncfn', 'bound', 'fnproxy'];

function listen(world: World, [localip, port, given, options]: readonly unknown[]): Handle {
  const ip = need.needAddress(localip);
  need.needPort(port);
  const called = typeof given === 'function';
  if (!called && given !== undefined && (typeof given !== 'object' || given === null)) refuse('RepyArgumentError');
  const binary = need.needEncoding(called || given === undefined ? options : given);
  need.needNumeric(ip);
  need.needOwnPort(port);
  need.needOwnAddress(world, ip);
  if (world.listening(['udp', 'udps'], ip, port) !== undefined) refuse('AlreadyListeningError');
  world.take('insockets');
  // Functions other than the harness's own tell nobody what came.
  const counts = called && given.name === 'mess';
  return world.make('udp', { ip, port, binary, called, counts });
}

/** What a listener makes of bytes that come. */
function arrive(world: World, ip: string, port: number, bytes: Buffer): void {
  const listener = world.listening(['udp', 'udps'], ip, port);
  if (listener === undefined) return;
  const message = nameOf(listener.binary ? new Uint8Array(bytes) : bytes.toString());
  const reader = listener.readers.shift();
  if (listener.counts) world.hear(message);
  else if (listener.called) return;
  else if (reader !== undefined) world.later(reader, `~ ${message}`);
  else listener.waiting.push(message);
}

function send(
  world: World,
  [to, port, data, localip, localport]: readonly unknown[],
  most = need.MESSAGE_BYTES,
): string {
  const ip = need.needAddress(to);
  need.needPort(port);
  const bytes = need.needData(data, most);
  const from = need.needLocal(localip, localport);
  need.needNumeric(ip, from.ip);
  need.needApart([ip, port], from);
  need.needOwnPort(from.port);
  need.needReachable(world, ip, port);
  need.needOwnAddress(world, from.ip);
  arrive(world, ip, port, bytes);
  return `~ ${bytes.byteLength}`;
}

function close(world: World, handle: Handle): string {
  const was = handle.open;
  if (was) world.insockets -= 1;
  handle.open = false;
  return `= ${was}`;
}

/** The iteration of a listener, or `getmessage`. */
function next(world: World, listener: Handle): string {
  const message = listener.waiting.shift();
  if (message !== undefined) return `~ ${message}`;
  listener.readers.push(world.place);
  return '...';
}

export const MESSAGES: readonly Call[] = [
  {
    name: 'recvmess',
    weight: 6,
    makes: 'udp',
    args: [HERE, PORTS, ['undef', 'binary', 'mess', 'mess', ...FUNCTIONS], FORM],
    never: FUNCTIONS,
    model: (world, args) => {
      listen(world, args);
      return '= handle';
    },
  },
  {
    name: 'sendmess',
    weight: 8,
    promises: true,
    args: [THERE, PORTS, DATA, ['undef'], ['undef']],
    model: (world, args) => send(world, args),
  },
  {
    name: 'sendmess',
    weight: 6,
    promises: true,
    args: [THERE, PORTS, DATA, HERE, PORTS],
    model: (world, args) => send(world, args),
  },
  {
    name: 'sendmess',
    weight: 1,
    promises: true,
    fixed: 3,
    args: [['own', 'dead'], PORT, LARGE],
    model: (world, args) => send(world, args),
  },
  {
    name: 'sendmessage',
    weight: 4,
    promises: true,
    args: [THERE, PORTS, [...DATA, 'second', 'second1', 'udp'], HERE, PORTS],
    model: (world, args) => {
      need.needMachine(args[0]);
      need.needMachine(args[3]);
      need.needPort(args[4]);
      return send(world, args, need.SECOND_MESSAGE_BYTES);
    },
  },
  {
    name: 'listenformessage',
    weight: 4,
    makes: 'udps',
    args: [HERE, PORTS, FORM],
    model: (world, [ip, port, options]) => {
      need.needMachine(ip);
      need.needOptions(options);
      const handle = listen(world, [ip, port, undefined, options]);
      world.handles.udp.pop();
      world.handles.udps.push(Object.assign(handle, { kind: 'udps' }));
      return '= handle';
    },
  },
  {
    name: 'getmessage',
    patience: BRIEF,
    weight: 4,
    on: 'udps',
    promises: true,
    args: [],
    model: (world, _, server) => (server.open ? next(world, server) : refuse('SocketClosedLocalError')),
  },
  {
    name: 'next',
    patience: BRIEF,
    weight: 4,
    on: 'udp',
    args: [],
    text: () => 'ON[asyncIterator]().next()',
    model: (world, _, listener) => {
      if (listener.called) refuse('RepyArgumentError');
      return listener.open || listener.waiting.length > 0 ? next(world, listener) : '~ done';
    },
  },
  {
    name: 'close',
    on: 'udps',
    args: [],
    model: (world, _, server) => {
      const said = close(world, server);
      for (const place of server.readers.splice(0)) world.later(place, '~! SocketClosedLocalError SOCKET_CLOSED_LOCAL');
      return said;
    },
  },
  ...['close', 'stopcomm'].map(
    (name): Call => ({
      name,
      on: 'udp',
      args: [],
      text: () => (name === 'close' ? 'ON.close()' : 'API.stopcomm(ON)'),
      model: (world, _, listener) => {
        const said = close(world, listener);
        for (const place of listener.readers.splice(0)) world.later(place, '~ done');
        return said;
      },
    }),
  ),
  {
    name: 'stopcomm',
    args: [['nul', 'object', 'one', 'thrower', 'revoked', 'symbol', 'fn']],
    model: () => refuse('RepyArgumentError'),
  },
];
