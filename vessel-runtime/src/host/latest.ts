type Figures = Readonly<Record<string, number>>;

/**
 * Figures for a process that may never read. One frame of them is under way at most; what changes meanwhile is put
 * together, and each name keeps its last figure.
 */
export class Latest {
  readonly #send: (figures: Figures) => Promise<void>;
  #underWay = false;
  #untold: Record<string, number> | undefined;

  /** @param send resolves when the pipe has taken them, or is broken. */
  constructor(send: (figures: Figures) => Promise<void>) {
    this.#send = send;
  }

  tell(figures: Figures): void {
    if (this.#underWay) {
      this.#untold = { ...this.#untold, ...figures };
      return;
    }
    this.#underWay = true;
    void this.#send(figures).then(() => {
      const untold = this.#untold;
      this.#underWay = false;
      this.#untold = undefined;
      if (untold !== undefined) this.tell(untold);
    });
  }

  /** Something else carries newer figures now: older ones must not come after them. */
  include(figures: Figures | undefined): void {
    if (this.#untold !== undefined) this.#untold = { ...this.#untold, ...figures };
  }
}
