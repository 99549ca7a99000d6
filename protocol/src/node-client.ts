import { setTimeout as delay } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import { type Reply, signRequest, verifyReply } from './envelope.ts';
import { PeerError, RequestError } from './errors.ts';
import type { Identity, KeyId } from './identity.ts';
import { LIMITS } from './limits.ts';
import { packMessage, unpackMessage } from './message.ts';
import { METHODS, type MethodName, type Params, type Result } from './methods.ts';
import { openPinnedSocket } from './pinned-socket.ts';
import { FairQueue } from './queue.ts';
import { type Attempt, race } from './race.ts';
import { type Address, directly, type Reach, type Way, waysOf, wayText } from './reach.ts';

/** Where the node is: one address, or all that it advertised. */
export type Place =
  | { readonly address: Address }
  | {
      readonly reach: Reach;
      /** `wayText` of the way that won last time. */
      readonly lastWay?: string | undefined;
    };

export type NodeClientInit = Place & {
  /** The node's key. Without it the first key seen is believed; `node` then says which it was. */
  readonly node?: KeyId | undefined;
  readonly identity: Identity;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
};

export interface CallOptions {
  readonly attachment?: Uint8Array;
  readonly timeoutMs?: number;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** One connection to a node manager; as many requests as it takes are under way on it at once, the others wait here. */
export class NodeClient implements AsyncDisposable {
  readonly node: KeyId;
  /** `wayText` of the way that won. */
  readonly way: string;
  readonly #identity: Identity;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #window = new FairQueue({
    atOnce: LIMITS.requestsPerConnection,
    perCaller: Number.POSITIVE_INFINITY,
    of: 'requests',
  });

  private constructor(identity: Identity, way: Way, { key, socket }: Opened) {
    this.node = key;
    this.way = wayText(way);
    this.#identity = identity;
    this.#socket = socket;
    socket.on('message', (data) => void this.#receive(data));
    socket.on('error', (cause) => this.#fail(new PeerError('CLOSED', `connection to ${this.way} broke`, { cause })));
    socket.on('close', (code, reason) => this.#fail(this.#closed(code, reason)));
  }

  /**
   * Tries the ways to the node in the order of `waysOf`, as happy eyeballs do; the first that proves the key wins.
   * @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY
   */
  static async connect(init: NodeClientInit): Promise<NodeClient> {
    const { identity, node, signal, connectTimeoutMs = LIMITS.connectTimeoutMs } = init;
    const ways = 'reach' in init ? waysOf(init.reach, init.lastWay) : waysOf(directly(init.address));
    const deadline = performance.now() + connectTimeoutMs;
    const attempts = ways.map(
      (way): Attempt<{ way: Way; opened: Opened }> => ({
        open: async (broken: AbortSignal) => ({ way, opened: await openWay(way, { node, deadline, signal: broken }) }),
        close: ({ opened }) => opened.socket.terminate(),
      }),
    );
    const { way, opened } = await race(attempts, { delayMs: LIMITS.attemptDelayMs, signal });
    return new NodeClient(identity, way, opened);
  }

  /**
   * A node that is asked too often says when to come again: then the request is sent again, until its time is over.
   * @returns the result of the method's schema, and the bytes that the node attached (empty if the method has none).
   * @throws RequestError the node refused, with its code. @throws PeerError TIMEOUT, CLOSED, BAD_REPLY
   */
  async call<M extends MethodName>(
    method: M,
    params: Params<M>,
    options: CallOptions = {},
  ): Promise<{ result: Result<M>; attachment: Uint8Array }> {
    const attachment = options.attachment ?? new Uint8Array();
    if (attachment.byteLength > LIMITS.fileBytes) {
      throw new RequestError(
        'BAD_ATTACHMENT',
        `expected at most ${LIMITS.fileBytes} bytes, got ${attachment.byteLength}`,
      );
    }
    const timeoutMs = options.timeoutMs ?? LIMITS.replyTimeoutMs;
    const until = performance.now() + timeoutMs;
    for (;;) {
      try {
        return await this.#window.run('', () => this.#ask(method, params, { attachment, timeoutMs }));
      } catch (error) {
        const waitMs = retryAfterMs(error);
        if (waitMs === undefined || performance.now() + waitMs > until) throw error;
        await delay(waitMs, undefined, { ref: false }); // The connection keeps the process, as long as it is there.
      }
    }
  }

  async #ask<M extends MethodName>(
    method: M,
    params: Params<M>,
    { attachment, timeoutMs }: Required<CallOptions>,
  ): Promise<{ result: Result<M>; attachment: Uint8Array }> {
    const { message, nonce } = await signRequest(this.#identity, { method, params, node: this.node, attachment });
    const reply = await this.#exchange(nonce, packMessage(message), timeoutMs);
    const parsed = METHODS[method].result.safeParse(reply.result);
    if (!parsed.success) {
      throw new PeerError('BAD_REPLY', `expected a result of ${method}, got another shape`, { cause: parsed.error });
    }
    return { result: parsed.data as Result<M>, attachment: reply.attachment };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.close();
    await closed;
  }

  async #exchange(nonce: string, bytes: Buffer, timeoutMs: number): Promise<Reply> {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      throw new PeerError('CLOSED', `connection to ${this.way} was closed`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const timer = setTimeout(() => {
      reject(new PeerError('TIMEOUT', `expected an answer of ${this.way} within ${timeoutMs / 1000} s, got none`));
    }, timeoutMs);
    this.#waiting.set(nonce, { resolve, reject });
    try {
      this.#socket.send(bytes);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(nonce);
    }
  }

  async #receive(data: RawData): Promise<void> {
    try {
      const { re, outcome } = await verifyReply(unpackMessage(toBuffer(data)), this.node);
      const waiting = this.#waiting.get(re);
      if (outcome instanceof Error) waiting?.reject(outcome);
      else waiting?.resolve(outcome);
    } catch (error) {
      this.#fail(
        error instanceof PeerError
          ? error
          : new PeerError('BAD_REPLY', 'expected a reply, got something else', { cause: error }),
      );
      this.#socket.terminate();
    }
  }

  /** With the node's own words, if it gave any. */
  #closed(code: number, reason: Buffer): PeerError {
    const why = reason.length === 0 ? '' : `: ${reason.toString()}`;
    return new PeerError('CLOSED', `connection to ${this.way} was closed${why}`, { details: { code } });
  }

  #fail(error: PeerError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** What a node says that was asked too often; it may say nothing that makes us wait without end, or not at all. */
function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof RequestError) || error.code !== 'BUSY') return undefined;
  const { retryAfterMs: ms } = error.details;
  return typeof ms === 'number' && ms > 0 ? Math.max(1, ms) : undefined;
}

interface Opened {
  readonly socket: WebSocket;
  readonly key: KeyId;
}

async function openWay(
  address: Way,
  { node, deadline, signal }: { node: KeyId | undefined; deadline: number; signal: AbortSignal },
): Promise<Opened> {
  const connectTimeoutMs = Math.max(1, deadline - performance.now());
  return await openPinnedSocket({
    address,
    key: node,
    maxPayloadBytes: LIMITS.messageBytes,
    connectTimeoutMs,
    signal,
  });
}

/** `ws` hands over a Buffer, an ArrayBuffer or fragments, as its `binaryType` says. */
export function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
