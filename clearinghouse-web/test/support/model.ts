import { POLICY } from '../../src/limits.ts';

interface Held {
  readonly holder: number;
  readonly attempt: string;
  leased: boolean;
  until: number;
}

/** What must be so, in the plainest words: no database, no index, no ledger. */
export class Model {
  readonly held = new Map<string, Held>();
  readonly up = new Set<number>();
  readonly donated = new Set<number>();
  /** Every fence that a vessel ever had. */
  readonly fences = new Map<string, number>();
  free: number = POLICY.freeCredits;
  each: number = POLICY.creditsPerDonation;
  now = 0;

  used(holder: number): number {
    return [...this.held.values()].filter((one) => one.holder === holder).length;
  }

  /** The first user donates all nodes. */
  total(holder: number): number {
    return this.free + (holder === 0 ? this.each * [...this.donated].filter((one) => this.up.has(one)).length : 0);
  }
}
