/** As many as Seattle kept. */
const KEPT = 100;
const STEPS_PER_SECOND = 1000;

/** @returns milliseconds of the machine's monotonic clock, which the node manager reads too. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** When the process was stopped to hold its share of the processor, as the node manager tells it. */
export class Stops {
  #startMs = monotonicMs();
  #list: [time: number, seconds: number][] = [];

  /** The program begins now. */
  begin(): void {
    this.#startMs = monotonicMs();
  }

  /** @param told pairs: when, in milliseconds of the monotonic clock, and for how many milliseconds. */
  add(told: readonly number[]): void {
    for (let at = 0; at + 1 < told.length; at += 2) {
      const time = ((told[at] ?? 0) - this.#startMs) / 1000;
      this.#list.push([coarse(Math.max(0, time)), coarse((told[at + 1] ?? 0) / 1000)]);
    }
    this.#list = this.#list.slice(-KEPT);
  }

  /** The last hundred: seconds since the program began, and for how many seconds. */
  get list(): readonly (readonly [time: number, seconds: number])[] {
    return this.#list;
  }
}

const coarse = (seconds: number): number => Math.round(seconds * STEPS_PER_SECOND) / STEPS_PER_SECOND;
