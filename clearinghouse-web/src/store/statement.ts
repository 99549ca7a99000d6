import type { Database } from './database.ts';
import type { LedgerEntry } from './ledger.ts';

/** What a ledger must always say, and what it says where it does not. */
export interface Fault {
  readonly account: string;
  readonly message: string;
}

/** The ledger of credits, to be read and to be checked. */
export class Ledger {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** An account's lines, the newest first. @param before the number of the last line of the page before. */
  async statement(accountId: string, { limit, before }: { limit: number; before?: number | undefined }) {
    const rows = await this.#db
      .selectFrom('ledger')
      .select(['number', 'at', 'amount', 'balance', 'why', 'subject'])
      .where('account_id', '=', accountId)
      .$if(before !== undefined, (query) => query.where('number', '<', before ?? 0))
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute();
    const entries: LedgerEntry[] = rows.slice(0, limit);
    return { entries, next: rows.length > limit ? entries.at(-1)?.number : undefined };
  }

  /** Adds up everybody's lines, and compares them with what is held and donated. @returns what does not fit; nothing. */
  async check(): Promise<Fault[]> {
    const sums = await this.#db
      .selectFrom('ledger')
      .select([
        'account_id',
        (eb) => eb.fn.sum<number>('amount').as('sum'),
        (eb) => eb.fn.countAll<number>().as('lines'),
      ])
      .select((eb) => [eb.fn.max('number').as('last')])
      .select((eb) => eb.fn.sum<number>('amount').filterWhere('why', 'in', ['registration', 'policy']).as('given'))
      .groupBy('account_id')
      .execute();
    const held = await this.#countBy(
      this.#db
        .selectFrom('vessels')
        .select(['account_id', (eb) => eb.fn.countAll<number>().as('n')])
        .groupBy('account_id'),
    );
    const donated = await this.#countBy(
      this.#db
        .selectFrom('donations')
        .select(['account_id', (eb) => eb.fn.sum<number>('credited').as('n')])
        .groupBy('account_id'),
    );
    const faults = sums.map(async ({ account_id: account, ...row }): Promise<Fault[]> => {
      const [last] = (await this.statement(account, { limit: 1 })).entries;
      const [sum, lines, balance] = [Number(row.sum), Number(row.lines), last?.balance];
      const due = Number(row.given ?? 0) + (donated.get(account) ?? 0) - (held.get(account) ?? 0);
      return [
        ...(lines === Number(row.last) ? [] : [{ account, message: `expected ${row.last} lines, got ${lines}` }]),
        ...(sum === balance ? [] : [{ account, message: `expected a balance of ${sum}, got ${balance}` }]),
        ...(sum === due ? [] : [{ account, message: `expected ${due} credits left by what is held, got ${sum}` }]),
      ];
    });
    return (await Promise.all(faults)).flat();
  }

  async #countBy(query: { execute(): Promise<{ account_id: string | null; n: number | string | null }[]> }) {
    const rows = await query.execute();
    return new Map(rows.map(({ account_id, n }) => [account_id, Number(n ?? 0)]));
  }
}
