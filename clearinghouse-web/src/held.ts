/** A connection for which bytes are held in memory. */
export interface Holder {
  readonly account: string;
  /** Ends it, since too much is held for it or for all. */
  cut(): void;
}

export interface HeldLimits {
  readonly heldConnectionBytes: number;
  readonly heldAccountBytes: number;
  readonly heldBytes: number;
}

/**
 * What is held in memory for connections: of messages that are not complete yet, and of those that wait to be sent on.
 * Where it is too much, the connection ends for which most is held, of the account for which most is held.
 */
export class Held {
  readonly #limits: HeldLimits;
  readonly #accounts = new Map<string, Map<Holder, number>>();
  #all = 0;

  constructor(limits: HeldLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#all;
  }

  /** @param bytes more than before; negative when they have gone. */
  add(holder: Holder, bytes: number): void {
    const own = this.#accounts.get(holder.account) ?? new Map<Holder, number>();
    const now = (own.get(holder) ?? 0) + bytes;
    own.set(holder, now);
    this.#accounts.set(holder.account, own);
    this.#all += bytes;
    if (bytes <= 0) return;
    const { heldConnectionBytes, heldAccountBytes, heldBytes } = this.#limits;
    if (now > heldConnectionBytes) this.#cut(holder);
    else if (sumOf(own) > heldAccountBytes) this.#cut(greatest(own));
    else if (this.#all > heldBytes) this.#cut(greatest(this.#greediest()));
  }

  /** The connection has ended, and all that was held for it is gone. */
  forget(holder: Holder): void {
    const own = this.#accounts.get(holder.account);
    this.#all -= own?.get(holder) ?? 0;
    own?.delete(holder);
    if (own?.size === 0) this.#accounts.delete(holder.account);
  }

  #cut(holder: Holder | undefined): void {
    if (holder === undefined) return;
    this.forget(holder);
    holder.cut();
  }

  #greediest(): Map<Holder, number> {
    return [...this.#accounts.values()].reduce((a, b) => (sumOf(b) > sumOf(a) ? b : a), new Map<Holder, number>());
  }
}

function sumOf(held: ReadonlyMap<Holder, number>): number {
  return [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function greatest(held: ReadonlyMap<Holder, number>): Holder | undefined {
  return [...held].reduce<[Holder | undefined, number]>((a, b) => (b[1] > a[1] ? b : a), [undefined, -1])[0];
}
