/** Runs tasks one after another, in the order of their coming; one that fails does not keep the next from running. */
export class Lane {
  #tail: Promise<unknown> = Promise.resolve();
  #length = 0;

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#length === 0;
  }

  /** @returns what the task gives. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#length += 1;
    const result = this.#tail.then(task);
    const done = () => {
      this.#length -= 1;
    };
    this.#tail = result.then(done, done);
    return result;
  }

  /** Resolves when all that came before is done. */
  async settled(): Promise<void> {
    await this.#tail;
  }
}
