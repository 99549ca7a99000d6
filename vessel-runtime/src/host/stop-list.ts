/** What a vessel may have missed at once: as many as it keeps. */
const KEPT_NUMBERS = 200;

/** The times at which one process was stopped, until it has been told of them. */
export class StopList {
  #since: number | undefined;
  #untold: number[] = [];

  /** It was stopped now. */
  begin(): void {
    this.#since = monotonicMs();
  }

  /** It goes on now. */
  end(): void {
    if (this.#since === undefined) return;
    this.#untold.push(this.#since, monotonicMs() - this.#since);
    if (this.#untold.length > KEPT_NUMBERS) this.#untold = this.#untold.slice(-KEPT_NUMBERS);
    this.#since = undefined;
  }

  /** Hands over what there is; what `tell` cannot take now it is offered again. */
  offer(tell: (stops: readonly number[]) => boolean): void {
    if (this.#untold.length > 0 && tell(this.#untold)) this.#untold = [];
  }
}

const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;
