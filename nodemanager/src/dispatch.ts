import { randomBytes } from 'node:crypto';
import {
  describeIssues,
  type Identity,
  isMethodName,
  type KeyId,
  METHODS,
  type Message,
  type MethodName,
  type Params,
  type ReplayStore,
  type Reply,
  type RequestCode,
  RequestError,
  signReply,
  type VerifiedRequest,
  verifyRequest,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import { diskFull, isDiskFull } from './errors.ts';
import type { Answer, Call, Handlers } from './handlers.ts';
import type { Metrics } from './metrics.ts';
import type { Rows } from './rows.ts';
import type { Vessel } from './vessel.ts';
import type { Vessels } from './vessels.ts';

export interface DispatcherComponents {
  readonly identity: Identity;
  readonly replays: ReplayStore;
  readonly vessels: Vessels;
  readonly handlers: Handlers;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Over what a request came. */
export interface Caller {
  /** Of the connection. */
  readonly rows: Rows;
  /** The address, as `homeOf` tells callers apart. */
  readonly home: string;
}

/** Carries out signed requests by the method table. */
export class Dispatcher {
  readonly #components: DispatcherComponents;

  constructor(components: DispatcherComponents) {
    this.#components = components;
  }

  /** @throws RequestError BAD_SIGNATURE, BAD_MESSAGE, WRONG_NODE, EXPIRED, BAD_ATTACHMENT */
  async check(message: Message): Promise<VerifiedRequest> {
    const { identity, replays } = this.#components;
    return await verifyRequest(message, { node: identity.id, replays, nowSeconds: Date.now() / 1000 });
  }

  /** Whether the key has a vessel here. */
  knows(key: KeyId): boolean {
    return this.#components.vessels.knows(key);
  }

  /**
   * The signed reply to a request that was checked; a row of them where a log is followed. Never throws for anything in
   * the request.
   */
  async *answer(request: VerifiedRequest, caller: Caller): AsyncGenerator<Message, void, undefined> {
    const { identity, metrics } = this.#components;
    const beganMs = performance.now();
    const count = (word: 'ok' | RequestCode): void =>
      metrics.countRequest(request.method, word, performance.now() - beganMs);
    let number = 0;
    try {
      for await (const { more, ...outcome } of this.#replies(request, caller)) {
        const place = more === undefined ? undefined : { number, more };
        if (number === 0) count('ok');
        yield await signReply(identity, request.nonce, { outcome, place });
        number += 1;
      }
    } catch (error) {
      const place = number === 0 ? undefined : { number, more: false };
      const outcome = this.#refusal(error);
      if (number === 0) count(outcome.code);
      yield await signReply(identity, request.nonce, { outcome, place });
    }
  }

  /** @returns the signed refusal of a message that was not carried out. */
  async refuse(nonce: string, error: unknown): Promise<Message> {
    const refusal = this.#refusal(error);
    this.#components.metrics.countRefusal(refusal.code);
    return await signReply(this.#components.identity, nonce, { outcome: refusal });
  }

  async *#replies(
    request: VerifiedRequest,
    { rows, home }: Caller,
  ): AsyncGenerator<Reply & { more?: boolean }, void, undefined> {
    const { method } = request;
    if (!isMethodName(method)) {
      throw new RequestError('UNKNOWN_METHOD', `expected one of ${Object.keys(METHODS).join(', ')}, got "${method}"`);
    }
    const params = paramsOf(method, request.params);
    const { vessels } = this.#components;
    const vessel = 'vessel' in params ? vessels.get(params.vessel) : undefined;
    const named = [vessel, 'other' in params ? vessels.get(params.other) : undefined].filter(
      (one) => one !== undefined,
    );
    checkPermission(method, named, request);
    checkAttachment(method, request);
    // What anyone may ask changes nothing, so it may come again; a stranger's questions write nothing to the disk.
    if (METHODS[method].permission !== 'anyone') await request.claim();
    if ('follow' in params && vessel !== undefined) {
      checkPermission(method, named, request); // Again: the disk was waited for.
      using row = rows.open(request.nonce);
      using follower = vessel.follow({ signer: request.signer, from: params.from });
      yield* follower.replies(row.signal);
      return;
    }
    if ('leave' in params && params.leave !== undefined) rows.end(params.leave);
    const run = async (): Promise<Answer<MethodName>> => {
      checkPermission(method, named, request); // Again: it may have been taken away while the request waited.
      const { signer, attachment } = request;
      return await this.#handle(method, { params, signer, attachment, home });
    };
    // Strangers' questions change nothing, so they need not wait, and cannot keep the vessel's users waiting. What is the
    // owner's alone takes effect at once, so that he can end what his users wait for.
    const queued = vessel !== undefined && METHODS[method].permission === 'user';
    const isSecondStop = method === 'StopVessel' && vessel?.isStopping === true;
    const answer = queued && !isSecondStop ? await vessel.queue.run(request.signer, run) : await run();
    yield { result: answer.result, attachment: answer.attachment ?? new Uint8Array() };
  }

  async #handle<M extends MethodName>(method: M, call: Call<M>): Promise<Answer<M>> {
    return await this.#components.handlers[method](call);
  }

  #refusal(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    if (isDiskFull(error)) return diskFull(error);
    const id = randomBytes(6).toString('base64url');
    this.#components.log.error({ id, err: error }, 'a request failed unexpectedly');
    const message = `the node could not do it, and noted why in its log under ${id}`;
    return new RequestError('INTERNAL', message, { details: { id } });
  }
}

function paramsOf(method: MethodName, params: unknown): Params<MethodName> {
  const parsed = METHODS[method].params.safeParse(params);
  if (parsed.success) return parsed.data;
  const what = describeIssues(parsed.error.issues);
  throw new RequestError('BAD_PARAMETERS', `expected other parameters for ${method}: ${what}`);
}

function checkPermission(method: MethodName, vessels: readonly Vessel[], { signer }: VerifiedRequest): void {
  const { permission } = METHODS[method];
  const closed = vessels.find((vessel) => !vessel.permits(permission, signer));
  if (permission === 'anyone' || (closed === undefined && vessels.length > 0)) return;
  const who = permission === 'owner' ? 'the owner' : 'a user or the owner';
  throw new RequestError('NOT_PERMITTED', `expected ${who} of ${closed?.name} to ask for ${method}, got key ${signer}`);
}

function checkAttachment(method: MethodName, { attachment }: VerifiedRequest): void {
  if (attachment.byteLength === 0 || METHODS[method].attachment === 'request') return;
  throw new RequestError('BAD_ATTACHMENT', `expected ${method} without attached bytes, got ${attachment.byteLength}`);
}
