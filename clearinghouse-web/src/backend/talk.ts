import type { KeyId, MethodName, NodeClient, Params, Result } from '@potluck/protocol';
import { QUEUE } from '../limits.ts';

/** How long a task has waited for its node and for nothing else, in milliseconds; what is asked at the same time counts once. */
export class Waited {
  #underWay = 0;
  #since = 0;
  #before = 0;

  get ms(): number {
    return this.#before + (this.#underWay > 0 ? performance.now() - this.#since : 0);
  }

  async on<T>(answer: Promise<T>): Promise<T> {
    if (this.#underWay === 0) this.#since = performance.now();
    this.#underWay += 1;
    try {
      return await answer;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#before += performance.now() - this.#since;
    }
  }
}

/** A connection to a node, as tasks have it: no request waits longer than `QUEUE.requestMs`, and it is known how long they did. */
export class Talk implements AsyncDisposable {
  readonly #client: NodeClient;
  readonly #waited: Waited;

  constructor(client: NodeClient, waited: Waited) {
    this.#client = client;
    this.#waited = waited;
  }

  get node(): KeyId {
    return this.#client.node;
  }

  /** @throws RequestError the node refused, with its code. @throws PeerError TIMEOUT, CLOSED, BAD_REPLY */
  async call<M extends MethodName>(
    method: M,
    params: Params<M>,
    timeoutMs: number = QUEUE.requestMs,
  ): Promise<Result<M>> {
    return (await this.#waited.on(this.#client.call(method, params, { timeoutMs }))).result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}
