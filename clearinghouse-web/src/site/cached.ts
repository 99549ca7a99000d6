import type { Store } from '../store/store.ts';

/** An answer for everybody, made at most once in a while however many ask: those who come together share one. */
class Cached<T> {
  readonly #make: () => Promise<T>;
  readonly #forMs: number;
  #made: Promise<T> | undefined;
  #until = 0;

  constructor(forMs: number, make: () => Promise<T>) {
    this.#forMs = forMs;
    this.#make = make;
  }

  /** What was made last, if it is young enough; a failure is not kept. */
  async get(now = performance.now()): Promise<T> {
    if (this.#made !== undefined && now < this.#until) return await this.#made;
    const made = this.#make();
    this.#made = made;
    this.#until = now + this.#forMs;
    made.catch(() => {
      if (this.#made === made) this.#made = undefined;
    });
    return await made;
  }
}

/** The same for each store of its own: tests have several in one process. */
export function perStore<T>(forMs: number, make: (store: Store) => Promise<T>): (store: Store) => Promise<T> {
  const all = new WeakMap<Store, Cached<T>>();
  return async (store) => {
    const cached = all.get(store) ?? new Cached(forMs, async () => await make(store));
    all.set(store, cached);
    return await cached.get();
  };
}
