import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  Admission,
  type Dialled,
  describeError,
  dialNode,
  type GatewayAddress,
  type KeyId,
  keyIdSchema,
  LIMITS,
  PASS_HOLD,
  PASS_PATH,
  RateLimit,
} from '@potluck/protocol';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { Held, type Holder } from './held.ts';
import { PASS_LIMITS } from './limits.ts';
import { Pump } from './pump.ts';
import { isOwnOrigin, sessionTokenOf } from './site/session.ts';
import { permitsFrom } from './store/networks.ts';
import type { KnownNode } from './store/nodes.ts';
import type { Store } from './store/store.ts';

export type PassLimits = Readonly<Record<keyof typeof PASS_LIMITS, number>>;

export interface PassInit {
  readonly publicUrl: () => string;
  /** That of the clearinghouse, as nodes are told of it. */
  readonly gateway: () => GatewayAddress;
  /** Overrides of `PASS_LIMITS`. */
  readonly limits?: Partial<PassLimits> | undefined;
}

/** One browser that is passed on to one node. */
interface Passed extends Holder {
  readonly browser: WebSocket;
  /** The connection under it. */
  readonly stream: Duplex;
  readonly node: KeyId;
  readonly sessionToken: string;
  /** Aborted when the browser has gone. */
  readonly gone: AbortController;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

type Refusal =
  | '401 Unauthorized'
  | '403 Forbidden'
  | '404 Not Found'
  | '429 Too Many Requests'
  | '503 Service Unavailable';

/** Codes of a WebSocket's end, of the range that is for applications; the reason is for people. */
const ENDS = {
  unreachable: 4000,
  idle: 4001,
  bytes: 4002,
  notHeld: 4003,
  held: 4004,
  text: 1003,
  stops: 1001,
} as const;
/** What the protocol leaves for a reason. */
const REASON_BYTES = 123;

/**
 * Takes browsers to the nodes on which their accounts hold vessels, for a browser cannot open TLS to a node by itself. What
 * passes is signed by the user's key one way and by the node's the other: nothing here can make it or change it, and
 * nothing here looks into it.
 */
export class Pass {
  readonly #store: Store;
  readonly #init: PassInit;
  readonly #limits: PassLimits;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.messageBytes,
    perMessageDeflate: false,
  });
  readonly #passed = new Set<Passed>();
  /** By account. */
  readonly #admission: Admission;
  readonly #held: Held;
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  constructor(store: Store, init: PassInit) {
    this.#store = store;
    this.#init = init;
    this.#limits = { ...PASS_LIMITS, ...init.limits };
    const { connections, perAccount, connectsPerSecond: perSecond, connectsBurst: burst } = this.#limits;
    const rate = new RateLimit({ perSecond, burst, entries: connections });
    this.#admission = new Admission({ connections, perAddress: perAccount, rate });
    this.#held = new Held(this.#limits);
    this.#timer = setInterval(() => void this.#check().catch(() => undefined), this.#limits.checkMs).unref();
  }

  /** For the site's server, whose every WebSocket comes here. */
  upgrade(asked: Asked): void {
    asked.socket.on('error', () => undefined); // 'close' follows.
    this.#open(asked).catch(() => asked.socket.destroy());
  }

  /** Browsers that are passed on now. */
  get size(): number {
    return this.#passed.size;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const passed of this.#passed) end(passed, 'stops', 'the clearinghouse stops');
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async #open({ request, socket, head }: Asked): Promise<void> {
    const { publicUrl } = this.#init;
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    const node = keyIdSchema.safeParse(pathname.startsWith(PASS_PATH) ? pathname.slice(PASS_PATH.length) : '');
    if (!node.success) return refuse(socket, '404 Not Found');
    const { origin } = request.headers;
    // A browser sends its cookies with a WebSocket of any page: only the origin tells whose page it is.
    if (origin === undefined || !isOwnOrigin({ request, publicUrl }, origin)) return refuse(socket, '403 Forbidden');
    const sessionToken = sessionTokenOf({ request, publicUrl });
    const account = await this.#store.sessions.accountOf(sessionToken);
    if (account === undefined || account.banned_at !== null) return refuse(socket, '401 Unauthorized');
    const known = (await this.#holdsOn(account.id, node.data)) ? await this.#store.nodes.find(node.data) : undefined;
    if (known === undefined) return refuse(socket, '404 Not Found');
    if (socket.destroyed) return;
    if (this.#stopped) return refuse(socket, '503 Service Unavailable');
    const many = [...this.#passed].filter((other) => other.account === account.id && other.node === node.data).length;
    if (many >= this.#limits.perNode || !this.#admission.admit(socket, account.id)) {
      return refuse(socket, '429 Too Many Requests');
    }
    this.#sockets.handleUpgrade(request, socket, head, (browser) => {
      const own = { account: account.id, node: node.data, sessionToken, gone: new AbortController() };
      const cut = (): void => cutOff(passed);
      const passed: Passed = { ...own, browser, stream: socket, cut };
      void this.#pass(passed, known);
    });
  }

  /** Whether the account holds a vessel on the node. */
  async #holdsOn(account: string, node: KeyId): Promise<boolean> {
    return (await this.#store.leases.holdings(account)).some((held) => held.node === node);
  }

  async #pass(passed: Passed, { reach, network }: KnownNode): Promise<void> {
    const { browser, node, gone } = passed;
    this.#passed.add(passed);
    browser.on('error', () => undefined); // 'close' follows.
    browser.on('close', () => {
      this.#passed.delete(passed);
      this.#held.forget(passed);
      gone.abort();
    });
    browser.pause(); // What it says before the node is there waits with it.
    try {
      const { connectMs: connectTimeoutMs } = this.#limits;
      const permits = permitsFrom(network, this.#init.gateway());
      this.#splice(passed, await dialNode({ reach, node, permits, connectTimeoutMs, signal: gone.signal }));
    } catch (error) {
      end(passed, 'unreachable', describeError(error));
    }
    browser.resume();
  }

  /** Both ways at once; each end is read only as fast as the other takes it. */
  #splice(passed: Passed, { socket: node, stream }: Dialled): void {
    const { browser, gone } = passed;
    const { idleMs, connectionBytes } = this.#limits;
    const idle = setTimeout(() => end(passed, 'idle', `nothing came for ${idleMs / 1000} s`), idleMs).unref();
    const onHeld = (bytes: number): void => {
      if (this.#passed.has(passed)) this.#held.add(passed, bytes);
    };
    const toBrowser = new Pump({ from: node, stream, to: browser }, onHeld);
    const toNode = new Pump({ from: browser, stream: passed.stream, to: node }, onHeld);
    const take = (pump: Pump, data: RawData): void => {
      idle.refresh();
      pump.take(data);
      if (toBrowser.bytes + toNode.bytes > connectionBytes) end(passed, 'bytes', `more than ${connectionBytes} bytes`);
    };
    node.on('message', (data) => take(toBrowser, data));
    node.on('error', () => undefined); // 'close' follows.
    node.on('close', (code, reason) => end(passed, 'unreachable', `the node has closed it: ${reason || code}`));
    browser.on('message', (data, isBinary) => {
      const text = isBinary ? undefined : String(data);
      if (!isBinary) toNode.complete();
      if (text === undefined) take(toNode, data);
      else if (text === PASS_HOLD.on || text === PASS_HOLD.off) toBrowser.hold(text === PASS_HOLD.on);
      else end(passed, 'text', 'expected binary messages');
    });
    const leave = (): void => {
      clearTimeout(idle);
      node.terminate();
    };
    if (gone.signal.aborted) leave();
    else gone.signal.addEventListener('abort', leave, { once: true });
  }

  /** Ends those whose account has logged out, or holds nothing on the node any more. */
  async #check(): Promise<void> {
    for (const passed of [...this.#passed]) {
      const account = await this.#store.sessions.accountOf(passed.sessionToken);
      const isUser = account?.id === passed.account && account.banned_at === null;
      const isIn = isUser && (await this.#holdsOn(account.id, passed.node));
      if (!isIn) end(passed, 'notHeld', 'you are logged out, or hold no vessel on this node any more');
    }
  }
}

function end({ browser }: Passed, how: keyof typeof ENDS, why: string): void {
  browser.resume(); // Else its own farewell would never be read.
  browser.close(ENDS[how], shortened(why));
}

/** What it has sent is in memory until it has gone: a farewell is waited for no longer than by others, and only once. */
function cutOff(passed: Passed): void {
  const { browser } = passed;
  if (browser.readyState === browser.OPEN) {
    end(passed, 'held', 'too much is under way: end what you began, then connect again');
    setTimeout(() => browser.terminate(), LIMITS.farewellMs).unref();
  } else {
    browser.terminate();
  }
}

function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= REASON_BYTES) return text;
  return `${new TextDecoder().decode(bytes.subarray(0, REASON_BYTES - 6)).replace(/\ufffd+$/, '')}…`;
}

/** Waits for no farewell: whoever keeps his end open would keep the connection for ever. */
function refuse(socket: Duplex, refusal: Refusal): void {
  socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
