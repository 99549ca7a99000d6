/**
 * The bridge between a program and the process around it. Only strings, finite numbers and booleans cross it: the code
 * inside calls one function with an operation's number, the host calls one function with an event's number.
 *
 * An operation that fails answers a negative number, `-(index in FAILURES) - 1`; `OP.reason` then gives the message.
 */
export const OP = {
  /** (text) */
  log: 1,
  /** (seconds) -> timer */
  settimer: 2,
  /** (timer) -> 1 if it was pending */
  canceltimer: 3,
  /** (ip, port, binary) -> handle */
  recvmess: 4,
  /** (ip, port, data, binary, localip, localport) -> `DELAYED`: its id is in `OP.request`, its route in `OP.route` */
  sendmess: 5,
  /** (handle) -> 1 if it was open */
  close: 6,
  /** (ip, port, localip, localport, timeoutSeconds, binary) -> request, which resolves with a handle */
  openconn: 7,
  /** (ip, port, binary) -> handle */
  waitforconn: 8,
  /** (handle, data, binary) -> request, which resolves with the number of bytes; or, when all is done, that number as a text */
  send: 9,
  /** (handle, bytes) -> request, which resolves with the data */
  recv: 10,
  getruntime: 11,
  randomfloat: 12,
  exitall: 13,
  getmyip: 14,
  reason: 15,
  /** The request id of a delayed `sendmess`. */
  request: 16,
  /** (seconds) -> timer, which fires again and again until `canceltimer` */
  setinterval: 17,
  /** (bytes) -> request, which resolves with random bytes once `random` allows them */
  randombytes: 18,
  /** (bytes) -> random bytes; it waits for `random` here and now */
  randomnow: 19,
  /** () -> 1: takes an event for a task that runs */
  taskbegin: 20,
  /** () -> 1 if a task ran */
  taskend: 21,
  /** () -> limits and usage as JSON */
  getresources: 22,
  /** (route, data, binary) -> bytes handed to the system, or `DETOUR`: nothing was sent, `sendmess` has to be used */
  sendon: 23,
  /** The route that the last `sendmess` took: a number for `sendon`, or 0. */
  route: 24,
  /** (text) -> the address in its one spelling; '' when it is no numeric address */
  address: 25,
  /** (handle) -> 1 if a `recv` would wait, plus 2 if a `send` would */
  willblock: 26,
  /** (seconds) -> request, which resolves when they are over; no event */
  sleep: 28,
  /** (name) -> request, which resolves with `[name, aliases, addresses]` as JSON */
  resolve: 27,
  /** () -> 1: the program wants to be told before it is stopped */
  onstop: 29,
  /**
   * (heads, texts) -> a character for each message that went: its bytes; from the first that did not, none did. A head
   * is five characters: three of the route (the lowest 16 bits first), 1 for binary, the text's length.
   */
  sendtogether: 30,
  /** (code, name) -> 1 when it compiles: for `createvirtualnamespace` */
  checkcode: 40,
  /** (code, name) -> 1: makes a realm for this code, of which `EVENT.realm` tells before this answers */
  makerealm: 41,
  /** (name, create) -> request, which resolves with a handle */
  openfile: 42,
  /** (handle, bytes or -1 for all, offset, binary) -> request, which resolves with the data */
  readat: 43,
  /** (handle, data, binary, offset) -> request */
  writeat: 44,
  /** (handle) -> request */
  closefile: 45,
  /** () -> request, which resolves with the names as JSON */
  listfiles: 46,
  /** (name) -> request */
  removefile: 47,
  /** (name, 'r', 'w' or 'a', binary) -> request, which resolves with a handle */
  openstream: 48,
  /** (handle, bytes or -1 for all, whether it ends with a line, binary) -> request, which resolves with the data */
  readstream: 49,
  /** (handle, data, binary) -> request */
  writestream: 50,
  /** (handle, offset, whence) -> request */
  seekstream: 51,
  /** (handle) -> request, which resolves when what was written before is */
  flushstream: 52,
  /** () -> 1: makes a realm whose code the host runs: of a layer, or of the program above layers */
  makeworld: 60,
  /** (url, base, whether there is a base) -> its parts as a list in JSON, see `inside/url.ts`; '' when it is none */
  urlparse: 70,
  /** (href, the part's place in the list, value) -> the parts after it was set */
  urlset: 71,
  /** (algorithm) -> 1: begins the one digest that there is at a time */
  digestbegin: 72,
  /** (binary) -> 1 */
  digestadd: 73,
  /** () -> the digest, binary */
  digestend: 74,
} as const;

export const EVENT = {
  /** (argument): one of `callargs`, before the program begins */
  argument: 1,
  /** (timer) */
  timer: 2,
  /** (handle, data, ip, port) */
  message: 3,
  /** (listen handle, socket handle, ip, port) */
  connection: 4,
  /** (request, value, then for openconn the peer's address and port) */
  resolve: 5,
  /** (request, failure, message) */
  reject: 6,
  /** (reason): somebody stops the program, and gives it a moment */
  stop: 7,
  /** (handle): a listener broke and is closed */
  closed: 9,
  /**
   * (heads, texts, addresses): several messages, in their order. A head is six characters: three of the handle (the
   * lowest 16 bits first), the port, the length of the address or 0 for that of the message before, the text's length.
   */
  messages: 10,
  /** (port): a realm was made; the one value beside primitives that comes in, see `inside/letter.ts` */
  realm: 20,
  /** (layer, or '' for the program): what follows is its code, in a realm of its own */
  world: 21,
  /** (): the layer's code has begun */
  layered: 22,
} as const;

/** Answer of `OP.sendmess`: the message is taken, what becomes of it is told later. */
export const DELAYED = -1000;
/** Answer of `OP.sendon` when it did nothing. */
export const DETOUR = -1001;

/** Errors that programs see: Seattle's names, and a stable code for each. The order is the number on the bridge. */
export const FAILURES = [
  ['RepyArgumentError', 'ARGUMENT'],
  ['ResourceExhaustedError', 'RESOURCE_EXHAUSTED'],
  ['ResourceForbiddenError', 'RESOURCE_FORBIDDEN'],
  ['NetworkAddressError', 'NETWORK_ADDRESS'],
  ['AlreadyListeningError', 'ALREADY_LISTENING'],
  ['DuplicateTupleError', 'DUPLICATE_TUPLE'],
  ['AddressBindingError', 'ADDRESS_BINDING'],
  ['ConnectionRefusedError', 'CONNECTION_REFUSED'],
  ['TimeoutError', 'TIMEOUT'],
  ['InternetConnectivityError', 'INTERNET_CONNECTIVITY'],
  ['SocketClosedLocalError', 'SOCKET_CLOSED_LOCAL'],
  ['SocketClosedRemoteError', 'SOCKET_CLOSED_REMOTE'],
  ['InternalError', 'INTERNAL'],
  ['LockDoubleReleaseError', 'LOCK_DOUBLE_RELEASE'],
  ['AbortError', 'ABORTED'],
  ['CleanupInProgressError', 'CLEANUP_IN_PROGRESS'],
  ['SocketWouldBlockError', 'SOCKET_WOULD_BLOCK'],
  ['LocalIPChangedError', 'LOCAL_IP_CHANGED'],
  ['TCPServerSocketInvalidError', 'TCP_SERVER_SOCKET_INVALID'],
  ['CodeUnsafeError', 'CODE_UNSAFE'],
  ['ContextUnsafeError', 'CONTEXT_UNSAFE'],
  ['FileNotFoundError', 'FILE_NOT_FOUND'],
  ['FileInUseError', 'FILE_IN_USE'],
  ['SeekPastEndOfFileError', 'SEEK_PAST_END_OF_FILE'],
  ['FileClosedError', 'FILE_CLOSED'],
  ['LayerError', 'LAYER'],
] as const;
export type FailureName = (typeof FAILURES)[number][0];

/** Limits of single calls; longer data is refused inside, before it is copied. */
export const CALL_LIMITS = {
  /** The most that fits into one UDP packet over IPv4. */
  messageBytes: 65_507,
  /** One `sendmessage`: Seattle's own limit. */
  secondMessageBytes: 9216,
  /** One `send` of a connection. */
  sendBytes: 1024 * 1024,
  /** One `recv` of a connection. */
  recvBytes: 1024 * 1024,
  /** Characters of one `log`; the rest is cut off. */
  logLength: 128 * 1024,
  /** Messages that wait in an iterated listener; more are dropped, as by a full socket buffer. */
  waitingMessages: 256,
  /** One `randombytes`. */
  randomBytes: 1024,
  /** One `crypto.getRandomValues`, as on the web. */
  randomValuesBytes: 65_536,
  /** A URL, its base, or what one of its parts is set to: characters. */
  urlLength: 65_536,
  /** One `crypto.subtle.digest`. */
  digestBytes: 64 * 1024 * 1024,
  /** It crosses the bridge in pieces of this size. */
  digestPieceBytes: 256 * 1024,
  /** An interval is never shorter: what browsers settle at. */
  intervalLeastMs: 4,
  /** One read or write of a file. */
  fileBytes: 16 * 1024 * 1024,
} as const;

/** Programs within programs: what may go from one to the other. */
export const COPY_LIMITS = {
  /** Levels of arrays and objects within each other, of one call's values. */
  depth: 100,
  /** Values, keys and marks of one call together. */
  parts: 1_000_000,
} as const;

export const NAMESPACE_LIMITS = {
  /** Characters of the code. */
  codeLength: 1024 * 1024,
  /** Characters of its name. */
  nameLength: 120,
  /** Names given to one `evaluate`. */
  names: 1000,
} as const;

/** Security layers, of an author and of a node's owner. */
export const LAYER_LIMITS = {
  /** One layer as one file, without its source map; Seattle's limit. */
  layerBytes: 100_000,
  /** Layers of an author, and of a node's owner. */
  layers: 16,
} as const;

/** @returns the characters of so many bytes in base64, as bytes of files cross the bridge. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;
