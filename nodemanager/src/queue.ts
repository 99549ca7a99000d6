import { RequestError } from '@potluck/protocol';

/** Runs tasks one after another, in the order of their coming. */
export class TaskQueue {
  readonly #limit: number;
  #tail: Promise<void> = Promise.resolve();
  #length = 0;
  #closed = false;

  /** @param limit tasks that run or wait at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What comes from now on is refused. @returns when all that came before is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail;
  }

  /** Takes tasks again. */
  open(): void {
    this.#closed = false;
  }

  /** @throws RequestError BUSY, and whatever the task throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed)
      throw new RequestError('BUSY', 'expected a vessel that stays as it is, got one that is stopped, split or joined');
    if (this.#length >= this.#limit) {
      throw new RequestError('BUSY', `expected at most ${this.#limit} requests under way for the vessel, got one more`);
    }
    this.#length += 1;
    const result = this.#tail.then(task);
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await result;
    } finally {
      this.#length -= 1;
    }
  }
}
