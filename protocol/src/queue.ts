import { RequestError } from './errors.ts';

export interface FairQueueInit {
  /** Tasks that run at once. */
  readonly atOnce: number;
  /** Tasks of one caller that run or wait at once. */
  readonly perCaller: number;
  /** What they are, for the refusal: `requests of one key under way for the vessel`. */
  readonly of: string;
}

interface Line {
  readonly waiting: (() => void)[];
  /** Tasks that run or wait. */
  count: number;
  /** The round in which its next task runs. */
  round: number;
}

/**
 * Runs tasks in rounds, in each at most one of every caller, and those of one caller in the order of their coming: who
 * sends many delays others by one of his at a time.
 */
export class FairQueue {
  readonly #init: FairQueueInit;
  /** By caller; one without tasks stays until the round after its last task has begun. */
  readonly #lines = new Map<string, Line>();
  #round = 0;
  #running = 0;
  #count = 0;
  #closed = false;
  #onEmpty: (() => void) | undefined;

  constructor(init: FairQueueInit) {
    this.#init = init;
  }

  /** What comes from now on is refused. @returns when all that came before is done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#count === 0) return;
    const before = this.#onEmpty;
    await new Promise<void>((resolve) => {
      this.#onEmpty = () => {
        before?.();
        resolve();
      };
    });
  }

  /** Takes tasks again. */
  open(): void {
    this.#closed = false;
  }

  /** @throws RequestError BUSY, and whatever the task throws. */
  async run<T>(caller: string, task: () => Promise<T>): Promise<T> {
    const line = this.#enter(caller);
    if (this.#running < this.#init.atOnce) this.#begin(line);
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.#running -= 1;
      line.count -= 1;
      this.#count -= 1;
      this.#go();
    }
  }

  #enter(caller: string): Line {
    const { perCaller, of } = this.#init;
    if (this.#closed)
      throw new RequestError('BUSY', `expected no ${of}, got one: it is being stopped, split or joined`);
    const line = this.#lines.get(caller) ?? { waiting: [], count: 0, round: this.#round };
    if (line.count >= perCaller) throw new RequestError('BUSY', `expected at most ${perCaller} ${of}, got one more`);
    line.round = Math.max(line.round, this.#round);
    line.count += 1;
    this.#count += 1;
    this.#lines.set(caller, line);
    return line;
  }

  /** The line whose turn it is; of those of one round, the one that came first. */
  #next(): Line | undefined {
    let next: Line | undefined;
    for (const line of this.#lines.values()) {
      if (line.waiting.length > 0 && (next === undefined || line.round < next.round)) next = line;
    }
    return next;
  }

  #begin(line: Line): void {
    this.#running += 1;
    if (line.round > this.#round) {
      this.#round = line.round;
      for (const [caller, { count, round }] of this.#lines) {
        if (count === 0 && round <= this.#round) this.#lines.delete(caller);
      }
    }
    line.round = this.#round + 1;
  }

  #go(): void {
    const next = this.#next();
    if (next === undefined) {
      if (this.#count > 0) return;
      this.#onEmpty?.();
      this.#onEmpty = undefined;
      return;
    }
    this.#begin(next);
    next.waiting.shift()?.();
  }
}
