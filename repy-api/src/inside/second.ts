import { CALL_LIMITS, OP } from '../ops.ts';
import { needMachine } from './address.ts';
import { invoke, promised, utf8Length } from './bridge.ts';
import { isBytes, lengthOf, needEncoding, needPort } from './data.ts';
import { argumentError, errorOf } from './errors.ts';
import { closeListener, iteratorOf, Listener, Socket } from './handles.ts';
import { openconn, recvmess, sendmess, tooLong, waitforconn } from './network.ts';
import { asyncIterator } from './primordials.ts';

/** Seattle's second generation: the same network by other names, with every argument said. */
const { read, drain } = Listener;
const { handleOf } = Socket;

const closedError = () =>
  errorOf('SocketClosedLocalError', 'expected a server socket that is open, got one that was closed');

/** Waits for the next value; Seattle's own call fails instead (SocketWouldBlockError) and is called again. */
async function take(listener: Listener, isClosed: () => boolean): Promise<unknown> {
  if (isClosed()) throw closedError();
  const step = await read(listener);
  if (step.done) throw closedError();
  return step.value;
}

/** What `listenformessage` returns. */
class UDPServerSocket {
  readonly #listener: Listener;
  #closed = false;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  async getmessage(): Promise<[ip: string, port: number, message: unknown]> {
    const got = await take(this.#listener, () => this.#closed);
    const { ip, port, message } = got as { ip: string; port: number; message: unknown };
    return [ip, port, message];
  }

  close(): boolean {
    this.#closed = true;
    drain(this.#listener, () => {});
    return closeListener(this.#listener);
  }

  [asyncIterator](): unknown {
    return iteratorOf(
      () => this.getmessage(),
      () => this.close(),
    );
  }
}

/** What `listenforconnection` resolves with. */
class TCPServerSocket {
  readonly #listener: Listener;
  #closed = false;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  async getconnection(): Promise<[ip: string, port: number, sock: Socket]> {
    const got = await take(this.#listener, () => this.#closed);
    const { ip, port, sock } = got as { ip: string; port: number; sock: Socket };
    return [ip, port, sock];
  }

  /** Also closes the connections that nobody took. */
  close(): boolean {
    this.#closed = true;
    drain(this.#listener, (value) => {
      invoke(OP.close, handleOf((value as { sock: Socket }).sock));
    });
    return closeListener(this.#listener);
  }

  [asyncIterator](): unknown {
    return iteratorOf(
      () => this.getconnection(),
      () => this.close(),
    );
  }
}

/** The last argument of all four: how received bytes become values. */
function encodingOf(options: unknown): { encoding: string } {
  return { encoding: needEncoding(options) ? 'binary' : 'utf8' };
}

/** All four are said, and differ: what is sent to where it comes from goes nowhere. */
function needWay(given: unknown[]): void {
  const to = needMachine(given[0], 'a destination address');
  needPort(given[1], 'a destination port');
  const from = needMachine(given[2], 'a local address');
  needPort(given[3], 'a local port');
  if (to === from && given[1] === given[3]) {
    throw argumentError('another destination than the local address and port', given[1]);
  }
}

/** @returns 0 for what is neither text nor bytes: that is refused later. */
function bytesIn(message: unknown, most: number): number {
  if (typeof message === 'string') return utf8Length(message, most);
  return isBytes(message) ? lengthOf(message) : 0;
}

export function sendmessage(...given: unknown[]): Promise<number> {
  return promised(() => {
    needWay([given[0], given[1], given[3], given[4]]);
    const most = CALL_LIMITS.secondMessageBytes;
    const bytes = bytesIn(given[2], most);
    if (bytes > most) return tooLong(bytes, most);
    return sendmess(given[0], given[1], given[2], given[3], given[4]);
  });
}

export function listenformessage(localip: unknown, localport: unknown, options?: unknown): UDPServerSocket {
  needMachine(localip, 'a local address');
  return new UDPServerSocket(recvmess(localip, localport, encodingOf(options)));
}

export function openconnection(...given: unknown[]): Promise<unknown> {
  return promised(() => {
    needWay(given);
    if (given[4] === undefined) throw argumentError('a timeout in seconds', undefined);
    return openconn(given[0], given[1], given[2], given[3], given[4], encodingOf(given[5]));
  });
}

/** A promise, because a TCP port is not taken at once. */
export async function listenforconnection(
  localip: unknown,
  localport: unknown,
  options?: unknown,
): Promise<TCPServerSocket> {
  needMachine(localip, 'a local address');
  return new TCPServerSocket(await waitforconn(localip, localport, encodingOf(options)));
}
