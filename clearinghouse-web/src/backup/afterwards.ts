import { record } from '../store/audit.ts';
import { type Database, transact } from '../store/database.ts';
import { endLeases } from '../store/ending.ts';
import { Tasks } from '../store/tasks.ts';

/**
 * A backup does not know what was done after it. A vessel that is free in it may have a user by now, and one that is
 * leased in it may be another's: so every lease ends and every vessel is emptied on its node before it is offered, and
 * fences go past all that were given since. A log-in that was ended since would hold again: so all end.
 */
export async function makeSafe(db: Database): Promise<void> {
  const tasks = new Tasks(db);
  await transact(db, async (trx) => {
    await trx.deleteFrom('tasks').where('state', '=', 'waiting').where('kind', '=', 'change-users').execute();
    await trx
      .updateTable('tasks')
      .set({ state: 'waiting', token: null, claimed_until: null })
      .where('state', '=', 'claimed')
      .execute();
    await trx.deleteFrom('sessions').execute();
    await trx.deleteFrom('acquisitions').execute();
    const now = Date.now();
    await trx
      .updateTable('vessels')
      .set((eb) => ({
        fence: eb
          .case()
          .when('fence', '<', now)
          .then(now)
          .else(eb('fence', '+', 1))
          .end(),
      }))
      .execute();
    const ended = await endLeases(trx, tasks, (eb) => eb('account_id', 'is not', null));
    const emptied = await trx
      .updateTable('vessels')
      .set({ state: 'cleaning' })
      .where('state', 'in', ['free', 'cleaning'])
      .returning(['node_id as node', 'name', 'fence'])
      .execute();
    const own = new Set(ended.map(({ node, name }) => `${node}:${name}`));
    for (const { node, name, fence } of emptied) {
      if (own.has(`${node}:${name}`)) continue;
      const payload = { node, vessel: name, fence };
      await tasks.add(trx, { kind: 'reset-vessel', subject: `vessel:${node}:${name}`, node, payload });
    }
    await record(trx, { actor: 'operator', action: 'clearinghouse.restore', subject: 'clearinghouse' });
  });
}
