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
