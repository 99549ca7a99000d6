import type { RawData, WebSocket } from 'ws';
import { type Outcome, signRequest, verifyReply } from './envelope.ts';
import { PeerError, RequestError } from './errors.ts';
import type { Identity, KeyId } from './identity.ts';
import { LIMITS } from './limits.ts';
import { packMessage, unpackMessage } from './message.ts';
import { METHODS, type MethodName, type Params, type Result } from './methods.ts';
import { patiently } from './patience.ts';
import { openPinnedSocket } from './pinned-socket.ts';
import { FairQueue } from './queue.ts';
import { type Attempt, race } from './race.ts';
import { type Address, directly, isRelay, type Reach, type Way, waysOf, wayText } from './reach.ts';
import { openRelayed } from './relay.ts';
import { type Reply, ReplyRow } from './row.ts';
import type { VesselName } from './vessel.ts';

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

export interface FollowOptions {
  /** Where in the log to begin; with the oldest that is kept unless given. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The longest silence of the node. */
  readonly timeoutMs?: number;
}

/** Who waits for what comes under a nonce. */
interface Waiting {
  /** @throws PeerError BAD_REPLY: nothing on this connection can be trusted any more. */
  take(reply: Outcome): void;
  fail(error: Error): void;
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
  /** Rows of replies whose readers are behind. */
  #held = 0;
  /** Replies are looked at in their order. */
  #looked: Promise<void> = Promise.resolve();

  private constructor(identity: Identity, way: Way, { key, socket }: Opened) {
    this.node = key;
    this.way = wayText(way);
    this.#identity = identity;
    this.#socket = socket;
    socket.on('message', (data) => {
      this.#hold(true); // Nothing more is taken until this one is looked at, however fast the node sends.
      this.#looked = this.#looked.then(async () => await this.#receive(data)).finally(() => this.#hold(false));
    });
    socket.on('error', (cause) => this.#fail(new PeerError('CLOSED', `connection to ${this.way} broke`, { cause })));
    socket.on('close', (code, reason) => {
      this.#looked = this.#looked.then(() => this.#fail(this.#closed(code, reason))); // Behind what has come.
    });
  }

  /**
   * Tries the ways to the node in the order of `waysOf`, as happy eyeballs do; the first that proves the key wins.
   * @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY
   */
  static async connect(init: NodeClientInit): Promise<NodeClient> {
    const { identity, node, signal, connectTimeoutMs = LIMITS.connectTimeoutMs } = init;
    const known = 'reach' in init ? waysOf(init.reach, init.lastWay) : waysOf(directly(init.address));
    // A relay must be told whom to call.
    const ways = known.filter((way) => node !== undefined || !isRelay(way));
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
    const ask = async () => await this.#ask(method, params, { attachment, timeoutMs });
    return await patiently(timeoutMs, async () => await this.#window.run('', ask));
  }

  async #ask<M extends MethodName>(
    method: M,
    params: Params<M>,
    { attachment, timeoutMs }: Required<CallOptions>,
  ): Promise<{ result: Result<M>; attachment: Uint8Array }> {
    const { message, nonce } = await signRequest(this.#identity, { method, params, node: this.node, attachment });
    const reply = await this.#exchange(nonce, packMessage(message), timeoutMs);
    return { result: resultOf(method, reply.result), attachment: reply.attachment };
  }

  /**
   * A vessel's log as it is written: see `ReadVesselLog`. What is not read holds up the whole connection, so that it waits
   * with the node and not here. Whoever stops reading tells the node so.
   * @throws RequestError the node refused, or took the right away meanwhile. @throws PeerError TIMEOUT, CLOSED, BAD_REPLY
   */
  async *followLog(
    vessel: VesselName,
    { from, signal, timeoutMs = LIMITS.rowSilenceMs + LIMITS.replyTimeoutMs }: FollowOptions = {},
  ): AsyncGenerator<{ result: Result<'ReadVesselLog'>; attachment: Uint8Array }, void, undefined> {
    const params = { vessel, follow: true, ...(from !== undefined && { from }) } as const;
    const open = async () => await this.#openRow(params, { timeoutMs, signal });
    const { row, nonce } = await patiently(timeoutMs, async () => await this.#window.run('', open));
    try {
      for await (const { result, attachment } of row.read()) {
        yield { result: result as Result<'ReadVesselLog'>, attachment };
      }
    } finally {
      this.#waiting.delete(nonce);
      const leaving = { vessel, from: Number.MAX_SAFE_INTEGER, leave: nonce };
      if (!row.over || signal?.aborted) this.call('ReadVesselLog', leaving).catch(() => undefined);
    }
  }

  /** Returns with the first reply: until then it is a request like any other. */
  async #openRow(
    params: Params<'ReadVesselLog'>,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<{ row: ReplyRow; nonce: string }> {
    const { message, nonce } = await signRequest(this.#identity, { method: 'ReadVesselLog', params, node: this.node });
    const row = new ReplyRow({ silenceMs: timeoutMs, signal, hold: (on) => this.#hold(on) });
    const take = ({ place, outcome }: Outcome): void => {
      if (outcome instanceof RequestError) row.take(place, outcome);
      // Read now: what the schema does not know must not be kept until the reader comes.
      else row.take(place, { ...outcome, result: resultOf('ReadVesselLog', outcome.result) });
    };
    this.#waiting.set(nonce, { take, fail: (error) => row.fail(error) });
    try {
      this.#send(packMessage(message));
      await row.opened;
      return { row, nonce };
    } catch (error) {
      row.close();
      this.#waiting.delete(nonce);
      throw error;
    }
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
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const timer = setTimeout(() => {
      reject(new PeerError('TIMEOUT', `expected an answer of ${this.way} within ${timeoutMs / 1000} s, got none`));
    }, timeoutMs);
    this.#waiting.set(nonce, {
      take: ({ place, outcome }) => {
        if (place !== undefined)
          throw new PeerError('BAD_REPLY', `expected one reply, got number ${place.number} of a row`);
        if (outcome instanceof RequestError) reject(outcome);
        else resolve(outcome);
      },
      fail: reject,
    });
    try {
      this.#send(bytes);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(nonce);
    }
  }

  #send(bytes: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      throw new PeerError('CLOSED', `connection to ${this.way} was closed`);
    }
    this.#socket.send(bytes);
  }

  #hold(on: boolean): void {
    this.#held += on ? 1 : -1;
    if (this.#held > 0) this.#socket.pause();
    else this.#socket.resume();
  }

  async #receive(data: RawData): Promise<void> {
    try {
      const { re, ...reply } = await verifyReply(unpackMessage(toBuffer(data)), this.node);
      this.#waiting.get(re)?.take(reply);
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
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}

interface Opened {
  readonly socket: WebSocket;
  readonly key: KeyId;
}

async function openWay(
  way: Way,
  { node, deadline, signal }: { node: KeyId | undefined; deadline: number; signal: AbortSignal },
): Promise<Opened> {
  const connectTimeoutMs = Math.max(1, deadline - performance.now());
  const options = { maxPayloadBytes: LIMITS.messageBytes, connectTimeoutMs, signal };
  if (node !== undefined && isRelay(way)) return await openRelayed(way, { node, ...options });
  return await openPinnedSocket({ address: way, key: node, ...options });
}

/** @throws PeerError BAD_REPLY */
function resultOf<M extends MethodName>(method: M, result: unknown): Result<M> {
  const parsed = METHODS[method].result.safeParse(result);
  if (parsed.success) return parsed.data as Result<M>;
  throw new PeerError('BAD_REPLY', `expected a result of ${method}, got another shape`, { cause: parsed.error });
}

/** `ws` hands over a Buffer, an ArrayBuffer or fragments, as its `binaryType` says. */
export function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
