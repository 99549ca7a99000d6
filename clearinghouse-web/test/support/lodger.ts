import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Api, type ApiAnswer, type VesselView } from './api.ts';

/** What all users hold by what they were told: a vessel is written down when it was given, and struck before it is released. */
export class Book {
  readonly #holders = new Map<string, string>();

  give(handle: string, to: string): void {
    assert.equal(this.#holders.get(handle), undefined, `${handle} was given to ${to}`);
    this.#holders.set(handle, to);
  }

  takeBack(handle: string): void {
    this.#holders.delete(handle);
  }
}

/** Somebody who acquires and releases without end, and asks again whenever the site was gone before it answered. */
export class Lodger {
  readonly name: string;
  readonly api: Api;
  readonly #book: Book;
  readonly #held = new Set<string>();
  /** What it has brought to an end, well or not. */
  ended = 0;
  acquired = 0;

  constructor(url: string, name: string, book: Book) {
    this.name = name;
    this.api = new Api(url);
    this.#book = book;
  }

  /** @param look checks what was given. */
  async live(signal: AbortSignal, look: (vessel: VesselView) => void): Promise<void> {
    while (!signal.aborted) {
      await this.#acquire(randomInt(1, 4), look);
      if (randomInt(3) > 0) await this.#release([...this.#held].slice(0, randomInt(1, 6)));
    }
    await this.#release([...this.#held]);
  }

  async #acquire(count: number, look: (vessel: VesselView) => void): Promise<void> {
    const wanted = { count, type: 'random', idempotencyKey: randomUUID() };
    const answer = await this.#ask('/vessels/acquire', wanted);
    this.ended += 1;
    if (answer.status !== 201) {
      assert.match(answer.body.code, /^(NOT_ENOUGH_CREDITS|UNABLE_TO_ACQUIRE)$/, answer.text);
      await this.#release([...this.#held]);
      return;
    }
    this.acquired += 1;
    assert.equal(answer.body.vessels.length, count);
    for (const vessel of answer.body.vessels) {
      this.#book.give(vessel.handle, this.name);
      this.#held.add(vessel.handle);
      look(vessel);
    }
  }

  async #release(handles: readonly string[]): Promise<void> {
    if (handles.length === 0) return;
    for (const handle of handles) this.#book.takeBack(handle);
    const answer = await this.#ask('/vessels/release', { handles });
    // Asked again after an answer that was lost, they are released already.
    assert.ok(answer.status === 200 || answer.body.code === 'NO_SUCH_VESSEL', answer.text);
    for (const handle of handles) this.#held.delete(handle);
    this.ended += 1;
  }

  /** Until there is an answer to it that does not only say to ask again. */
  async #ask(path: string, body: object): Promise<ApiAnswer> {
    for (;;) {
      const answer = await this.api.post(path, body).catch(() => undefined);
      if (answer !== undefined && answer.status < 500 && answer.body.code !== 'IN_PROGRESS' && answer.status !== 429)
        return answer;
      await delay(100);
    }
  }
}
