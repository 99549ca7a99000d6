import { CALL_LIMITS, OP } from '../ops.ts';
import { needSpelled } from './address.ts';
import { awaitRequest, forgiven, invoke, type Primitive, promised } from './bridge.ts';
import { fromBinary, needEncoding, needFunction, needPort, needTimeout } from './data.ts';
import { argumentError, callProgram, errorOf } from './errors.ts';
import { closeListener, Listener, needData, onListenerClose, Socket } from './handles.ts';
import { toHost } from './names.ts';
import { closeOutbox, collect, connectOutbox, openOutbox } from './outbox.ts';
import { asyncIterator, charCodeAt, defineHidden, promiseThen, SafePromise, slice, table } from './primordials.ts';
import { knownRoute, learnRoute, sendShort } from './routes.ts';
import { getruntime } from './time.ts';

interface Entry {
  readonly fn: ((...args: unknown[]) => unknown) | undefined;
  readonly binary: boolean;
  readonly listener: Listener;
}

const DEFAULT_TIMEOUT_SECONDS = 5;
const MOST_TIMEOUT_SECONDS = 3600;
const listeners = table<Entry>();
const socketHandle = Socket.handleOf;
const listenerHandle = Listener.handleOf;
const { push, end } = Listener;
onListenerClose((handle) => {
  delete listeners[handle];
});

interface Listen {
  readonly ip: string;
  readonly port: number;
  readonly fn: Entry['fn'];
  readonly binary: boolean;
}

/** `(ip, port)`, `(ip, port, fn)`, `(ip, port, options)` or `(ip, port, fn, options)`. */
function needListen(given: unknown[]): Listen {
  const ip = needSpelled(given[0], 'a local address');
  const port = needPort(given[1], 'a local port');
  const noFunction = given[2] === undefined || (typeof given[2] === 'object' && given[2] !== null);
  const fn = noFunction ? undefined : needFunction(given[2], 'what to call');
  return { ip, port, fn, binary: needEncoding(noFunction && given[2] !== undefined ? given[2] : given[3]) };
}

function register(handle: number, { ip, port, fn, binary }: Listen, overflow: (value: unknown) => void): Listener {
  const listener = new Listener(handle, fn === undefined, { ip, port }, overflow);
  listeners[handle] = { fn, binary, listener };
  return listener;
}

export function recvmess(...given: unknown[]): Listener {
  const listen = needListen(given);
  const handle = invoke(OP.recvmess, listen.ip, listen.port, listen.binary) as number;
  return register(handle, listen, () => {});
}

const refuseConnection = (value: unknown) => {
  (value as { sock: Socket }).sock.close();
};

/** A promise, because a TCP port is not taken at once; it can be iterated like the listener that it resolves with. */
export function waitforconn(...given: unknown[]): Promise<Listener> {
  return promised(() => {
    const listen = needListen(given);
    const request = invoke(OP.waitforconn, listen.ip, listen.port, listen.binary) as number;
    const map = (handle: Primitive) => register(handle as number, listen, refuseConnection);
    const listening = awaitRequest(request, map) as Promise<Listener>;
    defineHidden(listening, asyncIterator, () => iterateLater(listening));
    return listening;
  });
}

export function iterateLater(listening: Promise<Listener>): AsyncIterator<unknown> {
  let iterator: AsyncIterator<unknown> | undefined;
  const within = async (use: (iterator: AsyncIterator<unknown>) => unknown) => {
    const listener = await listening;
    iterator ??= listener[asyncIterator]() as AsyncIterator<unknown>;
    return (await use(iterator)) as IteratorResult<unknown>;
  };
  return { next: () => within((it) => it.next()), return: () => within((it) => it.return?.()) };
}

/** A datagram came. */
export function onMessage(handle: number, data: string, ip: string, port: number): void {
  const entry = listeners[handle];
  if (entry === undefined) return;
  const message = entry.binary ? fromBinary(data) : data;
  if (entry.fn === undefined) push(entry.listener, { ip, port, message });
  else callProgram(entry.fn, [ip, port, message, entry.listener]);
}

const ready = new SafePromise<void>((resolve) => resolve());

/**
 * Several datagrams came together, see `EVENT.messages`. Between two of them runs what the program awaited and has got;
 * what it sends meanwhile leaves together as well.
 */
export function onMessages(heads: string, texts: string, addresses: string): void {
  let at = 0;
  let textAt = 0;
  let addressAt = 0;
  let ip = '';
  const take = () => {
    const handle = charCodeAt(heads, at) + charCodeAt(heads, at + 1) * 2 ** 16 + charCodeAt(heads, at + 2) * 2 ** 32;
    const port = charCodeAt(heads, at + 3);
    const addressLength = charCodeAt(heads, at + 4);
    if (addressLength > 0) ip = slice(addresses, addressAt, addressAt + addressLength);
    addressAt += addressLength;
    const text = slice(texts, textAt, textAt + charCodeAt(heads, at + 5));
    textAt += text.length;
    at += 6;
    onMessage(handle, text, ip, port);
  };
  const next = () => {
    try {
      take();
    } catch (error) {
      closeOutbox();
      throw error;
    }
    promiseThen(ready, at < heads.length ? next : closeOutbox, undefined);
  };
  openOutbox();
  next();
}

/** Somebody connected. */
export function onConnection(handle: number, connection: number, ip: string, port: number): void {
  const entry = listeners[handle];
  if (entry === undefined) {
    invoke(OP.close, connection);
    return;
  }
  const sock = new Socket(connection, entry.binary, ip, port);
  if (entry.fn === undefined) push(entry.listener, { ip, port, sock });
  else callProgram(entry.fn, [ip, port, sock, sock, entry.listener]);
}

/** A listener broke: its iteration ends. */
export function onClosed(handle: number): void {
  const entry = listeners[handle];
  delete listeners[handle];
  if (entry !== undefined) end(entry.listener);
}

export function stopcomm(handle: unknown): boolean {
  const connection = socketHandle(handle);
  if (connection !== undefined) return invoke(OP.close, connection) === 1;
  const number = listenerHandle(handle);
  if (number === undefined) throw argumentError('a listener or a connection', handle);
  return closeListener(handle as Listener);
}

interface Local {
  readonly ip: string;
  readonly port: number;
}

function needLocal(ip: unknown, port: unknown): Local {
  if (ip === undefined && port === undefined) return { ip: '', port: 0 };
  if (ip === undefined || port === undefined) {
    throw argumentError('both a local address and a local port, or none of them', ip === undefined ? ip : port);
  }
  return { ip: needSpelled(ip, 'a local address'), port: needPort(port, 'a local port') };
}

export function sendmess(...given: unknown[]): Promise<number> {
  const route = knownRoute(given);
  const sent = route === 0 ? undefined : (collect(route, given) ?? sendShort(route, given[2]));
  return sent ?? sendLong(given);
}
connectOutbox(sendLong);

function sendLong(given: unknown[]): Promise<number> {
  return promised(() => {
    const to = needSpelled(given[0], 'a destination address');
    const port = needPort(given[1], 'a destination port');
    const most = CALL_LIMITS.messageBytes;
    const { text, binary, bytes } = needData(given[2], 'a message', most);
    const local = needLocal(given[3], given[4]);
    // Its length may be another's doing: an echo of bytes that are no UTF-8 is longer than what came.
    if (bytes > most) return tooLong(bytes, most);
    const send = (address: string) => {
      invoke(OP.sendmess, address, port, text, binary, local.ip, local.port);
      // Of a name only its address would be kept: it is looked up each time.
      if (address === to) learnRoute(given, invoke(OP.route) as number);
      return awaitRequest(invoke(OP.request) as number) as Promise<number>;
    };
    return forgiven(toHost(to, local.ip, send));
  });
}

/** Ends nothing when nobody awaits it. */
export function tooLong(bytes: number, most: number): Promise<never> {
  return forgiven(
    promised(() => {
      throw argumentError(`a message of at most ${most} bytes`, bytes);
    }),
  );
}

/** `(ip, port, localip, localport, timeout, options)` as in Seattle, or `(ip, port, options)`. */
export function openconn(...given: unknown[]): Promise<unknown> {
  return promised(() => {
    const to = needSpelled(given[0], 'a destination address');
    const port = needPort(given[1], 'a destination port');
    const short = typeof given[2] === 'object' && given[2] !== null;
    const options = (short ? given[2] : given[5]) as { [key: string]: unknown } | undefined;
    const binary = needEncoding(options);
    const local = short ? needLocal(options?.localip, options?.localport) : needLocal(given[2], given[3]);
    const wanted = short ? options?.timeout : given[4];
    const timeout = wanted === undefined ? DEFAULT_TIMEOUT_SECONDS : needTimeout(wanted, MOST_TIMEOUT_SECONDS);
    const map = (handle: Primitive, peer: Primitive, peerPort: Primitive) =>
      new Socket(handle as number, binary, peer as string, peerPort as number);
    const deadline = getruntime() + timeout;
    return toHost(to, local.ip, (address) => {
      const left = address === to ? timeout : deadline - getruntime();
      if (left <= 0) throw errorOf('TimeoutError', `expected a connection to "${to}" within ${timeout} s, got none`);
      return awaitRequest(invoke(OP.openconn, address, port, local.ip, local.port, left, binary) as number, map);
    });
  });
}

let own: string | undefined;

/** The same for all of a program's life, so that it crosses the bridge once: many programs ask for each message. */
export function getmyip(): string {
  own ??= invoke(OP.getmyip) as string;
  return own;
}
