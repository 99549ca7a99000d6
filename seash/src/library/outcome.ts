import type { Failure } from '../bulk.ts';
import { CommandError } from '../errors.ts';
import type { Vessels } from './vessels.ts';

/** What one vessel answered, with its number and its name. */
export type Result<T> = { readonly id: string; readonly name: string } & T;

/** What many vessels answered: those for which it went well, and the others by reason. */
export class Outcome<T> implements Iterable<Result<T>> {
  /** What each vessel answered for which it went well. */
  readonly results: readonly Result<T>[];
  /** Why it did not for the others, the most frequent reason first. */
  readonly failed: readonly Failure[];
  readonly good: Vessels;
  readonly bad: Vessels;

  constructor(of: Vessels, { vessels, failed }: { vessels: readonly Result<T>[]; failed: readonly Failure[] }) {
    const ids = new Set(vessels.map(({ id }) => id));
    this.results = vessels;
    this.failed = failed;
    this.good = of.filter(({ id }) => ids.has(id));
    this.bad = of.filter(({ id }) => !ids.has(id));
  }

  get ok(): boolean {
    return this.failed.length === 0;
  }

  /** For programs that need all or nothing. @throws CommandError SOME_FAILED; `details.failed` says which, and why */
  orThrow(): this {
    const [first] = this.failed;
    if (first === undefined) return this;
    const { length } = this.failed.flatMap(({ affected }) => affected);
    throw new CommandError('SOME_FAILED', `expected all to go well, got ${length} failed: ${first.message}`, {
      details: { failed: this.failed },
    });
  }

  [Symbol.iterator](): Iterator<Result<T>> {
    return this.results[Symbol.iterator]();
  }
}
