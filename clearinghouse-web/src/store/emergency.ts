import { PortalError } from '../errors.ts';
import { type Actor, record } from './audit.ts';
import { type Database, type Trx, transact } from './database.ts';
import { endLeases } from './ending.ts';
import { mustBeOpen } from './open.ts';
import type { Tasks } from './tasks.ts';

/** Everything is stopped: since when, by whom and why. */
export interface Stopped {
  readonly since: number;
  readonly actor: Actor;
  readonly reason: string;
}

/**
 * The emergency stop. Leases stay and so do files, but no key can use a vessel and no program runs, until it is lifted:
 * then each vessel is its holder's again, and he starts his programs himself.
 */
export class Emergency {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  async state(): Promise<Stopped | undefined> {
    return await stopped(this.#db);
  }

  /** @returns how many vessels are being stopped; stopping twice is stopping once. */
  async stop(actor: Actor, reason: string): Promise<number> {
    return await transact(this.#db, async (trx) => {
      await trx
        .insertInto('switches')
        .values({ name: 'emergency-stop', since: Date.now(), actor, reason })
        .onConflict((oc) => oc.column('name').doNothing())
        .execute();
      await record(trx, { actor, action: 'site.emergency-stop', subject: 'site', details: { reason } });
      // What is being handed over just now goes to nobody.
      await endLeases(trx, this.#tasks, (eb) => eb('state', '=', 'reserved'));
      return await this.#sync(trx, actor, 'vessel.stop');
    });
  }

  /** @returns how many vessels are given back to their holders. */
  async lift(actor: Actor): Promise<number> {
    return await transact(this.#db, async (trx) => {
      const lifted = await trx.deleteFrom('switches').where('name', '=', 'emergency-stop').executeTakeFirst();
      if (lifted.numDeletedRows === 0n) return 0;
      await record(trx, { actor, action: 'site.lift-stop', subject: 'site' });
      return await this.#sync(trx, actor, 'vessel.give-back');
    });
  }

  /** How many vessels are not yet as they should be: their nodes are away or slow. */
  async left(): Promise<number> {
    const row = await this.#db
      .selectFrom('tasks')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('kind', '=', 'rekey-vessel')
      .where('state', 'in', ['waiting', 'claimed'])
      .executeTakeFirstOrThrow();
    return Number(row.n);
  }

  async #sync(trx: Trx, actor: Actor, action: 'vessel.stop' | 'vessel.give-back'): Promise<number> {
    const leased = await trx
      .selectFrom('vessels')
      .select(['node_id as node', 'name', 'fence', 'account_id as holder'])
      .where('state', '=', 'leased')
      .execute();
    for (const { node, name, fence, holder } of leased) {
      const subject = `vessel:${node}:${name}`;
      await this.#tasks.add(trx, { kind: 'rekey-vessel', subject, node, payload: { node, vessel: name, fence } });
      await record(trx, { actor, action, subject: `${node}:${name}`, details: { holder } });
    }
    return leased.length;
  }
}

/** Whether an account may be given anything at all now. @throws PortalError STOPPED, BANNED, NO_SUCH_ACCOUNT */
export async function checkPermitted(trx: Trx, accountId: string): Promise<void> {
  const stop = await stopped(trx);
  if (stop !== undefined) {
    const message = `expected a site that gives vessels, but everything is stopped since ${new Date(stop.since).toISOString()}: ${stop.reason}`;
    throw new PortalError('STOPPED', message);
  }
  await mustBeOpen(trx, accountId);
  const banned = trx.selectFrom('accounts').select('id').where('id', '=', accountId).where('banned_at', 'is not', null);
  if ((await banned.executeTakeFirst()) === undefined) return;
  throw new PortalError('BANNED', 'expected an account that is not suspended, got one that is');
}

async function stopped(db: Database | Trx): Promise<Stopped | undefined> {
  return await db
    .selectFrom('switches')
    .select(['since', 'actor', 'reason'])
    .where('name', '=', 'emergency-stop')
    .executeTakeFirst();
}
