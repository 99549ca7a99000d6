import { base64Length, CALL_LIMITS, OP } from '@potluck/repy-api';
import { CallFailure, crossing } from './failure.ts';
import { fileOperations } from './file-operations.ts';
import { names } from './names.ts';
import { block, end, writeFrame, writeLog } from './pipe.ts';
import { random, randomFloat } from './random.ts';
import { realms } from './realms.ts';
import { resources } from './resources.ts';
import { heapBytes, type Sandbox } from './sandbox.ts';
import { Tcp } from './tcp.ts';
import { Timers } from './timers.ts';
import { Udp } from './udp.ts';
import { web } from './web.ts';
import type { Primitive, World } from './world.ts';

type Handler = (...args: never[]) => Primitive;

/** A hundred microseconds: enough to measure a network with, and no clock for side channels. */
const CLOCK_SECONDS = 1e-4;
/** A slice of a wait for `lograte`. */
const BLOCK_MS = 1000;
const MOST_TEXT = Math.max(CALL_LIMITS.sendBytes, CALL_LIMITS.logLength * 2);

/** What each operation takes; the code inside checks too, but the program shares a heap with it. */
const SIGNATURES: Readonly<Record<number, readonly string[]>> = {
  [OP.log]: ['string'],
  [OP.settimer]: ['number'],
  [OP.sleep]: ['number'],
  [OP.canceltimer]: ['number'],
  [OP.recvmess]: ['string', 'port', 'boolean'],
  [OP.sendmess]: ['string', 'port', 'string', 'boolean', 'string', 'number'],
  [OP.close]: ['number'],
  [OP.openconn]: ['string', 'port', 'string', 'number', 'number', 'boolean'],
  [OP.waitforconn]: ['string', 'port', 'boolean'],
  [OP.send]: ['number', 'string', 'boolean'],
  [OP.recv]: ['number', 'number'],
  [OP.address]: ['string'],
  [OP.resolve]: ['string'],
  [OP.willblock]: ['number'],
  [OP.openfile]: ['name', 'boolean'],
  [OP.readat]: ['number', 'number', 'offset', 'boolean'],
  [OP.writeat]: ['number', 'data', 'boolean', 'offset'],
  [OP.closefile]: ['number'],
  [OP.removefile]: ['name'],
  [OP.openstream]: ['name', 'string', 'boolean'],
  [OP.readstream]: ['number', 'number', 'boolean', 'boolean'],
  [OP.writestream]: ['number', 'data', 'boolean'],
  [OP.seekstream]: ['number', 'number', 'number'],
  [OP.flushstream]: ['number'],
  [OP.setinterval]: ['number'],
  [OP.randombytes]: ['number'],
  [OP.randomnow]: ['number'],
  [OP.checkcode]: ['string', 'string'],
  [OP.makerealm]: ['string', 'string'],
  [OP.urlparse]: ['string', 'string', 'boolean'],
  [OP.urlset]: ['string', 'number', 'string'],
  [OP.digestbegin]: ['string'],
  [OP.digestadd]: ['string'],
};

/** What a type of the table takes beside the language's own. */
const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  port: (value) => isWhole(value, 1, 65535),
  offset: (value) => isWhole(value, 0, Number.MAX_SAFE_INTEGER),
  name: (value) => typeof value === 'string' && /^(?!private_)[a-z0-9_-][a-z0-9._-]{0,119}$/.test(value),
  data: (value) => typeof value === 'string' && value.length <= base64Length(CALL_LIMITS.fileBytes),
  string: (value) => typeof value === 'string' && value.length <= MOST_TEXT,
  number: (value) => typeof value === 'number' && !Number.isNaN(value),
  boolean: (value) => typeof value === 'boolean',
};

function checkArguments(code: number, args: readonly unknown[]): void {
  const types = SIGNATURES[code];
  // Runs for every packet: an index is several times cheaper than an iterator here.
  for (let index = 0; types !== undefined && index < types.length; index++) {
    const type = types[index] ?? '';
    if (KINDS[type]?.(args[index]) === true) continue;
    throw new CallFailure('RepyArgumentError', `expected a ${type} as argument ${index + 1}, got another`);
  }
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

/**
 * The host's side of the bridge.
 * @returns one function for all operations: it never throws, and takes and answers only strings, numbers and booleans.
 */
export function operations(world: World, sandbox: () => Sandbox): (code: unknown, ...args: unknown[]) => Primitive {
  let reason = '';
  const udp = new Udp(world);
  const handlers = {
    ...network(world, udp),
    ...names(world),
    ...local(world),
    ...random(world),
    ...fileOperations(world),
    ...resources(world, () => heapBytes(sandbox())),
    ...realms(sandbox),
    ...web(),
    [OP.reason]: () => reason,
  } as Record<number, Handler>;
  return (code, ...args) => {
    try {
      if (code === OP.sendon) return udp.routes.sendOn(args[0], args[1], args[2]);
      if (code === OP.sendtogether) return udp.routes.sendTogether(args[0], args[1]);
      const handler = typeof code === 'number' ? handlers[code] : undefined;
      if (typeof code !== 'number' || handler === undefined) return -1;
      checkArguments(code, args);
      return handler(...(args as never[]));
    } catch (error) {
      const { number, message } = crossing(error);
      reason = message;
      return -number - 1;
    }
  };
}

function network(world: World, udp: Udp): Record<number, Handler> {
  const tcp = new Tcp(world);
  return {
    [OP.recvmess]: (ip: string, port: number, binary: boolean) => udp.listen(ip, port, binary),
    [OP.sendmess]: (ip: string, port: number, data: string, ...more: [boolean, string, number]) =>
      udp.send({ ip, port, data, binary: more[0], localip: more[1], localport: more[2] }),
    [OP.request]: () => udp.request,
    [OP.route]: () => udp.route,
    [OP.close]: (handle: number) => (udp.close(handle) || tcp.close(handle) ? 1 : 0),
    [OP.openconn]: (ip: string, port: number, localip: string, ...more: [number, number, boolean]) =>
      tcp.dial({ ip, port, localip, localport: more[0], timeoutSeconds: more[1], binary: more[2] }),
    [OP.waitforconn]: (ip: string, port: number, binary: boolean) => tcp.listen(ip, port, binary),
    [OP.send]: (handle: number, data: string, binary: boolean) => tcp.send(handle, data, binary),
    [OP.recv]: (handle: number, bytes: number) => tcp.recv(handle, bytes),
    [OP.getmyip]: () => {
      if (world.address !== '') return world.address;
      throw new CallFailure('InternetConnectivityError', 'expected a node with an address, got one that has none now');
    },
    [OP.address]: (text: string) => world.destinations.canonical(text),
    [OP.willblock]: (handle: number) => tcp.willblock(handle),
  };
}

function local(world: World): Record<number, Handler> {
  const timers = new Timers(world);
  const startMs = performance.now();
  return {
    [OP.log]: (text: string) => log(world, text),
    [OP.settimer]: (seconds: number) => timers.set(seconds),
    [OP.sleep]: (seconds: number) => timers.sleep(seconds),
    [OP.setinterval]: (seconds: number) => timers.repeat(seconds),
    [OP.canceltimer]: (timer: number) => (timers.cancel(timer) ? 1 : 0),
    [OP.getruntime]: () =>
      Math.round(Math.floor((performance.now() - startMs) / 1000 / CLOCK_SECONDS)) / Math.round(1 / CLOCK_SECONDS),
    [OP.randomfloat]: () => randomFloat(),
    [OP.onstop]: () => {
      writeFrame({ type: 'onstop' });
      return 1;
    },
    [OP.exitall]: () => end({ kind: 'exitall', message: 'the program called exitall', exitCode: 0 }),
  };
}

/** Waits for `lograte` here and now: a log call returns nothing that could be awaited. */
function log(world: World, text: string): number {
  for (let wait = world.meter.waitMs('lograte'); wait > 0; wait = world.meter.waitMs('lograte')) {
    block(Math.min(wait, BLOCK_MS));
  }
  world.meter.add('lograte', Buffer.byteLength(text));
  writeLog(text);
  return 1;
}
