/// <reference path="./repy-more.d.ts" />
/// <reference path="./repy-web.d.ts" />
/**
 * The Repy API: everything a program in a vessel may call, for editors and type checkers. In a program's folder:
 * `/// <reference path="../repy-api/repy.d.ts" />`, or name this file in `include` of a tsconfig.json.
 *
 * - What can wait returns a promise; what cannot is synchronous. `await` works at the top of a program.
 * - Strings travel as UTF-8. A `Uint8Array` travels as it is; `{ encoding: 'binary' }` receives as `Uint8Array`.
 * - Addresses are numeric, IPv4 or IPv6; ports are 1 to 65535.
 * - A program ends when no timer, listener or call is pending, by `exitall()`, by an uncaught error, or by a limit.
 */

/** Always `'initialize'`: kept so that programs of Seattle run as they stand. */
declare const callfunc: 'initialize';

/**
 * The program's arguments.
 * @example log('Hello,', callargs[0] ?? 'world', '\n'); // repy hello.js Ada
 */
declare const callargs: string[];

/**
 * An object for whatever the program wants to share between its functions, as in Seattle.
 * @example mycontext.count = (Number(mycontext.count) || 0) + 1;
 */
declare const mycontext: Record<string, unknown>;

interface RepyEncoding {
  /** How received bytes become values; `'utf8'` unless said. */
  encoding?: 'utf8' | 'binary';
}
interface RepyBinary {
  encoding: 'binary';
}

/** What came with `for await`. */
interface RepyMessage<Data = string> {
  /** Who sent it. */
  readonly ip: string;
  readonly port: number;
  readonly message: Data;
}

/** A listener; `stopcomm(listener)` and `listener.close()` are the same. */
interface RepyListener {
  /** The local address. */
  readonly ip: string;
  readonly port: number;
  /** Stops listening; the port is free at once. @returns false if it was stopped before. */
  close(): boolean;
}
/** Without a function a listener is iterated; up to 256 messages wait, more are dropped, as in a full socket buffer. */
interface RepyMessages<Data = string> extends RepyListener, AsyncIterable<RepyMessage<Data>> {}

/**
 * Listens for UDP messages. The address is `getmyip()` or 127.0.0.1, the port one of the vessel's `messport`s.
 * Holds one `insocket`. The function's fourth argument is the listener, for `stopcomm`.
 * @throws ResourceForbiddenError the port is not the vessel's; AddressBindingError the address is not this node's;
 * AlreadyListeningError; DuplicateTupleError somebody else has the port; ResourceExhaustedError; RepyArgumentError.
 * @example recvmess(getmyip(), 54321, (ip, port, message) => sendmess(ip, port, message));
 * @example for await (const { ip, port, message } of recvmess(getmyip(), 54321)) log(ip, port, message, '\n');
 */
declare function recvmess(
  localip: string,
  localport: number,
  fn: (ip: string, port: number, message: string, commhandle: RepyListener) => unknown,
  options?: { encoding?: 'utf8' },
): RepyListener;
declare function recvmess(
  localip: string,
  localport: number,
  fn: (ip: string, port: number, message: Uint8Array, commhandle: RepyListener) => unknown,
  options: RepyBinary,
): RepyListener;
declare function recvmess(localip: string, localport: number, options: RepyBinary): RepyMessages<Uint8Array>;
declare function recvmess(localip: string, localport: number, options?: { encoding?: 'utf8' }): RepyMessages;

/**
 * Sends one UDP message of up to 65507 bytes, from any free port or from one of the vessel's `messport`s (also while it
 * listens there). Charged to `netsend`, or `loopsend` on this machine; above the rate it waits.
 * @returns the number of bytes, when they are on their way; that they arrive is not promised. When nobody awaits it, a
 * fault of the network ends nothing.
 * @throws NetworkAddressError not a numeric address; ResourceForbiddenError the destination or the local port is not
 * allowed; DuplicateTupleError; AddressBindingError; InternetConnectivityError; ResourceExhaustedError;
 * RepyArgumentError.
 * @example await sendmess('198.51.100.7', 54321, 'hello');
 * @example sendmess('198.51.100.7', 54321, Uint8Array.of(1, 2, 3), getmyip(), 43210);
 */
// biome-ignore lint/complexity/useMaxParams: Seattle's own order.
declare function sendmess(
  destip: string,
  destport: number,
  message: string | Uint8Array,
  localip?: string,
  localport?: number,
): Promise<number>;

/** A TCP connection. Holds one `outsocket` until it is closed. */
interface RepySocket<Data = string> {
  /** The other side. */
  readonly ip: string;
  readonly port: number;
  /**
   * Sends up to 1 MiB. @returns the number of bytes when the system has taken them: awaiting it keeps the peer's pace.
   * @throws SocketClosedLocalError; SocketClosedRemoteError; ResourceExhaustedError 4 MiB wait already
   * @example await sock.send('GET / HTTP/1.0\r\n\r\n');
   */
  send(data: string | Uint8Array): Promise<number>;
  /**
   * Waits for data. @returns 1 to `bytes` bytes of it. Text is never cut within a character: up to 3 bytes of one are
   * kept for, and then added to, the next `recv`.
   * @throws SocketClosedRemoteError the peer closed and all it sent was read; SocketClosedLocalError; RepyArgumentError
   * @example const line = await sock.recv(1024);
   */
  recv(bytes: number): Promise<Data>;
  /** Closes after what was sent. @returns false if it was closed before. @example sock.close(); */
  close(): boolean;
}

interface RepyConnectOptions extends RepyEncoding {
  localip?: string;
  localport?: number;
  /** Seconds, 5 unless said. */
  timeout?: number;
}

/**
 * Opens a TCP connection; `timeout` is in seconds, 5 unless said. A local port must be one of the vessel's `connport`s.
 * @throws ConnectionRefusedError; TimeoutError; InternetConnectivityError; ResourceForbiddenError; NetworkAddressError;
 * DuplicateTupleError; AlreadyListeningError; AddressBindingError; ResourceExhaustedError; RepyArgumentError.
 * @example const sock = await openconn('198.51.100.7', 63100);
 * @example const sock = await openconn('198.51.100.7', 63100, { timeout: 2, encoding: 'binary' });
 */
declare function openconn(
  destip: string,
  destport: number,
  options: RepyConnectOptions & RepyBinary,
): Promise<RepySocket<Uint8Array>>;
declare function openconn(destip: string, destport: number, options: RepyConnectOptions): Promise<RepySocket>;
// biome-ignore lint/complexity/useMaxParams: Seattle's own order.
declare function openconn(
  destip: string,
  destport: number,
  localip?: string,
  localport?: number,
  timeout?: number,
): Promise<RepySocket>;

/** What came with `for await`. */
interface RepyConnection<Data = string> {
  /** Who connected. */
  readonly ip: string;
  readonly port: number;
  readonly sock: RepySocket<Data>;
}
/** A promise for the listener, to be iterated at once when no function was given. */
interface RepyConnections<Data = string> extends Promise<RepyListener>, AsyncIterable<RepyConnection<Data>> {}

/**
 * Listens for TCP connections on one of the vessel's `connport`s. Holds one `insocket`, and each connection one
 * `outsocket`; a connection beyond that is closed at once. The function's fourth argument is the connection, its fifth
 * the listener, both for `stopcomm`.
 * @throws as `recvmess`
 * @example await waitforconn(getmyip(), 63100, async (ip, port, sock) => { await sock.send(`hello ${ip}`); sock.close(); });
 * @example for await (const { ip, sock } of waitforconn(getmyip(), 63100)) { await sock.send(ip); sock.close(); }
 */
declare function waitforconn(
  localip: string,
  localport: number,
  fn: (ip: string, port: number, sock: RepySocket, commhandle: RepySocket, listenhandle: RepyListener) => unknown,
  options?: { encoding?: 'utf8' },
): Promise<RepyListener>;
declare function waitforconn(
  localip: string,
  localport: number,
  fn: (
    ip: string,
    port: number,
    sock: RepySocket<Uint8Array>,
    commhandle: RepySocket<Uint8Array>,
    listenhandle: RepyListener,
  ) => unknown,
  options: RepyBinary,
): Promise<RepyListener>;
declare function waitforconn(localip: string, localport: number, options: RepyBinary): RepyConnections<Uint8Array>;
declare function waitforconn(localip: string, localport: number, options?: { encoding?: 'utf8' }): RepyConnections;

/**
 * Stops a listener or closes a connection. @returns false if that was done before.
 * @example const handle = recvmess(getmyip(), 54321, (ip, port, message, commhandle) => stopcomm(commhandle));
 */
declare function stopcomm(handle: RepyListener | RepySocket | RepySocket<Uint8Array>): boolean;

/** What `settimer` returns. */
declare class RepyTimer {
  private constructor();
  private readonly brand: 'timer';
}

/**
 * Calls a function once, `seconds` from now and never before. Holds one `event` until then.
 * @throws ResourceExhaustedError; RepyArgumentError
 * @example settimer(1.5, (name) => log('time is up,', name, '\n'), ['Ada']);
 */
declare function settimer<Args extends unknown[]>(
  seconds: number,
  fn: (...args: Args) => unknown,
  args?: Args,
): RepyTimer;

/** @returns false if it has fired or was cancelled before. @example canceltimer(timer); */
declare function canceltimer(timer: RepyTimer): boolean;

/** Waits, never less than `seconds`. Holds one `event`. @throws as `settimer`. @example await sleep(0.25); */
declare function sleep(seconds: number): Promise<void>;

/** @returns seconds since the program began, in steps of 0.1 ms; it never goes back. @example const start = getruntime(); */
declare function getruntime(): number;

/** @returns a number from 0 up to and without 1, from the system's own source of randomness. @example randomfloat() < 0.5 */
declare function randomfloat(): number;

/** @returns the node's address, on which the vessel listens. @example recvmess(getmyip(), 54321, reply); */
declare function getmyip(): string;

/** Ends the program at once; nothing after it runs. @example settimer(1, exitall); */
declare function exitall(): never;

/**
 * Writes to the vessel's log, with a space between values and no end of line. Above `lograte` it waits.
 * @throws ResourceExhaustedError the vessel may not log at all
 * @example log('received', message, 'from', ip, '\n');
 */
declare function log(...values: unknown[]): void;

/** As `log`, with an end of line. @example console.log('ready', { port: 54321 }); */
declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
};

/**
 * What every call above raises. `code` is for programs, `message` for people.
 * @example try { await openconn(ip, 80); } catch (error) { if (!(error instanceof TimeoutError)) throw error; }
 */
declare class RepyError extends Error {
  readonly code: string;
}
/** A value of the wrong type or out of its range. Code `ARGUMENT`. */
declare class RepyArgumentError extends RepyError {}
/** More than the vessel may have or use at once. Code `RESOURCE_EXHAUSTED`. */
declare class ResourceExhaustedError extends RepyError {}
/** A port or destination that the vessel may not use. Code `RESOURCE_FORBIDDEN`. */
declare class ResourceForbiddenError extends RepyError {}
/** Not a numeric address. Code `NETWORK_ADDRESS`. */
declare class NetworkAddressError extends RepyError {}
/** The program listens there already. Code `ALREADY_LISTENING`. */
declare class AlreadyListeningError extends RepyError {}
/** The address and port are in use. Code `DUPLICATE_TUPLE`. */
declare class DuplicateTupleError extends RepyError {}
/** The local address is not this node's. Code `ADDRESS_BINDING`. */
declare class AddressBindingError extends RepyError {}
/** Nobody listens there. Code `CONNECTION_REFUSED`. */
declare class ConnectionRefusedError extends RepyError {}
/** No answer in time. Code `TIMEOUT`. */
declare class TimeoutError extends RepyError {}
/** No way there now. Code `INTERNET_CONNECTIVITY`. */
declare class InternetConnectivityError extends RepyError {}
/** This program closed the connection. Code `SOCKET_CLOSED_LOCAL`. */
declare class SocketClosedLocalError extends RepyError {}
/** The peer closed the connection. Code `SOCKET_CLOSED_REMOTE`. */
declare class SocketClosedRemoteError extends RepyError {}
/** The runtime itself failed. Code `INTERNAL`. */
declare class InternalError extends RepyError {}
/** A lock that is free was released. Code `LOCK_DOUBLE_RELEASE`. */
declare class LockDoubleReleaseError extends RepyError {}
/** An `AbortController` was told to abort. Code `ABORTED`. */
declare class AbortError extends RepyError {}
