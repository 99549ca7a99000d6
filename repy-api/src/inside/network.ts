import { CALL_LIMITS, DELAYED, OP } from '../ops.ts';
import { awaitRequest, awaitSent, forgiven, invoke, type Primitive } from './bridge.ts';
import { fromBinary, needAddress, needEncoding, needFunction, needPort, needSeconds } from './data.ts';
import { argumentError, callProgram } from './errors.ts';
import { Listener, needData, Socket } from './handles.ts';
import { SafePromise, table } from './primordials.ts';

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
const { push, end, close } = Listener;

function listen(code: number, given: unknown[], overflow: (value: unknown) => void): Listener {
  const ip = needAddress(given[0], 'a local address');
  const port = needPort(given[1], 'a local port');
  const hasFunction = given[2] !== undefined && typeof given[2] !== 'object';
  const fn = hasFunction ? needFunction(given[2], 'what to call') : undefined;
  const binary = needEncoding(hasFunction || given[3] !== undefined ? given[3] : given[2]);
  const handle = invoke(code, ip, port, binary) as number;
  const listener = new Listener(handle, fn === undefined, { ip, port }, overflow);
  listeners[handle] = { fn, binary, listener };
  return listener;
}

export function recvmess(ip: unknown, port: unknown, fn?: unknown, options?: unknown): Listener {
  return listen(OP.recvmess, [ip, port, fn, options], () => {});
}

export function waitforconn(ip: unknown, port: unknown, fn?: unknown, options?: unknown): Listener {
  const overflow = (value: unknown) => (value as { sock: Socket }).sock.close();
  return listen(OP.waitforconn, [ip, port, fn, options], overflow);
}

/** A datagram came. */
export function onMessage(handle: number, data: string, ip: string, port: number): void {
  const entry = listeners[handle];
  if (entry === undefined) return;
  const message = entry.binary ? fromBinary(data) : data;
  if (entry.fn === undefined) push(entry.listener, { ip, port, message });
  else callProgram(entry.fn, [ip, port, message, entry.listener]);
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
  delete listeners[number];
  return close(handle as Listener);
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
  return { ip: needAddress(ip, 'a local address'), port: needPort(port, 'a local port') };
}

export function sendmess(ip: unknown, port: unknown, message: unknown, ...more: unknown[]): Promise<number> {
  const to = needAddress(ip, 'a destination address');
  const toPort = needPort(port, 'a destination port');
  const most = CALL_LIMITS.messageBytes;
  const { text, binary, bytes } = needData(message, 'a message', most);
  const local = needLocal(more[0], more[1]);
  if (bytes > most) {
    return forgiven(
      new SafePromise<number>((_, reject) => reject(argumentError(`a message of at most ${most} bytes`, bytes))),
    );
  }
  const sent = invoke(OP.sendmess, to, toPort, text, binary, local.ip, local.port) as number;
  if (sent !== DELAYED) return forgiven(awaitSent(sent));
  return forgiven(awaitRequest(invoke(OP.request) as number) as Promise<number>);
}

export function openconn(ip: unknown, port: unknown, ...more: unknown[]): Promise<unknown> {
  const to = needAddress(ip, 'a destination address');
  const toPort = needPort(port, 'a destination port');
  const short = typeof more[0] === 'object' && more[0] !== null;
  const options = (short ? more[0] : more[3]) as { [key: string]: unknown } | undefined;
  const binary = needEncoding(options);
  const given = short ? [options?.localip, options?.localport, options?.timeout] : more;
  const local = needLocal(given[0], given[1]);
  const timeout = needSeconds(given[2] ?? DEFAULT_TIMEOUT_SECONDS, 'a timeout', MOST_TIMEOUT_SECONDS);
  if (timeout === 0) throw argumentError('a timeout above 0', timeout);
  const request = invoke(OP.openconn, to, toPort, local.ip, local.port, timeout, binary) as number;
  const map = (handle: Primitive, peer: Primitive, peerPort: Primitive) =>
    new Socket(handle as number, binary, peer as string, peerPort as number);
  return awaitRequest(request, map);
}

export function getmyip(): string {
  return invoke(OP.getmyip) as string;
}
