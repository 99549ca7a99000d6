/**
 * Calls of Seattle's second generation beside those of `repy.d.ts`, to which their types belong. What did not block there
 * and was called again and again (`SocketWouldBlockError`) is a promise here.
 */

/**
 * Random bytes from the system, 1024 a call, charged to `random`; above the rate it waits.
 * @throws ResourceExhaustedError the vessel may use no randomness, or too many calls wait
 * @example const [first = 0] = await randombytes();
 */
declare function randombytes(): Promise<Uint8Array>;

/** What `createlock` returns. */
interface RepyLock {
  /**
   * Waits for the lock, first come, first served; with `false` it does not wait.
   * @returns whether it was acquired. @throws RepyArgumentError
   */
  acquire(blocking?: boolean): Promise<boolean>;
  /** Frees the lock, whoever acquired it; the first that waits has it at once. @throws LockDoubleReleaseError it is free */
  release(): void;
}

/**
 * A lock, for what must not be interrupted by others while it awaits.
 * @example const lock = createlock(); await lock.acquire(); try { await sleep(1); } finally { lock.release(); }
 */
declare function createlock(): RepyLock;
/** The same as `createlock`: the name of the first generation. @example const lock = getlock(); */
declare function getlock(): RepyLock;

/**
 * Runs a function beside the others: it begins when the code that runs now waits or ends, and takes turns with the rest
 * where it awaits. Holds one `event` until it has returned, or what it returned has settled. What it throws ends the
 * program. It takes no arguments, as in Seattle: a closure has them.
 * @throws ResourceExhaustedError; RepyArgumentError
 * @example createthread(async () => { for (;;) { await sleep(10); log('alive\n'); } });
 */
declare function createthread(fn: () => unknown): void;

/** How much there may be and how much there is, by the names of resources. */
interface RepyResources {
  /** As the owner set them; `cpu` in processors, `memory` and `diskused` in bytes, rates in units or bytes a second. */
  readonly limits: { messport: number[]; connport: number[] } & { [resource: string]: number };
  /**
   * Held now; of rates, what the last second left. `cpu` is seconds of a processor since the program began, in steps of
   * 0.01; `memory` is bytes of the program's own heap.
   */
  readonly usage: { [resource: string]: number };
  /** Times at which the vessel was stopped to hold its `cpu`: empty for now, for a vessel does not learn of them. */
  readonly stoptimes: [time: number, seconds: number][];
}

/** @returns limits and usage, as copies. @example const { limits, usage } = getresources(); log(usage.events, limits.events); */
declare function getresources(): RepyResources;

/**
 * @returns name, message and place of the last error that a call of the Repy API raised, also when it was caught; null
 * before there was one. Errors of the program's own are not among them: unlike Python, JavaScript keeps no record of them.
 * @example log(getlasterror() ?? 'all is well');
 */
declare function getlasterror(): string | null;

/**
 * `sendmess` with all of its arguments. @returns the number of bytes. @throws as `sendmess`; RepyArgumentError also when
 * it would go to where it comes from
 * @example await sendmessage('198.51.100.7', 54321, 'hello', getmyip(), 43210);
 */
// biome-ignore lint/complexity/useMaxParams: Seattle's own order.
declare function sendmessage(
  destip: string,
  destport: number,
  message: string | Uint8Array,
  localip: string,
  localport: number,
): Promise<number>;

/** What `listenformessage` returns. Up to 256 messages wait, more are dropped, as in a full socket buffer. */
interface RepyMessageServer<Data = string> {
  /** Waits for a message. @throws SocketClosedLocalError it was closed, also while this waited */
  getmessage(): Promise<[ip: string, port: number, message: Data]>;
  /** Stops listening and drops what waits. @returns false if it was closed before. */
  close(): boolean;
}

/**
 * Listens for UDP messages as `recvmess` does. Holds one `insocket`. @throws as `recvmess`
 * @example const server = listenformessage(getmyip(), 54321); const [ip, port, message] = await server.getmessage();
 */
declare function listenformessage(
  localip: string,
  localport: number,
  options: { encoding: 'binary' },
): RepyMessageServer<Uint8Array>;
declare function listenformessage(
  localip: string,
  localport: number,
  options?: { encoding?: 'utf8' },
): RepyMessageServer;

/**
 * `openconn` with all of its arguments; `timeout` in seconds, above 0. @throws as `openconn`; RepyArgumentError also when
 * it would lead to where it comes from
 * @example const sock = await openconnection('198.51.100.7', 63100, getmyip(), 63101, 5);
 */
// biome-ignore lint/complexity/useMaxParams: Seattle's own order.
declare function openconnection(
  destip: string,
  destport: number,
  localip: string,
  localport: number,
  timeout: number,
  options: { encoding: 'binary' },
): Promise<RepySocket<Uint8Array>>;
// biome-ignore lint/complexity/useMaxParams: Seattle's own order.
declare function openconnection(
  destip: string,
  destport: number,
  localip: string,
  localport: number,
  timeout: number,
  options?: { encoding?: 'utf8' },
): Promise<RepySocket>;

/** What `listenforconnection` resolves with. Up to 256 connections wait, each with its `outsocket`. */
interface RepyConnectionServer<Data = string> {
  /** Waits for a connection. @throws SocketClosedLocalError it was closed, also while this waited */
  getconnection(): Promise<[ip: string, port: number, sock: RepySocket<Data>]>;
  /** Stops listening and closes the connections that nobody took. @returns false if it was closed before. */
  close(): boolean;
}

/**
 * Listens for TCP connections as `waitforconn` does. Holds one `insocket`. @throws as `waitforconn`
 * @example const server = await listenforconnection(getmyip(), 63100); const [ip, port, sock] = await server.getconnection();
 */
declare function listenforconnection(
  localip: string,
  localport: number,
  options: { encoding: 'binary' },
): Promise<RepyConnectionServer<Uint8Array>>;
declare function listenforconnection(
  localip: string,
  localport: number,
  options?: { encoding?: 'utf8' },
): Promise<RepyConnectionServer>;
