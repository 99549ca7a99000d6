// Made of types/*.d.ts by `npm run docs`: change those.

/**
 * The Repy API: everything that a program in a vessel may call beside the language itself, for editors and type checkers.
 * In a program's folder: `/// <reference path="../repy-api/repy.d.ts" />`, or name this file in `include` of a
 * tsconfig.json. docs/repy-api.md has the same for reading.
 *
 * In the examples 198.51.100.7 is another node, on which a program sends back each message that comes to port 54321 and
 * all that comes over a connection to port 63100. `// logs:` says what is in the log after it.
 */

// #region Program
// What a program is given, what it says, and how it ends: when no timer, listener or call is pending, by `exitall()`, by
// an uncaught error, or by a limit. `await` works at its top. What can wait returns a promise; what cannot is synchronous.

/**
 * Always `'initialize'`: kept so that programs of Seattle run as they stand.
 * @example
 * if (callfunc === 'initialize') log('here we go\n'); // logs: here we go
 */
declare const callfunc: 'initialize';

/**
 * The program's arguments.
 * @example
 * log('Hello,', callargs[0] ?? 'world', '\n'); // logs: Hello, world
 */
declare const callargs: string[];

/**
 * An object for whatever the program wants to share between its functions, as in Seattle.
 * @example
 * mycontext.count = (Number(mycontext.count) || 0) + 1;
 * log(mycontext.count, '\n'); // logs: 1
 */
declare const mycontext: Record<string, unknown>;

/**
 * Writes to the vessel's log: a space between values and no end of line. Texts are written as they are, other values as
 * a reader would write them. What is longer than 131,072 characters is cut off.
 * @throws ResourceExhaustedError the vessel may not log at all
 * @charges `lograte`, a byte for each; above it the call waits, and the whole program with it
 * @example
 * log('received', { port: 54321 }, '\n'); // logs: received { port: 54321 }
 */
declare function log(...values: unknown[]): void;

/**
 * `log` with an end of line, by the four names that JavaScript has for it.
 * @throws ResourceExhaustedError as `log`
 * @charges `lograte`, as `log`
 */
declare const console: {
  /** @example console.log('ready', [54321]); // logs: ready [54321] */
  log(...values: unknown[]): void;
  /** The same. @example console.info('ready'); // logs: ready */
  info(...values: unknown[]): void;
  /** The same. @example console.warn('slow'); // logs: slow */
  warn(...values: unknown[]): void;
  /** The same. @example console.error('failed'); // logs: failed */
  error(...values: unknown[]): void;
};

/**
 * Ends the program at once; nothing after it runs.
 * @example
 * settimer(0.1, exitall);
 */
declare function exitall(): never;

/**
 * Calls a function before the program is stopped from outside: because a user stops it, or because the node does. The
 * program goes on meanwhile, held to its limits as ever, and ends when what the function returns is settled, after 2
 * seconds at the latest, or at once when it is stopped a second time. A reset and a limit end it without a word. Several
 * functions are called in their order. It keeps no program alive.
 * @throws RepyArgumentError it is no function
 * @example
 * onstop(async (reason) => {
 *   const file = await openfile('last-words', true);
 *   await file.writeat(`${reason} after ${getruntime()} s`, 0);
 *   await file.close();
 * });
 */
declare function onstop(fn: (reason: 'stopped' | 'node stops') => unknown): void;
// #endregion

// #region Messages
// UDP. Addresses are IPv4 or IPv6; ports are 1 to 65535. A program gets every address in one spelling: IPv6 in its
// shortest form, `::ffff:127.0.0.1` as `127.0.0.1`. Texts travel as UTF-8, a `Uint8Array` as it is;
// `{ encoding: 'binary' }` receives as `Uint8Array`. A message may be lost or overtaken on its way, as UDP has it.

/** How received bytes become values; `'utf8'` unless said. */
interface RepyEncoding {
  encoding?: 'utf8' | 'binary';
}
interface RepyText {
  encoding?: 'utf8';
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

/** A listener for messages or connections. */
interface RepyListener {
  /** The local address. */
  readonly ip: string;
  readonly port: number;
  /**
   * Stops listening, as `stopcomm` does; the port is free at once.
   * @returns false if it was stopped before
   * @example
   * const listener = recvmess(getmyip(), 54321, () => {});
   * log(listener.close(), listener.close(), '\n'); // logs: true false
   */
  close(): boolean;
}
/** Without a function a listener is iterated; up to 256 messages wait, more are dropped, as in a full socket buffer. */
interface RepyMessages<Data = string> extends RepyListener, AsyncIterable<RepyMessage<Data>> {}

/**
 * Listens for UDP messages. The address is `getmyip()` or 127.0.0.1, the port one of the vessel's `messport`s. A function
 * is called with each message, its fourth argument is the listener; without a function the listener is iterated.
 * @throws RepyArgumentError
 * @throws NetworkAddressError the address is not numeric
 * @throws ResourceForbiddenError the port is not the vessel's
 * @throws AddressBindingError the address is not this node's
 * @throws AlreadyListeningError
 * @throws DuplicateTupleError somebody else has the port
 * @throws ResourceExhaustedError no `insocket` is left
 * @charges 1 `insocket` until it is stopped; `netrecv`, or `looprecv` from this machine, 64 bytes and its own for each message
 * @example
 * recvmess(getmyip(), 54321, (ip, port, message) => sendmess(ip, port, message));
 * @example
 * const listener = recvmess(getmyip(), 54321);
 * sendmess(getmyip(), 54321, 'hello');
 * for await (const { message } of listener) {
 *   log(message, '\n'); // logs: hello
 *   break;
 * }
 */
declare function recvmess(
  localip: string,
  localport: number,
  fn: (ip: string, port: number, message: string, commhandle: RepyListener) => unknown,
  options?: RepyText,
): RepyListener;
declare function recvmess(
  localip: string,
  localport: number,
  fn: (ip: string, port: number, message: Uint8Array, commhandle: RepyListener) => unknown,
  options: RepyBinary,
): RepyListener;
declare function recvmess(localip: string, localport: number, options: RepyBinary): RepyMessages<Uint8Array>;
declare function recvmess(localip: string, localport: number, options?: RepyText): RepyMessages;

/**
 * Sends one UDP message of up to 65507 bytes to an address or a host name, from any free port or from one of the vessel's `messport`s (also while it
 * listens there). When nobody awaits it, a fault of the network ends nothing.
 * @returns the number of bytes, when they are on their way; that they arrive is not promised
 * @throws RepyArgumentError also when it would go to where it comes from
 * @throws NetworkAddressError neither an address nor a name that leads to one, as `gethostbyname`
 * @throws ResourceForbiddenError the local port or the destination is not allowed
 * @throws AddressBindingError the local address is not this node's
 * @throws DuplicateTupleError somebody else has the local port
 * @throws ResourceExhaustedError too much waits already
 * @throws InternetConnectivityError
 * @charges `netsend`, or `loopsend` on this machine, 64 bytes and its own; above the rate it waits; a name as `gethostbyname`
 * @example
 * log(await sendmess('198.51.100.7', 54321, 'hello'), '\n'); // logs: 5
 * @example
 * await sendmess('198.51.100.7', 54321, Uint8Array.of(1, 2, 3), getmyip(), 43210);
 */
declare function sendmess(
  destip: string,
  destport: number,
  message: string | Uint8Array,
  localip?: string,
  localport?: number,
): Promise<number>;

/**
 * Stops a listener or closes a connection.
 * @returns false if that was done before
 * @throws RepyArgumentError
 * @example
 * recvmess(getmyip(), 54321, (ip, port, message, commhandle) => {
 *   log(message, 'from', ip, port, '\n');
 *   stopcomm(commhandle);
 * });
 */
declare function stopcomm(handle: RepyListener | RepySocket | RepySocket<Uint8Array>): boolean;

/**
 * The node's address, on which the vessel listens: IPv4 if it has one, else IPv6.
 * @throws InternetConnectivityError the node has no address
 * @example
 * log('I am', getmyip(), '\n');
 */
declare function getmyip(): string;

/**
 * Looks a host name up and gives its first address: of the kind that the node has, IPv4 before IPv6. A numeric address is
 * given back in its one spelling.
 *
 * Name servers are asked, and nothing else, at each call anew. Addresses that the vessel may not reach are left out, as
 * if they were not there; so are names of the donor's own network.
 * @throws RepyArgumentError
 * @throws NetworkAddressError no host name, or one that leads to no address that the vessel may reach
 * @throws ResourceExhaustedError 8 look-ups wait already, or the vessel may not use the network
 * @charges 1024 `netsend` and 4096 `netrecv`, nothing for a numeric address
 * @example
 * log(await gethostbyname('localhost'), '\n'); // logs: 127.0.0.1
 */
declare function gethostbyname(name: string): Promise<string>;

/**
 * Looks a host name up, as `gethostbyname` does.
 * @returns the name to which its aliases lead, the aliases, and up to 16 addresses
 * @throws RepyArgumentError and all others as `gethostbyname`
 * @charges as `gethostbyname`
 * @example
 * const [name, aliases, ips] = await gethostbyname_ex('localhost');
 * log(name, aliases.length, ips[0], '\n'); // logs: localhost 0 127.0.0.1
 */
declare function gethostbyname_ex(name: string): Promise<[name: string, aliases: string[], ips: string[]]>;

/**
 * `sendmess` with all of its arguments, and at most 9216 bytes, as Seattle's second generation has it.
 * @returns the number of bytes
 * @throws RepyArgumentError also for what is not the address of one machine; all others as `sendmess`
 * @charges as `sendmess`
 * @example
 * await sendmessage('198.51.100.7', 54321, 'hello', getmyip(), 43210);
 */
declare function sendmessage(
  destip: string,
  destport: number,
  message: string | Uint8Array,
  localip: string,
  localport: number,
): Promise<number>;

/** What `listenformessage` returns. Up to 256 messages wait, more are dropped, as in a full socket buffer. */
interface RepyMessageServer<Data = string> extends AsyncIterable<[ip: string, port: number, message: Data]> {
  /**
   * Waits for a message, where Seattle's own call had to be called again and again.
   * @throws SocketClosedLocalError it was closed, also while this waited
   * @charges `netrecv` or `looprecv`, as `recvmess`
   * @example
   * const server = listenformessage(getmyip(), 54321);
   * sendmess(getmyip(), 54321, 'hello');
   * const [ip, port, message] = await server.getmessage();
   * log(ip === getmyip(), port > 0, message, '\n'); // logs: true true hello
   */
  getmessage(): Promise<[ip: string, port: number, message: Data]>;
  /**
   * Stops listening and drops what waits.
   * @returns false if it was closed before
   * @example
   * const server = listenformessage(getmyip(), 54321);
   * log(server.close(), server.close(), '\n'); // logs: true false
   */
  close(): boolean;
}

/**
 * Listens for UDP messages as `recvmess` does, to be asked for one after the other.
 * @throws RepyArgumentError and all others as `recvmess`
 * @charges 1 `insocket` until it is closed
 * @example
 * const server = listenformessage(getmyip(), 54321, { encoding: 'binary' });
 * sendmess(getmyip(), 54321, Uint8Array.of(1, 2));
 * log((await server.getmessage())[2], '\n'); // logs: <1, 2>
 */
declare function listenformessage(
  localip: string,
  localport: number,
  options: RepyBinary,
): RepyMessageServer<Uint8Array>;
declare function listenformessage(localip: string, localport: number, options?: RepyText): RepyMessageServer;
// #endregion

// #region Connections
// TCP. What is sent arrives complete and in order, but not in the pieces in which it was sent.

/**
 * A TCP connection. Holds one `outsocket` until it is closed. `for await` reads what comes, in pieces, until either side
 * has closed; who leaves the loop before closes it, as with listeners.
 */
interface RepySocket<Data = string> extends AsyncIterable<Data> {
  /** The other side. */
  readonly ip: string;
  readonly port: number;
  /**
   * Sends up to 1 MiB; awaiting it keeps the peer's pace.
   * @returns the number of bytes, when the system has taken them
   * @throws RepyArgumentError
   * @throws SocketClosedLocalError
   * @throws SocketClosedRemoteError
   * @throws ResourceExhaustedError 4 MiB wait already
   * @charges `netsend` (`loopsend` on this machine) 64 bytes and its own, `netrecv` 64; above the rate it waits
   * @example
   * const sock = await openconn('198.51.100.7', 63100);
   * log(await sock.send('hello'), '\n'); // logs: 5
   */
  send(data: string | Uint8Array): Promise<number>;
  /**
   * Waits for data. Text is never cut within a character: up to 3 bytes of one are kept for, and then added to, the next
   * `recv`.
   * @returns 1 to `bytes` bytes of it; text may have up to 3 more, of the character that was kept
   * @throws RepyArgumentError not from 1 to 1048576
   * @throws SocketClosedLocalError
   * @throws SocketClosedRemoteError the peer closed and all it sent was read
   * @throws ResourceExhaustedError 64 calls wait on this connection already
   * @charges `netrecv` (`looprecv` on this machine) 64 bytes and its own, `netsend` 64; above the rate it waits
   * @example
   * const sock = await openconn('198.51.100.7', 63100);
   * await sock.send('hello');
   * log(await sock.recv(1024), '\n'); // logs: hello
   */
  recv(bytes: number): Promise<Data>;
  /**
   * Whether `recv` would wait now, and whether `send` would.
   * @throws SocketClosedLocalError
   * @example
   * const sock = await openconn('198.51.100.7', 63100);
   * const [recv, send] = sock.willblock();
   * log(recv, send, '\n'); // logs: true false
   */
  willblock(): [recv: boolean, send: boolean];
  /**
   * Closes after what was sent.
   * @returns false if it was closed before
   * @charges `netsend` 128 and `netrecv` 64, without waiting
   * @example
   * const sock = await openconn('198.51.100.7', 63100);
   * log(sock.close(), sock.close(), '\n'); // logs: true false
   */
  close(): boolean;
}

interface RepyConnectOptions extends RepyEncoding {
  localip?: string;
  localport?: number;
  /** Seconds, 5 unless said. */
  timeout?: number;
}

/**
 * Opens a TCP connection to an address or a host name, of which each address is tried in turn; `timeout` is in seconds, above 0 and at most 3600, 5 unless said. A local port must be one of
 * the vessel's `connport`s.
 * @throws RepyArgumentError
 * @throws NetworkAddressError neither an address nor a name that leads to one, as `gethostbyname`
 * @throws ResourceForbiddenError the destination or the local port is not allowed
 * @throws AddressBindingError the local address is not this node's
 * @throws DuplicateTupleError there is such a connection already
 * @throws CleanupInProgressError there was such a connection just now
 * @throws AlreadyListeningError the program listens on the local port
 * @throws ResourceExhaustedError no `outsocket` is left
 * @throws ConnectionRefusedError nobody listens there
 * @throws TimeoutError no answer in time
 * @throws InternetConnectivityError
 * @charges 1 `outsocket` until it is closed, `netsend` 128 and `netrecv` 64; a name as `gethostbyname`
 * @example
 * const sock = await openconn('198.51.100.7', 63100);
 * await sock.send('hello');
 * log(await sock.recv(1024), '\n'); // logs: hello
 * @example
 * const sock = await openconn('198.51.100.7', 63100, { timeout: 2, encoding: 'binary' });
 * await sock.send(Uint8Array.of(104, 105));
 * log((await sock.recv(1024))[0], '\n'); // logs: 104
 */
declare function openconn(
  destip: string,
  destport: number,
  options: RepyConnectOptions & RepyBinary,
): Promise<RepySocket<Uint8Array>>;
declare function openconn(destip: string, destport: number, options: RepyConnectOptions): Promise<RepySocket>;
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
 * Listens for TCP connections on one of the vessel's `connport`s. A connection beyond the last `outsocket` is closed at
 * once. The function's fourth argument is the connection, its fifth the listener, both for `stopcomm`.
 * @throws RepyArgumentError
 * @throws NetworkAddressError the address is not numeric
 * @throws ResourceForbiddenError the port is not the vessel's
 * @throws AddressBindingError the address is not this node's
 * @throws AlreadyListeningError
 * @throws DuplicateTupleError somebody else has the port
 * @throws ResourceExhaustedError no `insocket` is left
 * @charges 1 `insocket` until it is stopped, and for each connection 1 `outsocket` until it is closed, `netrecv` 128 and
 * `netsend` 64
 * @example
 * await waitforconn(getmyip(), 63100, async (ip, port, sock) => {
 *   await sock.send(`hello ${ip} ${port}`);
 *   sock.close();
 * });
 * @example
 * const listening = waitforconn(getmyip(), 63100);
 * await listening;
 * createthread(async () => (await openconn(getmyip(), 63100)).send('hello'));
 * for await (const { sock } of listening) {
 *   log(await sock.recv(1024), '\n'); // logs: hello
 *   break;
 * }
 */
declare function waitforconn(
  localip: string,
  localport: number,
  fn: (ip: string, port: number, sock: RepySocket, commhandle: RepySocket, listenhandle: RepyListener) => unknown,
  options?: RepyText,
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
declare function waitforconn(localip: string, localport: number, options?: RepyText): RepyConnections;

/**
 * `openconn` with all of its arguments, as Seattle's second generation has it; `timeout` in seconds, above 0.
 * @throws RepyArgumentError also when it would lead to where it comes from; all others as `openconn`
 * @charges as `openconn`
 * @example
 * const sock = await openconnection('198.51.100.7', 63100, getmyip(), 63101, 5);
 * await sock.send('hello');
 * log(await sock.recv(1024), '\n'); // logs: hello
 */
declare function openconnection(
  destip: string,
  destport: number,
  localip: string,
  localport: number,
  timeout: number,
  options: RepyBinary,
): Promise<RepySocket<Uint8Array>>;
declare function openconnection(
  destip: string,
  destport: number,
  localip: string,
  localport: number,
  timeout: number,
  options?: RepyText,
): Promise<RepySocket>;

/** What `listenforconnection` resolves with. Up to 256 connections wait, each with its `outsocket`. */
interface RepyConnectionServer<Data = string>
  extends AsyncIterable<[ip: string, port: number, sock: RepySocket<Data>]> {
  /**
   * Waits for a connection.
   * @throws SocketClosedLocalError it was closed, also while this waited
   * @example
   * const server = await listenforconnection(getmyip(), 63100);
   * createthread(async () => (await openconn(getmyip(), 63100)).send('hello'));
   * const [ip, port, sock] = await server.getconnection();
   * log(ip === getmyip(), port > 0, await sock.recv(1024), '\n'); // logs: true true hello
   */
  getconnection(): Promise<[ip: string, port: number, sock: RepySocket<Data>]>;
  /**
   * Stops listening and closes the connections that nobody took.
   * @returns false if it was closed before
   * @example
   * const server = await listenforconnection(getmyip(), 63100);
   * log(server.close(), server.close(), '\n'); // logs: true false
   */
  close(): boolean;
}

/**
 * Listens for TCP connections as `waitforconn` does, to be asked for one after the other.
 * @throws RepyArgumentError and all others as `waitforconn`
 * @charges 1 `insocket` until it is closed, and for each connection as `waitforconn`
 * @example
 * const server = await listenforconnection(getmyip(), 63100);
 * server.close();
 */
declare function listenforconnection(
  localip: string,
  localport: number,
  options: RepyBinary,
): Promise<RepyConnectionServer<Uint8Array>>;
declare function listenforconnection(
  localip: string,
  localport: number,
  options?: RepyText,
): Promise<RepyConnectionServer>;
// #endregion

// #region Files
// Each vessel has a flat directory of files, shared by what its users upload and what its programs write. A name is 1 to
// 120 of a-z, 0-9, `.`, `_` and `-`, and starts with neither `.` nor `private_`. Texts are stored as UTF-8, a `Uint8Array`
// as it is; `{ encoding: 'binary' }`, or `b` in a mode, reads as `Uint8Array`. All files together take at most `diskused`,
// 4096 bytes more for each; a program that would pass it is ended before it has written anything. Reading is charged to
// `fileread`, writing to `filewrite`: 4096 bytes for each block of 4096 that is touched; above the rate a call waits.

/** A file by its offsets, in bytes. What is called on it is carried out in that order, awaited or not. */
interface RepyFile<Data = string> {
  /**
   * Reads from `offset` on, at most `sizelimit` bytes; `null` is all that there are, up to 16 MiB. At the end of the file
   * it reads nothing. Half a character at either end of a text becomes U+FFFD: offsets are for those who count bytes.
   * @throws RepyArgumentError
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError `offset` is beyond the end of the file
   * @throws ResourceExhaustedError there are more than 16 MiB, or the vessel may not read files
   * @charges `fileread`, 4096 for each block that it touches
   * @example
   * const file = await openfile('greeting.txt', true);
   * await file.writeat('hello world', 0);
   * log(await file.readat(5, 6), '\n'); // logs: world
   * log(await file.readat(null, 0), '\n'); // logs: hello world
   */
  readat(sizelimit: number | null, offset: number): Promise<Data>;
  /**
   * Writes up to 16 MiB over what is there, from `offset` on; at the end of the file it appends. A file is never made
   * shorter, and has no holes.
   * @throws RepyArgumentError
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError `offset` is beyond the end of the file
   * @throws ResourceExhaustedError 32 MiB wait to be written already, or the vessel may not write files, or the node's
   * own disk is full
   * @charges `filewrite`, 4096 for each block that it touches; `diskused`, what it makes the file longer
   * @example
   * const file = await openfile('numbers', true, { encoding: 'binary' });
   * await file.writeat(Uint8Array.of(1, 2, 3), 0);
   * await file.writeat(Uint8Array.of(9), 1);
   * log(await file.readat(null, 0), '\n'); // logs: <1, 9, 3>
   */
  writeat(data: string | Uint8Array, offset: number): Promise<void>;
  /**
   * Closes it. What was called before is carried out first; nothing can be called after.
   * @returns when the file is free to be opened again
   * @throws FileClosedError it was closed before
   * @example
   * const file = await openfile('a.txt', true);
   * await file.close();
   * await removefile('a.txt');
   */
  close(): Promise<void>;
}

/**
 * Opens a file; with `create` it is made when it is not there. A file is open once at a time.
 * @throws RepyArgumentError
 * @throws FileInUseError it is open already
 * @throws ResourceExhaustedError no `filesopened` is left, or there are 1,000 files
 * @throws FileNotFoundError it is not there, and `create` is false
 * @charges 1 `filesopened` until it is closed; `fileread`, 4096; when it is made `filewrite` and `diskused`, 4096
 * @example
 * const file = await openfile('visits', true);
 * const visits = Number(await file.readat(null, 0)) + 1;
 * await file.writeat(String(visits), 0);
 * await file.close();
 */
declare function openfile(name: string, create: boolean, options: RepyBinary): Promise<RepyFile<Uint8Array>>;
declare function openfile(name: string, create: boolean, options?: RepyText): Promise<RepyFile>;

/**
 * The names of the vessel's files, in their order. Those that a user uploaded by another kind of name are there too.
 * @throws ResourceExhaustedError the vessel may not read files
 * @charges `fileread`, 4096
 * @example
 * for (const name of await listfiles()) log(name, '\n');
 */
declare function listfiles(): Promise<string[]>;
/**
 * The same as `listfiles`: the name of the first generation.
 * @example
 * log((await listdir()).length, 'files\n');
 */
declare function listdir(): Promise<string[]>;

/**
 * Removes a file that is not open.
 * @throws RepyArgumentError
 * @throws FileInUseError it is open
 * @throws FileNotFoundError
 * @charges `fileread`, 4096; when it was there `filewrite`, 4096
 * @example
 * await removefile('none.txt').catch((error) => log(error.code, '\n')); // logs: FILE_NOT_FOUND
 */
declare function removefile(name: string): Promise<void>;

/**
 * How `open` opens: `r` reads a file that is there; `w` makes it, or empties it, and writes; `a` makes it if need be, and
 * writes at its end. `+` is for both reading and writing, `b` for bytes instead of texts.
 */
type RepyMode = 'r' | 'w' | 'a' | 'r+' | 'w+' | 'a+';
type RepyBinaryMode = 'rb' | 'wb' | 'ab' | 'rb+' | 'wb+' | 'ab+' | 'r+b' | 'w+b' | 'a+b';

/**
 * A file with a position, as in Seattle's first generation; it can be iterated for its lines. What is called on it is
 * carried out in that order, awaited or not. Text is never cut within a character.
 */
interface RepyStream<Data = string> extends AsyncIterable<Data> {
  /**
   * Reads on, at most `size` bytes; without it, or below 0, all that there are, up to 16 MiB.
   * @returns nothing at the end of the file
   * @throws RepyArgumentError also when it was not opened for reading
   * @throws FileClosedError
   * @throws ResourceExhaustedError there are more than 16 MiB
   * @charges `fileread`, 4096 for each block that it touches
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('one two');
   * await file.seek(0);
   * log(await file.read(3), '\n'); // logs: one
   */
  read(size?: number): Promise<Data>;
  /**
   * Reads on to the end of a line, at most `size` bytes of it.
   * @returns the line with its `\n`; nothing at the end of the file
   * @throws RepyArgumentError also when it was not opened for reading
   * @throws FileClosedError
   * @charges `fileread`, 4096 for each block that is new to it
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('first\nsecond\n');
   * await file.seek(0);
   * log(await file.readline()); // logs: first
   */
  readline(size?: number): Promise<Data>;
  /**
   * Reads on to the end. `sizehint` is taken and not needed.
   * @returns all lines, each with its `\n`
   * @throws RepyArgumentError also when it was not opened for reading
   * @throws FileClosedError
   * @throws ResourceExhaustedError there are more than 16 MiB
   * @charges as `read`
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.writelines(['first\n', 'second\n']);
   * await file.seek(0);
   * log((await file.readlines()).length, '\n'); // logs: 2
   */
  readlines(sizehint?: number): Promise<Data[]>;
  /**
   * The next line, as `for await` takes them.
   * @throws RepyArgumentError it was not opened for reading
   * @throws FileClosedError
   * @charges as `readline`
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('first\nsecond\n');
   * await file.seek(0);
   * await file.next();
   * for await (const line of file) log(line); // logs: second
   */
  next(): Promise<IteratorResult<Data>>;
  /**
   * Goes to another position: `offset` bytes from the start, or with `whence` 1 from where it is, 2 from the end. Beyond
   * the end there is nothing to read, and nothing can be written.
   * @throws RepyArgumentError also when it would be before the start
   * @throws FileClosedError
   * @charges with `whence` 2 `fileread`, 4096
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('one two');
   * await file.seek(-3, 2);
   * log(await file.read(), '\n'); // logs: two
   */
  seek(offset: number, whence?: 0 | 1 | 2): Promise<void>;
  /**
   * Writes at the position, or with a mode of `a` at the end, up to 16 MiB; it is written when the promise resolves.
   * @throws RepyArgumentError also when it was not opened for writing
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError the position is beyond the end of the file
   * @throws ResourceExhaustedError as `writeat`
   * @charges `filewrite`, 4096 for each block that it touches; `diskused`, what it makes the file longer
   * @example
   * const file = await open('log.txt', 'a');
   * await file.write('started\n');
   */
  write(data: string | Uint8Array): Promise<void>;
  /**
   * Writes them one after the other, with nothing in between and nothing added.
   * @throws RepyArgumentError also when it was not opened for writing
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError the position is beyond the end of the file
   * @throws ResourceExhaustedError as `writeat`
   * @charges as `write` for all of them together
   * @example
   * const file = await open('list.txt', 'w');
   * await file.writelines(['first\n', 'second\n']);
   */
  writelines(lines: readonly (string | Uint8Array)[]): Promise<void>;
  /**
   * Waits until all that was written before is written. Nothing is held back without it.
   * @throws FileClosedError
   * @example
   * const file = await open('list.txt', 'w');
   * file.write('first\n');
   * await file.flush();
   */
  flush(): Promise<void>;
  /**
   * Closes it. What was called before is carried out first.
   * @returns when the file is free to be opened again
   * @throws FileClosedError it was closed before
   * @example
   * const file = await open('list.txt', 'w');
   * await file.close();
   */
  close(): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<Data>;
}

/**
 * Opens a file as Seattle's first generation does. A file is open once at a time.
 * @throws RepyArgumentError
 * @throws FileInUseError it is open already
 * @throws ResourceExhaustedError as `openfile`
 * @throws FileNotFoundError it is not there, and the mode begins with `r`
 * @charges as `openfile`; `filewrite`, 4096, also when it is emptied
 * @example
 * const file = await open('lines.txt', 'w');
 * await file.write('hello\n');
 * await file.close();
 * for await (const line of await open('lines.txt')) log(line); // logs: hello
 */
declare function open(name: string, mode: RepyBinaryMode): Promise<RepyStream<Uint8Array>>;
declare function open(name: string, mode?: RepyMode): Promise<RepyStream>;
/**
 * The same as `open`.
 * @example
 * const notes = await file('notes.txt', 'a');
 * await notes.write('another line\n');
 */
declare function file(name: string, mode: RepyBinaryMode): Promise<RepyStream<Uint8Array>>;
declare function file(name: string, mode?: RepyMode): Promise<RepyStream>;
// #endregion

// #region Time
// Seconds in Seattle's calls, milliseconds in those of the web. Nothing wakes before its time.

/** What `settimer` returns. */
interface RepyTimer {
  /** Not there to be read: it tells a timer from other values. */
  readonly brand: never;
}

/**
 * Calls a function once, `seconds` from now and never before.
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until then
 * @example
 * settimer(0.05, (name) => log('time is up,', name, '\n'), ['Ada']);
 */
declare function settimer<Args extends unknown[]>(
  seconds: number,
  fn: (...args: Args) => unknown,
  args?: Args,
): RepyTimer;

/**
 * Takes back a timer of `settimer`.
 * @returns false if it has fired or was cancelled before
 * @throws RepyArgumentError
 * @example
 * const timer = settimer(60, exitall);
 * log(canceltimer(timer), canceltimer(timer), '\n'); // logs: true false
 */
declare function canceltimer(timer: RepyTimer): boolean;

/**
 * Waits, never less than `seconds`.
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError 10,000 calls wait already
 * @example
 * await sleep(0.05);
 */
declare function sleep(seconds: number): Promise<void>;

/**
 * Seconds since the program began, in steps of 0.1 ms; it never goes back.
 * @example
 * const start = getruntime();
 * await sleep(0.05);
 * log(getruntime() - start >= 0.05, '\n'); // logs: true
 */
declare function getruntime(): number;

/**
 * Calls a function once, `delay` milliseconds from now and never before. As in browsers a delay is an integer of 32 bits:
 * what is no number, negative or from 2147483648 on counts as 0; `settimer` waits longer.
 * @returns a number for `clearTimeout`
 * @throws RepyArgumentError not a function: code in a string is refused
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until then
 * @example
 * setTimeout((name) => log('time is up,', name, '\n'), 50, 'Ada');
 */
declare function setTimeout(fn: () => void, delay?: number): number;
declare function setTimeout<Args extends unknown[]>(fn: (...args: Args) => void, delay?: number, ...args: Args): number;

/**
 * Calls a function again and again, every `delay` milliseconds but at least 4, counted from the end of the call before.
 * @returns a number for `clearInterval`
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until `clearInterval`
 * @example
 * setInterval(() => sendmess('198.51.100.7', 54321, 'alive'), 10_000);
 */
declare function setInterval(fn: () => void, delay?: number): number;
declare function setInterval<Args extends unknown[]>(
  fn: (...args: Args) => void,
  delay?: number,
  ...args: Args
): number;

/**
 * Takes back a timer of `setTimeout` or `setInterval`; anything else is let be.
 * @example
 * const id = setTimeout(exitall, 60_000);
 * clearTimeout(id);
 */
declare function clearTimeout(id?: number): void;

/**
 * The same as `clearTimeout`.
 * @example
 * const id = setInterval(() => clearInterval(id), 20);
 */
declare function clearInterval(id?: number): void;
// #endregion

// #region Tasks
// Functions of one program take turns: one runs until it awaits or returns. So nothing but an `await` lets others in.

/**
 * Runs a function beside the others: it begins when the code that runs now waits or ends, and takes turns with the rest
 * where it awaits. What it throws ends the program. It is given a name that no other task has, in place of Seattle's
 * `getthreadname`, for after an `await` nothing in the language tells which task runs; a closure has all else.
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until it has returned, or what it returned has settled
 * @example
 * createthread(async () => {
 *   await sleep(0.05);
 *   log('second\n');
 * });
 * log('first\n'); // logs: first
 * // logs: second
 * @example
 * createthread((name) => log('I am', name, '\n')); // logs: I am thread-1
 */
declare function createthread(fn: (name: string) => unknown): void;

/** What `createlock` returns. */
interface RepyLock {
  /**
   * Waits for the lock, first come, first served; with `false`, or 0 as in the first generation, it does not wait.
   * @returns whether it was acquired
   * @throws RepyArgumentError
   * @example
   * const lock = createlock();
   * log(await lock.acquire(), await lock.acquire(false), '\n'); // logs: true false
   */
  acquire(blocking?: boolean | 0 | 1): Promise<boolean>;
  /**
   * Frees the lock, whoever acquired it; the first that waits has it at once.
   * @throws LockDoubleReleaseError it is free
   * @example
   * const lock = createlock();
   * await lock.acquire();
   * lock.release();
   */
  release(): void;
}

/**
 * A lock, for what must not be interrupted by others while it awaits.
 * @example
 * const lock = createlock();
 * await lock.acquire();
 * try {
 *   await sleep(0.05);
 * } finally {
 *   lock.release();
 * }
 */
declare function createlock(): RepyLock;

/**
 * The same as `createlock`: the name of the first generation.
 * @example
 * const lock = getlock();
 * log(await lock.acquire(), '\n'); // logs: true
 */
declare function getlock(): RepyLock;

/**
 * Calls a function after what runs now and before anything else. What it throws ends the program.
 * @throws RepyArgumentError
 * @example
 * queueMicrotask(() => log('soon\n'));
 */
declare function queueMicrotask(fn: () => unknown): void;
// #endregion

// #region Resources
// What the vessel may use, what it uses, and randomness, which is one of its resources.

/** How much there may be and how much there is, by the names of resources. */
interface RepyResources {
  /** As the owner set them; `cpu` in processors, `memory` and `diskused` in bytes, rates in units or bytes a second. */
  readonly limits: { messport: number[]; connport: number[] } & { [resource: string]: number };
  /**
   * Held now; of rates, what the last second left. `cpu` is seconds of a processor since the program began, in steps of
   * 0.01; `memory` is bytes of the program's own heap.
   */
  readonly usage: { [resource: string]: number };
  /**
   * The last hundred times at which the vessel was stopped to hold its `cpu`: when, in seconds since the program began,
   * and for how many seconds. It learns of them about once a second, and only while the program waits.
   */
  readonly stoptimes: [time: number, seconds: number][];
}

/**
 * Limits and usage, as copies.
 * @example
 * const { limits, usage } = getresources();
 * log(usage.events, 'of', limits.events, 'events\n');
 */
declare function getresources(): RepyResources;

/**
 * A number from 0 up to and without 1, from the system's own source of randomness.
 * @example
 * const heads = randomfloat() < 0.5;
 * log(heads ? 'heads\n' : 'tails\n');
 */
declare function randomfloat(): number;

/**
 * 1024 random bytes from the system.
 * @throws ResourceExhaustedError the vessel may use no randomness, or too many calls wait
 * @charges `random`, 1024 bytes; above the rate it waits
 * @example
 * const bytes = await randombytes();
 * log(bytes.length, '\n'); // logs: 1024
 */
declare function randombytes(): Promise<Uint8Array>;
// #endregion

// #region Programs within programs
// A program may run another one within itself: the inner program has the language and the names that it is given, and
// nothing else; not the outer program's names, and no call of this API that was not given. What passes between the two
// is copied: values that are no objects, arrays, plain objects, `Map`, `Set`, `Date`, buffers and typed arrays, errors.
// Functions are called, and promises awaited, where they came from; a function is called without `this`. Of an instance of a class
// the methods pass, and nothing that it holds. Symbols, weak maps and regular expressions cannot pass:
// a RepyArgumentError says so. An array that a function fills in place is filled on its own side only.

/** Code that was checked, and can be evaluated again and again. */
interface RepyNamespace {
  /**
   * Runs the code in a world of its own, made now. `await` works at its top; to assign to a name that it was given
   * changes the name in its world only, and what it puts on `globalThis` is a name more. Its errors have its own name and
   * lines, and can be caught; an error in what it does later, when nobody awaits, ends the whole program.
   * @param context names and their values: a plain object, with names that JavaScript code can say, and no getters
   * @returns the names that were given with the values they have now, and the names that the code added
   * @throws ContextUnsafeError a symbol, a reserved word or no identifier as a name, more than 1000 names, a getter, an object of a class, a value that cannot pass
   * @throws RepyArgumentError not an object
   * @example
   * const namespace = createvirtualnamespace('count += 1; globalThis.twice = (x) => 2 * x;', 'inner.js');
   * const { count, twice } = await namespace.evaluate({ count: 1 });
   * log(count, typeof twice === 'function' && twice(21), '\n'); // logs: 2 42
   */
  evaluate(context?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
}

/**
 * Checks code that is to run within this program, of up to 1 MiB. It is one piece, without `import` and `export`, and
 * strict as every program is. Each world takes about 200 KB of the vessel's memory, and gives it back when nothing of it is used any more.
 * @param name what errors call the code: up to 120 letters, digits, `.`, `_` and `-`; `namespace` unless said
 * @throws CodeUnsafeError it does not compile, or imports or exports; the message has its line and column
 * @throws RepyArgumentError
 * @example
 * try {
 *   createvirtualnamespace('let a = ;', 'inner.js');
 * } catch (error) {
 *   if (!(error instanceof CodeUnsafeError)) throw error;
 *   log(error.message, '\n'); // logs: inner.js:1:9: expected code that compiles, got Unexpected token ';'
 * }
 */
declare function createvirtualnamespace(code: string, name?: string): RepyNamespace;
// #endregion

// #region Security layers
// A layer is a program that stands between the API and the programs above it: docs/security-layers.md. Its body runs
// before theirs; in it the names of calls mean what is below. `repy --layer FILE PROGRAM` runs a program under one, and a
// node's owner can put layers under every program of the node.

/**
 * Of an argument or a result: `string`, `number`, `integer`, `boolean`, `bytes` (a `Uint8Array`), `array`, `object`,
 * `function`, `null`, `nothing` or `any`; also `file`, `stream`, `listener`, `socket`, `messageserver`, `connectionserver`, `lock`,
 * `timer` and `namespace`, which are objects with the methods that the API's own have. `|` stands between alternatives,
 * `?` after one that may be left out, `...` after the last one when there may be more of it.
 */
type RepyType = string;

/** What is checked at each call of something that a layer has changed. */
interface RepyContract {
  /** Of each argument. A wrong one is the program's fault: a RepyArgumentError, and the layer is not called. */
  args?: readonly RepyType[];
  /**
   * Of the result, or of what a promise resolves with: a type, or the members of an object, of which no other passes; a
   * member is a method with its contract, or a value with its type, and one whose name ends in `?` may be missing. A wrong
   * one is the layer's fault: a LayerError.
   */
  returns?: RepyType | { readonly [member: string]: RepyContract | RepyType };
  /** Names of the errors that may come out, those of the API unless said; another one becomes a LayerError. */
  throws?: readonly string[];
}

/** How a layer changes calls, while its body runs to its first `await`. */
interface RepyLayer {
  /**
   * Has another function called instead. Other names of the same (`sendmess` and `sendmessage`, `openfile` and `open`)
   * are closed, unless this layer changes them too; `console`, `setTimeout` and their like follow `log` and `settimer`.
   * @param contract that of the API's own call unless said
   * @throws RepyArgumentError no name of a call, one that was changed before, or no contract
   * @example
   * if (typeof layer !== 'undefined') {
   *   // Below `openfile` is the API's; above it there is this one.
   *   layer.wrap('sleep', (seconds) => sleep(Number(seconds) / 2), { args: ['number'], returns: 'nothing' });
   * }
   */
  wrap(call: string, target: (...args: never[]) => unknown, contract?: RepyContract): void;
  /**
   * Has a call refused, with a ResourceForbiddenError that names the layer.
   * @throws RepyArgumentError
   * @example
   * if (typeof layer !== 'undefined') layer.forbid('randombytes');
   */
  forbid(call: string): void;
}

/**
 * What a layer has, and no other program: there it is undefined.
 * @example
 * log(typeof layer, '\n'); // logs: undefined
 */
declare const layer: RepyLayer;
// #endregion

// #region Errors
// What calls raise. A fault of the network that nobody awaits ends nothing; every other error that is not caught ends the
// program, with its trace in the log.

/**
 * Name, message and place of the last error that a call of the Repy API raised, also when it was caught; null before
 * there was one. Errors of the program's own are not among them: unlike Python, JavaScript keeps no record of them.
 * @example
 * log(getlasterror() ?? 'all is well', '\n'); // logs: all is well
 */
declare function getlasterror(): string | null;

/**
 * The class of them all. `code` is for programs, `message` for people: it says what was expected and what came.
 * @example
 * try {
 *   await sleep(-1);
 * } catch (error) {
 *   if (!(error instanceof RepyError)) throw error;
 *   log(error.code, '\n'); // logs: ARGUMENT
 * }
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
/** Neither an address nor a name that leads to one. Code `NETWORK_ADDRESS`. */
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
/** The system has not yet forgotten a connection between the same ends; a minute later it has. Code `CLEANUP_IN_PROGRESS`. */
declare class CleanupInProgressError extends RepyError {}
/** This program closed the connection. Code `SOCKET_CLOSED_LOCAL`. */
declare class SocketClosedLocalError extends RepyError {}
/** The peer closed the connection. Code `SOCKET_CLOSED_REMOTE`. */
declare class SocketClosedRemoteError extends RepyError {}
/** For programs of Seattle that catch it: here calls wait instead. No call raises it. Code `SOCKET_WOULD_BLOCK`. */
declare class SocketWouldBlockError extends RepyError {}
/** For programs of Seattle that catch it: a listener keeps its address here. No call raises it. Code `LOCAL_IP_CHANGED`. */
declare class LocalIPChangedError extends RepyError {}
/** For programs of Seattle that catch it: as `LocalIPChangedError`. No call raises it. Code `TCP_SERVER_SOCKET_INVALID`. */
declare class TCPServerSocketInvalidError extends RepyError {}
/** No file of that name. Code `FILE_NOT_FOUND`. */
declare class FileNotFoundError extends RepyError {}
/** The file is open. Code `FILE_IN_USE`. */
declare class FileInUseError extends RepyError {}
/** An offset beyond the end of the file. Code `SEEK_PAST_END_OF_FILE`. */
declare class SeekPastEndOfFileError extends RepyError {}
/** This program closed the file. Code `FILE_CLOSED`. */
declare class FileClosedError extends RepyError {}
/** The runtime itself failed. Code `INTERNAL`. */
declare class InternalError extends RepyError {}
/** A lock that is free was released. Code `LOCK_DOUBLE_RELEASE`. */
declare class LockDoubleReleaseError extends RepyError {}
/** An `AbortController` was told to abort. Code `ABORTED`. */
declare class AbortError extends RepyError {}
/** Code for `createvirtualnamespace` that does not compile, or imports or exports. Code `CODE_UNSAFE`. */
declare class CodeUnsafeError extends RepyError {}
/** Names or values for `evaluate` that an inner program cannot have. Code `CONTEXT_UNSAFE`. */
declare class ContextUnsafeError extends RepyError {}
/** A layer broke its own contract. Code `LAYER`. */
declare class LayerError extends RepyError {}
// #endregion

// #region Web
// What JavaScript has wherever it runs, as the web has it, with the differences that are said here. A value that a call
// refuses is a `RepyArgumentError`, where the web has classes of its own.

/**
 * Text to bytes; always UTF-8.
 * @example
 * const bytes = new TextEncoder().encode('ü');
 * log(bytes, '\n'); // logs: <195, 188>
 */
declare class TextEncoder {
  readonly encoding: 'utf-8';
  /**
   * All of a text. Half a surrogate pair becomes U+FFFD.
   * @example
   * log(new TextEncoder().encode('hi').length, '\n'); // logs: 2
   */
  encode(text?: string): Uint8Array;
  /**
   * Writes whole characters, as many as there is room for.
   * @returns UTF-16 units read, bytes written
   * @throws RepyArgumentError
   * @example
   * const { read, written } = new TextEncoder().encodeInto('hello', new Uint8Array(3));
   * log(read, written, '\n'); // logs: 3 3
   */
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

/**
 * Bytes to text; UTF-8 only, other encodings are refused. Bytes that are no UTF-8 become U+FFFD, or are refused with
 * `fatal`. A byte order mark is left out unless `ignoreBOM`.
 * @throws RepyArgumentError
 * @example
 * const decoder = new TextDecoder('utf-8', { fatal: true });
 * log(decoder.decode(Uint8Array.of(104, 105)), '\n'); // logs: hi
 */
declare class TextDecoder {
  constructor(label?: 'utf-8' | 'utf8', options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: 'utf-8';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /**
   * With `stream` a character that is cut waits for the next call.
   * @throws RepyArgumentError no bytes, or with `fatal` no UTF-8
   * @example
   * const decoder = new TextDecoder();
   * const half = decoder.decode(Uint8Array.of(195), { stream: true });
   * log(half.length, decoder.decode(Uint8Array.of(188)), '\n'); // logs: 0 ü
   */
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

/**
 * Base64 to text of which each character is one byte; white space and missing padding are forgiven.
 * @throws RepyArgumentError not base64
 * @example
 * log(atob('aGk='), '\n'); // logs: hi
 */
declare function atob(base64: string): string;

/**
 * Text to base64.
 * @throws RepyArgumentError a character above 255: encode it first
 * @example
 * log(btoa('hi'), '\n'); // logs: aGk=
 */
declare function btoa(text: string): string;

/**
 * A deep copy of plain data: values that are no objects, arrays, objects made by `{}` or without a prototype, `Map`,
 * `Set`, `Date`, `ArrayBuffer`, typed arrays and `DataView`; cycles and shared parts stay so.
 * @throws RepyArgumentError anything else: functions, symbols, errors, regular expressions, boxed values, and instances of
 * classes, which the web would turn into plain objects. Nothing is transferred: a second argument is refused
 * @example
 * const copy = structuredClone({ seen: new Map([['198.51.100.7', 1]]) });
 * log(copy, '\n'); // logs: { seen: Map { "198.51.100.7" => 1 } }
 */
declare function structuredClone<Data>(value: Data): Data;

/** The only event there is: `'abort'`. */
interface AbortEvent {
  readonly type: 'abort';
  readonly target: AbortSignal;
  readonly currentTarget: AbortSignal;
}

/**
 * Tells once that something should stop. No call of the Repy API takes one: it is for an author's own functions. What a
 * listener throws ends the program; the other listeners run first.
 * @example
 * const { signal } = new AbortController();
 * log(signal instanceof AbortSignal, signal.aborted, '\n'); // logs: true false
 */
declare class AbortSignal {
  private constructor();
  readonly aborted: boolean;
  /** What `abort` was given, else an `AbortError`; a `TimeoutError` of `AbortSignal.timeout`. */
  readonly reason: unknown;
  onabort: ((event: AbortEvent) => unknown) | null;
  /**
   * Throws its reason, if it is aborted.
   * @example
   * new AbortController().signal.throwIfAborted();
   */
  throwIfAborted(): void;
  /**
   * Calls a function when it aborts; one that is aborted already calls nothing.
   * @throws RepyArgumentError
   * @example
   * const controller = new AbortController();
   * controller.signal.addEventListener('abort', ({ target }) => log(target.reason, '\n'));
   * controller.abort('enough'); // logs: enough
   */
  addEventListener(type: 'abort', fn: (event: AbortEvent) => unknown, options?: { once?: boolean }): void;
  /**
   * Takes such a function back.
   * @throws RepyArgumentError
   * @example
   * const { signal } = new AbortController();
   * signal.addEventListener('abort', exitall);
   * signal.removeEventListener('abort', exitall);
   */
  removeEventListener(type: 'abort', fn: (event: AbortEvent) => unknown): void;
  /**
   * One that is aborted.
   * @example
   * log(AbortSignal.abort('enough').reason, '\n'); // logs: enough
   */
  static abort(reason?: unknown): AbortSignal;
  /**
   * One that aborts after so many milliseconds; until then it holds the program.
   * @throws RepyArgumentError not from 0 to 1e12
   * @throws ResourceExhaustedError no `event` is left
   * @charges 1 `event` until then
   * @example
   * AbortSignal.timeout(50).onabort = ({ target }) => log(target.reason, '\n');
   */
  static timeout(milliseconds: number): AbortSignal;
  /**
   * One that aborts with the first of others, and is kept as long as they are.
   * @throws RepyArgumentError
   * @example
   * log(AbortSignal.any([AbortSignal.abort()]).aborted, '\n'); // logs: true
   */
  static any(signals: readonly AbortSignal[]): AbortSignal;
}

/**
 * Makes a signal, and aborts it.
 * @example
 * const controller = new AbortController();
 * controller.abort('enough');
 * log(controller.signal.aborted, '\n'); // logs: true
 */
declare class AbortController {
  readonly signal: AbortSignal;
  /**
   * Aborts the signal; does nothing the second time.
   * @example
   * new AbortController().abort();
   */
  abort(reason?: unknown): void;
}

/** A typed array of integers. */
type RepyIntegers =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Digests of bytes. */
interface RepySubtle {
  /**
   * The digest of at most 64 MiB: by SHA-1, SHA-256, SHA-384 or SHA-512, upper or lower case. What is changed in `data`
   * afterwards is of no matter.
   * @throws RepyArgumentError another algorithm, not bytes, or too many
   * @example
   * const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('hello'));
   * log(new Uint8Array(digest).toHex().slice(0, 8), '\n'); // logs: 2cf24dba
   */
  digest(algorithm: string | { readonly name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer>;
}

/** Randomness from the system, charged to `random`; above the rate these calls wait, and the whole program with them. */
declare const crypto: {
  readonly subtle: RepySubtle;
  /**
   * Fills an array of integers of at most 65536 bytes.
   * @returns the same array
   * @throws RepyArgumentError
   * @throws ResourceExhaustedError the vessel may use no randomness at all
   * @charges `random`, a byte for each
   * @example
   * const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
   * log(1 + (number % 6), '\n');
   */
  getRandomValues<Integers extends RepyIntegers>(array: Integers): Integers;
  /**
   * A UUID of version 4.
   * @throws ResourceExhaustedError the vessel may use no randomness at all
   * @charges `random`, 16 bytes
   * @example
   * log(crypto.randomUUID().length, '\n'); // logs: 36
   */
  randomUUID(): string;
};
// #endregion

// #region URLs
// As the web has them. What they refuse is a `TypeError` of the language, for that is how the web has it.

/**
 * A URL, by the WHATWG URL Standard: each part can be read and, but for `origin`, set; what cannot be is let be. A URL,
 * its base and each new value have at most 65536 characters.
 * @throws TypeError it is none, also together with the base
 * @example
 * const url = new URL('../b?c=1#d', 'http://ada@example.org:8080/x/a');
 * log(url.href, url.host, url.pathname, '\n'); // logs: http://ada@example.org:8080/b?c=1#d example.org:8080 /b
 */
declare class URL {
  constructor(url: string | URL, base?: string | URL);
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  /** Always the same list: a change of it changes the URL, and the other way. */
  readonly searchParams: URLSearchParams;
  /**
   * Its `href`.
   * @example
   * log(new URL('http://example.org').toString(), '\n'); // logs: http://example.org/
   */
  toString(): string;
  /**
   * Its `href`, so that JSON holds it.
   * @example
   * log(new URL('http://example.org').toJSON(), '\n'); // logs: http://example.org/
   */
  toJSON(): string;
  /**
   * Whether it is a URL.
   * @example
   * log(URL.canParse('example.org'), URL.canParse('b', 'http://example.org'), '\n'); // logs: false true
   */
  static canParse(url: string | URL, base?: string | URL): boolean;
  /**
   * The URL, or null.
   * @example
   * log(URL.parse('HTTP://example.org')?.protocol, URL.parse('example.org'), '\n'); // logs: http: null
   */
  static parse(url: string | URL, base?: string | URL): URL | null;
}

/**
 * The part of a URL after `?`, or a form: names and values in their order. Made of a text, of pairs, or of an object.
 * @throws TypeError something else than pairs
 * @example
 * const params = new URLSearchParams({ name: 'Ada L.', 'a&b': '1' });
 * log(params.toString(), '\n'); // logs: name=Ada+L.&a%26b=1
 */
declare class URLSearchParams implements Iterable<[name: string, value: string]> {
  constructor(init?: string | Iterable<readonly [name: string, value: string]> | Readonly<Record<string, string>>);
  readonly size: number;
  /**
   * Adds one more.
   * @example
   * const params = new URLSearchParams('a=1');
   * params.append('a', '2');
   * log(params.toString(), '\n'); // logs: a=1&a=2
   */
  append(name: string, value: string): void;
  /**
   * Takes all of a name away, or only those with this value.
   * @example
   * const params = new URLSearchParams('a=1&a=2&b=3');
   * params.delete('a', '1');
   * log(params.toString(), '\n'); // logs: a=2&b=3
   */
  delete(name: string, value?: string): void;
  /**
   * The first value of a name, or null.
   * @example
   * log(new URLSearchParams('a=1&a=2').get('a'), '\n'); // logs: 1
   */
  get(name: string): string | null;
  /**
   * All values of a name.
   * @example
   * log(new URLSearchParams('a=1&b=2&a=3').getAll('a'), '\n'); // logs: ["1", "3"]
   */
  getAll(name: string): string[];
  /**
   * Whether a name is there, or a name with this value.
   * @example
   * log(new URLSearchParams('a=1').has('a'), new URLSearchParams('a=1').has('a', '2'), '\n'); // logs: true false
   */
  has(name: string, value?: string): boolean;
  /**
   * Gives a name one value.
   * @example
   * const params = new URLSearchParams('a=1&b=2&a=3');
   * params.set('a', '4');
   * log(params.toString(), '\n'); // logs: a=4&b=2
   */
  set(name: string, value: string): void;
  /**
   * Sorts by names, in UTF-16 units; what has the same name stays in its order.
   * @example
   * const params = new URLSearchParams('b=1&a=2&b=0');
   * params.sort();
   * log(params.toString(), '\n'); // logs: a=2&b=1&b=0
   */
  sort(): void;
  /**
   * Calls a function with each value and its name.
   * @throws TypeError not a function
   * @example
   * new URLSearchParams('a=1').forEach((value, name) => log(name, value, '\n')); // logs: a 1
   */
  forEach(fn: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void;
  /**
   * Names and values, as iterating over it gives them.
   * @example
   * for (const [name, value] of new URLSearchParams('a=1').entries()) log(name, value, '\n'); // logs: a 1
   */
  entries(): IteratorObject<[name: string, value: string]>;
  /**
   * Names.
   * @example
   * log([...new URLSearchParams('a=1&b=2').keys()], '\n'); // logs: ["a", "b"]
   */
  keys(): IteratorObject<string>;
  /**
   * Values.
   * @example
   * log([...new URLSearchParams('a=1&b=2').values()], '\n'); // logs: ["1", "2"]
   */
  values(): IteratorObject<string>;
  /**
   * As it stands in a URL.
   * @example
   * log(new URLSearchParams([['q', 'ü ?']]).toString(), '\n'); // logs: q=%C3%BC+%3F
   */
  toString(): string;
  [Symbol.iterator](): IteratorObject<[name: string, value: string]>;
}
// #endregion
