import { type Outcome, signRequest, verifyReply } from './envelope.ts';
import { PeerError, RequestError } from './errors.ts';
import type { KeyId, Signer } from './keys.ts';
import { LIMITS } from './limits.ts';
import { packMessage, unpackMessage } from './message.ts';
import { METHODS, type MethodName, type Params, type Result } from './methods.ts';
import { patiently } from './patience.ts';
import { FairQueue } from './queue.ts';
import { type Reply, ReplyRow } from './row.ts';
import type { VesselName } from './vessel.ts';

/** What carries messages to a node and back, in their order. */
export interface Wire {
  readonly isOpen: boolean;
  /** Called once, before anything else. */
  listen(listener: WireListener): void;
  send(bytes: Uint8Array): void;
  /** With true nothing more should come until it is called with false. */
  hold(on: boolean): void;
  /** @returns when it is closed. */
  close(): Promise<void>;
  /** At once, without a farewell. */
  terminate(): void;
}

export interface WireListener {
  message(bytes: Uint8Array): void;
  /** `closed` follows. */
  failed(cause: Error): void;
  closed(code: number, reason: string): void;
}

export interface RequestClientInit {
  readonly signer: Signer;
  /** The node's key: it must have signed every reply. */
  readonly node: KeyId;
  /** Names the connection in messages. */
  readonly way: string;
}

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

/** A connection to a node manager, whatever carries it; as many requests as it takes are under way on it at once, the others wait here. */
export class RequestClient implements AsyncDisposable {
  readonly node: KeyId;
  /** `wayText` of the way that won. */
  readonly way: string;
  readonly #signer: Signer;
  readonly #wire: Wire;
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

  constructor(wire: Wire, { signer, node, way }: RequestClientInit) {
    this.node = node;
    this.way = way;
    this.#signer = signer;
    this.#wire = wire;
    wire.listen({
      message: (bytes) => {
        this.#hold(true); // Nothing more is taken until this one is looked at, however fast the node sends.
        this.#looked = this.#looked.then(async () => await this.#receive(bytes)).finally(() => this.#hold(false));
      },
      failed: (cause) => this.#fail(new PeerError('CLOSED', `connection to ${this.way} broke`, { cause })),
      closed: (code, reason) => {
        this.#looked = this.#looked.then(() => this.#fail(this.#closed(code, reason))); // Behind what has come.
      },
    });
  }

  /** Whether it makes sense to ask. */
  get isOpen(): boolean {
    return this.#wire.isOpen;
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
    const { message, nonce } = await signRequest(this.#signer, { method, params, node: this.node, attachment });
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
    const { message, nonce } = await signRequest(this.#signer, { method: 'ReadVesselLog', params, node: this.node });
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
    await this.#wire.close();
  }

  async #exchange(nonce: string, bytes: Uint8Array, timeoutMs: number): Promise<Reply> {
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

  #send(bytes: Uint8Array): void {
    if (!this.#wire.isOpen) throw new PeerError('CLOSED', `connection to ${this.way} was closed`);
    this.#wire.send(bytes);
  }

  #hold(on: boolean): void {
    this.#held += on ? 1 : -1;
    this.#wire.hold(this.#held > 0);
  }

  async #receive(bytes: Uint8Array): Promise<void> {
    try {
      const { re, ...reply } = await verifyReply(unpackMessage(bytes), this.node);
      this.#waiting.get(re)?.take(reply);
    } catch (error) {
      this.#fail(
        error instanceof PeerError
          ? error
          : new PeerError('BAD_REPLY', 'expected a reply, got something else', { cause: error }),
      );
      this.#wire.terminate();
    }
  }

  /** With the node's own words, if it gave any. */
  #closed(code: number, reason: string): PeerError {
    const why = reason === '' ? '' : `: ${reason}`;
    return new PeerError('CLOSED', `connection to ${this.way} was closed${why}`, { details: { code } });
  }

  #fail(error: PeerError): void {
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}

/** @throws PeerError BAD_REPLY */
function resultOf<M extends MethodName>(method: M, result: unknown): Result<M> {
  const parsed = METHODS[method].result.safeParse(result);
  if (parsed.success) return parsed.data as Result<M>;
  throw new PeerError('BAD_REPLY', `expected a result of ${method}, got another shape`, { cause: parsed.error });
}
