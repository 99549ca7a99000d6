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
