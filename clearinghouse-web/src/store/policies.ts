import type { Policy } from '../policy.ts';
import { type Database, transact } from './database.ts';
import { post, settleDonations } from './ledger.ts';
import { policyOf } from './policy.ts';

export class Policies {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async current(): Promise<Required<Policy>> {
    return await policyOf(this.#db);
  }

  /**
   * From now on this one: everybody's credits are made what it says. Leases that are there keep their ends, and an
   * account whose port is out of its range is given another at its next acquisition from empty hands.
   */
  async adopt(policy: Policy): Promise<void> {
    await transact(this.#db, async (trx) => {
      const text = JSON.stringify(policy);
      await trx
        .insertInto('policy')
        .values({ id: 1, text })
        .onConflict((oc) => oc.column('id').doUpdateSet({ text }))
        .execute();
      const given = await trx
        .selectFrom('ledger')
        .select(['account_id', (eb) => eb.fn.sum<number>('amount').as('sum')])
        .where('why', 'in', ['registration', 'policy'])
        .groupBy('account_id')
        .execute();
      const changes = given.flatMap(({ account_id: accountId, sum }) => {
        const amount = policy.freeCredits - Number(sum);
        return amount === 0 ? [] : [{ accountId, amount, why: 'policy' as const }];
      });
      await post(trx, changes);
      await settleDonations(trx);
      await trx
        .updateTable('accounts')
        .set({ user_port: null })
        .where((eb) => eb.or([eb('user_port', '<', policy.firstUserPort), eb('user_port', '>', policy.lastUserPort)]))
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('vessels')
            .select('account_id')
            .where('account_id', 'is not', null)
            .$castTo<{ account_id: string }>(),
        )
        .execute();
    });
  }
}
