import assert from 'node:assert/strict';
import { generateIdentity, type KeyId } from '@potluck/protocol';
import { QUEUE } from '../src/limits.ts';
import { type Database, transact } from '../src/store/database.ts';
import { Tasks } from '../src/store/tasks.ts';
import { forEachDatabase } from './support/databases.ts';

forEachDatabase((test) => {
  describe('the queue between site and backend', () => {
    let database: Database;
    let tasks: Tasks;

    beforeEach(async () => {
      await test.open();
      database = test.connect();
      tasks = new Tasks(database);
    });

    async function add(subject: string, node?: KeyId, kind = 'inspect-node'): Promise<number> {
      const task = { kind, subject, payload: {}, ...(node && { node }) };
      return await transact(database, async (trx) => await tasks.add(trx, task));
    }

    it('gives each task to one claimer only, however many ask', async () => {
      for (let index = 0; index < 20; index += 1) await add(`node:${index}`);
      const claims = await Promise.all(Array.from({ length: 30 }, async () => await tasks.claim()));
      const ids = claims.flatMap((claim) => (claim === undefined ? [] : [claim.id]));
      assert.equal(ids.length, 20);
      assert.equal(new Set(ids).size, 20);
    });

    it('is looked into without the write lock of SQLite: who writes does not wait for a long look', async () => {
      if (test.kind !== 'SQLite') return; // PostgreSQL locks rows.
      const node = generateIdentity().id;
      for (let index = 0; index <= QUEUE.perNode; index += 1) await add(`vessel:${node}:v${index}`, node);
      for (let index = 0; index < QUEUE.perNode; index += 1) assert.ok(await tasks.claim());
      await transact(test.connect(), async () => assert.equal(await tasks.claim(), undefined));
    });

    it('gives another one when what was found is dropped before it is claimed', async () => {
      const [first, second] = [await add('a', undefined, 'change-users'), await add('b', undefined, 'change-users')];
      const dropped = test.connect().deleteFrom('tasks').where('id', '=', first).execute();
      const [claim] = await Promise.all([tasks.claim(), dropped]);
      assert.ok([first, second].includes(claim?.id ?? 0));
    });

    it('lets nobody work on a subject that is being worked on', async () => {
      const first = await add('vessel:a');
      const second = await add('vessel:a');
      const claim = await tasks.claim();
      assert.equal(claim?.id, first);
      assert.equal(await tasks.claim(), undefined);
      assert.ok(claim);
      await tasks.finish(claim, async () => undefined);
      assert.equal((await tasks.claim())?.id, second);
    });

    it('gives one node a few places only, so that a node which is slow on purpose keeps nobody else waiting', async () => {
      const [slow, other] = [generateIdentity().id, generateIdentity().id];
      for (let index = 0; index < 3 * QUEUE.concurrency; index += 1) await add(`vessel:${slow}:v${index}`, slow);
      const last = await add(`vessel:${other}:v1`, other);
      const claims = [];
      for (let claim = await tasks.claim(); claim !== undefined; claim = await tasks.claim()) claims.push(claim);
      assert.ok(claims.length <= QUEUE.perNode + 1, `${claims.length} claims`);
      assert.ok(claims.some(({ id }) => id === last));
      assert.ok(claims[0]);
      await tasks.finish(claims[0], async () => undefined);
      assert.equal((await tasks.claim())?.node_id, slow);
    });

    it('gives what somebody waits for first, then what is to be emptied, then what has time, and no less than was asked for', async () => {
      const [look, reset, change] = [
        await add('node:a'),
        await add('vessel:a', undefined, 'reset-vessel'),
        await add('vessel:b', undefined, 'change-users'),
      ];
      assert.equal((await tasks.claim(0))?.id, change);
      assert.equal(await tasks.claim(0), undefined);
      assert.equal((await tasks.claim(1))?.id, reset);
      assert.equal(await tasks.claim(1), undefined);
      assert.equal((await tasks.claim())?.id, look);
    });

    it('gives what is tried again like all that has time', async () => {
      const again = await add('vessel:a', undefined, 'reset-vessel');
      const claim = await tasks.claim();
      assert.ok(claim);
      await tasks.retry(claim, { error: 'away', cause: 'TIMEOUT' }, 0);
      const first = await add('vessel:b', undefined, 'reset-vessel');
      assert.equal((await tasks.claim(1))?.id, first);
      assert.equal(await tasks.claim(1), undefined);
      assert.equal((await tasks.claim())?.id, again);
    });

    it('takes a result only under the token of the claim: who was too late changes nothing', async () => {
      const id = await add('node:a');
      const late = await tasks.claim();
      await tasks.reclaim(Date.now() + QUEUE.claimMs + 1);
      const next = await tasks.claim();
      assert.ok(late && next);
      assert.equal(next.id, id);
      let effects = 0;
      const count = async (): Promise<void> => {
        effects += 1;
      };
      assert.equal(await tasks.finish(late, count), false);
      await tasks.retry(late, { error: 'too late', cause: 'TIMEOUT' }, 0);
      assert.equal(await tasks.finish(next, count), true);
      assert.equal(effects, 1);
      assert.equal((await tasks.states([id])).get(id), 'done');
    });

    it('writes the end of a task and its effect together, or neither', async () => {
      const id = await add('node:a');
      const claim = await tasks.claim();
      assert.ok(claim);
      await assert.rejects(
        tasks.finish(claim, async (trx) => {
          await tasks.add(trx, { kind: 'reset-vessel', subject: 'vessel:a', payload: {} });
          throw new RangeError('broken on purpose');
        }),
        RangeError,
      );
      assert.equal((await tasks.states([id])).get(id), 'claimed');
      assert.equal(await tasks.claim(), undefined);
    });

    it('gives a backend that starts again its own claims, and no other’s', async () => {
      const [mine, theirs] = [new Tasks(database, 'mine'), new Tasks(database, 'theirs')];
      const first = await add('node:a');
      await add('node:b');
      await mine.claim();
      const other = await theirs.claim();
      await new Tasks(database, 'mine').resume();
      assert.equal((await mine.claim())?.id, first);
      assert.equal(await mine.claim(), undefined);
      assert.ok(other);
      assert.equal(await theirs.finish(other, async () => undefined), true);
    });

    it('keeps a claim that has not run out', async () => {
      await add('node:a');
      await tasks.claim();
      await tasks.reclaim(Date.now());
      assert.equal(await tasks.claim(), undefined);
    });
  });
});
