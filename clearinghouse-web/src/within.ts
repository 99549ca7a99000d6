/**
 * Waits no longer for it than that; what goes on after that is nobody's business any more.
 * @param late makes the error that says so.
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does it again and again, but not while it is still being done: what hangs for an hour must not be owed 3600 times. */
export class Repeated implements AsyncDisposable {
  readonly #timer: NodeJS.Timeout;
  #busy: Promise<void> | undefined;

  /** @param work throws nothing. */
  constructor(everyMs: number, work: () => Promise<void>) {
    this.#timer = setInterval(() => {
      this.#busy ??= work().finally(() => {
        this.#busy = undefined;
      });
    }, everyMs);
  }

  /** Ends with what is being done. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#busy;
  }
}
