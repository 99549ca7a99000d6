export interface ByteBudgetInit {
  readonly limitBytes: number;
  /** Of it, for one address. */
  readonly perAddressBytes: number;
}

/** One who holds bytes of a message that is not complete. */
export interface Holder {
  readonly address: string;
  /** Ends it; what it held of that message is released when this returns. */
  giveWay(): void;
}

interface Share {
  bytes: number;
  /** Who can be ended for others, the newest last. */
  readonly holders: Set<Holder>;
}

/**
 * A bound on the bytes that all connections together hold in memory, of which no address may take all. When there are too
 * many, the address that holds most gives way to one that holds less.
 */
export class ByteBudget {
  readonly #init: ByteBudgetInit;
  readonly #byAddress = new Map<string, Share>();
  #held = 0;

  constructor(init: ByteBudgetInit) {
    this.#init = init;
  }

  /** Of a message that comes in. @returns false, and holds nothing, when it would pass a limit. */
  hold(holder: Holder, bytes: number): boolean {
    const { limitBytes, perAddressBytes } = this.#init;
    const { address } = holder;
    const wanted = (this.#byAddress.get(address)?.bytes ?? 0) + bytes;
    if (wanted > perAddressBytes) return false;
    while (this.#held + bytes > limitBytes) if (!this.#makeRoom(wanted)) return false;
    this.charge(address, bytes);
    this.#byAddress.get(address)?.holders.add(holder);
    return true;
  }

  /** Counts what is there already, so that less is taken in until it is released. */
  charge(address: string, bytes: number): void {
    this.#held += bytes;
    const share = this.#byAddress.get(address) ?? { bytes: 0, holders: new Set() };
    share.bytes += bytes;
    this.#byAddress.set(address, share);
  }

  /** The message is complete, or will never be. */
  settle(holder: Holder): void {
    this.#byAddress.get(holder.address)?.holders.delete(holder);
  }

  release(address: string, bytes: number): void {
    this.#held -= bytes;
    const share = this.#byAddress.get(address);
    if (share === undefined) return;
    share.bytes -= bytes;
    if (share.bytes <= 0) this.#byAddress.delete(address);
  }

  /** @param wanted what the address that asks would hold. @returns whether an address that holds more gave way */
  #makeRoom(wanted: number): boolean {
    let most: Share | undefined;
    for (const share of this.#byAddress.values()) {
      if (share.holders.size > 0 && share.bytes > (most?.bytes ?? wanted)) most = share;
    }
    const newest = [...(most?.holders ?? [])].at(-1);
    if (newest === undefined) return false;
    most?.holders.delete(newest);
    newest.giveWay();
    return true;
  }
}
