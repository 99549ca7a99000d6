export interface ByteBudgetInit {
  readonly limitBytes: number;
  /** Of it, for one address. */
  readonly perAddressBytes: number;
}

/** A bound on the bytes that all connections together hold in memory, of which no address may take all. */
export class ByteBudget {
  readonly #init: ByteBudgetInit;
  readonly #byAddress = new Map<string, number>();
  #held = 0;

  constructor(init: ByteBudgetInit) {
    this.#init = init;
  }

  /** @returns false, and holds nothing, when it would pass a limit. */
  hold(address: string, bytes: number): boolean {
    const { limitBytes, perAddressBytes } = this.#init;
    if (this.#held + bytes > limitBytes || this.#of(address) + bytes > perAddressBytes) return false;
    this.charge(address, bytes);
    return true;
  }

  /** Counts what is there already, so that less is taken in until it is released. */
  charge(address: string, bytes: number): void {
    this.#held += bytes;
    this.#byAddress.set(address, this.#of(address) + bytes);
  }

  release(address: string, bytes: number): void {
    this.#held -= bytes;
    const left = this.#of(address) - bytes;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }

  #of(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }
}
