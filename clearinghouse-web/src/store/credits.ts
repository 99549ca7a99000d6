/** Why credits were given or taken. */
export type LedgerReason =
  | 'registration'
  | 'policy'
  | 'donation'
  | 'donation-away'
  | 'donation-policy'
  | 'acquire'
  | 'hand-back'
  | 'release'
  | 'expire'
  | 'stop'
  | 'vessel-gone';

/** What each account was given and has used, one line a change; lines are only ever added. */
export interface LedgerTable {
  account_id: string;
  /** From 1 on, of each account. */
  number: number;
  at: number;
  amount: number;
  /** The sum of all amounts up to this one. */
  balance: number;
  why: LedgerReason;
  /** The vessel (`NODEID:v1`) or node that it is about. */
  subject: string | null;
}

/** One row, with `id` 1. */
interface PolicyTable {
  id: number;
  text: string;
}

export interface CreditTables {
  ledger: LedgerTable;
  policy: PolicyTable;
}
