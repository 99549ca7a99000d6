/** What a vessel may have missed at once: as many as it keeps. */
const KEPT_NUMBERS = 200;

/** The times at which one process was stopped, until it has been told of them. */
export class StopList {
  #since: number | undefined;
  #untold: number[] = [];
  #heldMs = 0;

  /** It was stopped now. */
  begin(): void {
    this.#since = monotonicMs();
  }

  /** It goes on now. */
  end(): void {
    if (this.#since === undefined) return;
    this.#add(this.#since, monotonicMs() - this.#since);
    this.#since = undefined;
  }

  /** The kernel has held it for so long in all, in pieces that it does not tell apart: told as one stop that ends now. */
  held(totalMs: number): void {
    const more = totalMs - this.#heldMs;
    this.#heldMs = totalMs;
    if (more > 0) this.#add(monotonicMs() - more, more);
  }

  /** Hands over what there is; what `tell` cannot take now it is offered again. */
  offer(tell: (stops: readonly number[]) => boolean): void {
    if (this.#untold.length > 0 && tell(this.#untold)) this.#untold = [];
  }

  #add(sinceMs: number, forMs: number): void {
    this.#untold.push(sinceMs, forMs);
    if (this.#untold.length > KEPT_NUMBERS) this.#untold = this.#untold.slice(-KEPT_NUMBERS);
  }
}

const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;
