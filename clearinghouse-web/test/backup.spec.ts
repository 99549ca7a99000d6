import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, chown, copyFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { generateIdentity, saveIdentity } from '@potluck/protocol';
import { DonorKeys } from '../src/backend/keys.ts';
import { restore } from '../src/backup/restore.ts';
import { backup } from '../src/backup/save.ts';
import { BACKUP_LIMITS } from '../src/limits.ts';
import { takeLock } from '../src/lock.ts';
import { statePaths } from '../src/paths.ts';
import { type AuditEntry, record } from '../src/store/audit.ts';
import { transact } from '../src/store/database.ts';
import { type Snapshot, withSnapshot } from '../src/store/snapshot.ts';
import { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { accountOf, donate, take } from './support/rows.ts';
import { temporaryDirectory } from './support/site.ts';

forEachDatabase((test) => {
  describe('a backup', () => {
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
    let state: string;
    let file: string;
    let store: Store;
    const there = () => ({ state, database: test.location });

    beforeEach(async () => {
      directory = await temporaryDirectory();
      state = join(directory.path, 'state');
      file = join(directory.path, 'backup');
      store = await test.open();
      const paths = statePaths(state);
      await saveIdentity(paths.gatewayKey, generateIdentity());
      await using keys = await DonorKeys.open(paths.backendKeys);
      const donor = await accountOf(store, 'donor');
      await keys.ensure(donor.id);
      await donate(test, store, { by: donor, vessels: 4 });
      await take(store, await accountOf(store, 'user'), 2);
    });
    afterEach(async () => await directory[Symbol.asyncDispose]());

    /** Into a new directory, on SQLite. */
    async function restored(more: object = {}): Promise<{ state: string; location: string }> {
      const target = join(directory.path, randomUUID());
      await restore({ state: target, file, ...more });
      return { state: target, location: statePaths(target).database };
    }

    it('has every row of both databases and the gateway’s key, for its owner’s eyes only', async () => {
      const before = await contents(test.location);
      const { rows } = await backup(there(), file);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal(rows, Object.values(before).flat().length + 1);
      const { state: target, location } = await restored();
      const after = await contents(location);
      for (const kept of ['accounts', 'nodes', 'donations', 'vessel_ports']) {
        assert.deepEqual(after[kept], before[kept], kept);
      }
      const [old, fresh] = [statePaths(state), statePaths(target)];
      assert.deepEqual(await readFile(fresh.gatewayKey, 'utf8'), await readFile(old.gatewayKey, 'utf8'));
      assert.deepEqual(await contents(fresh.backendKeys), await contents(old.backendKeys));
      for (const path of [fresh.gatewayKey, fresh.backendKeys, fresh.database]) {
        assert.equal(statSync(path).mode & 0o077, 0, path);
      }
    });

    it('is of one moment while others write: what it has fits together', async () => {
      let writing = true;
      const writer = (async () => {
        for (let index = 0; writing && index < 200; index += 1) {
          await donate(test, store, { by: await accountOf(store, `writer${index}`), vessels: 3 });
        }
      })();
      using _end = {
        [Symbol.dispose]: () => {
          writing = false;
        },
      };
      for (let round = 0; round < 3; round += 1) {
        file = join(directory.path, `backup${round}`);
        await backup(there(), file);
        const { location } = await restored();
        const after = await contents(location);
        const accounts = new Set(after.accounts?.map(({ id }) => id));
        assert.ok(after.donations?.every(({ account_id }) => accounts.has(account_id)));
        assert.equal(after.vessels?.length, 4 + 3 * (Number(after.donations?.length) - 1));
      }
      writing = false;
      await writer;
    });

    it('is restored so that nothing can be leased twice: no lease holds, and no vessel is offered before it is emptied', async () => {
      await backup(there(), file);
      const { location } = await restored();
      await using again = await Store.open(location);
      assert.equal((await again.nodes.counts()).free, 0);
      const after = await contents(location);
      const before = await contents(test.location);
      for (const vessel of after.vessels ?? []) {
        assert.equal(vessel.state, 'cleaning');
        const same = before.vessels?.find((one) => one.node_id === vessel.node_id && one.name === vessel.name);
        assert.ok(Number(vessel.fence) > Number(same?.fence), 'who acts for a former holder is turned away');
        const resets = after.tasks?.filter(({ kind, payload }) => {
          const { vessel: name, fence } = JSON.parse(String(payload));
          return kind === 'reset-vessel' && name === vessel.name && fence === vessel.fence;
        });
        assert.equal(resets?.length, 1, 'its emptying is queued, once');
      }
      assert.deepEqual(after.sessions, []);
      const user = await again.accounts.byUsername('user');
      assert.deepEqual(await again.leases.holdings(user?.id ?? ''), []);
    });

    it('refuses to go over a clearinghouse that is there, unless told to put it aside', async () => {
      await backup(there(), file);
      const { state: target } = await restored();
      await assert.rejects(restore({ state: target, file }), { code: 'NOT_EMPTY' });
      const { aside } = await restore({ state: target, file, replace: true });
      assert.ok(existsSync(join(aside ?? '', 'clearinghouse.sqlite')));
      assert.ok(existsSync(join(aside ?? '', 'backend', 'keys.sqlite')));
      using _lock = takeLock(statePaths(target).lock);
      await assert.rejects(restore({ state: target, file, replace: true }), { code: 'ALREADY_RUNNING' });
    });

    it('goes into an empty database of this kind, and into no other', async () => {
      await backup(there(), file);
      if (test.kind === 'SQLite') return;
      const target = { state: join(directory.path, 'other'), database: await test.another(), file };
      await restore(target);
      await using again = await Store.open(target.database);
      await accountOf(again, 'newcomer');
      await assert.rejects(restore({ ...target, state: join(directory.path, 'third') }), { code: 'NOT_EMPTY' });
    });

    it('has also rows that are too long for it, with the beginnings of their texts', async () => {
      const { lineLength, cutLength } = BACKUP_LIMITS;
      const [long, kept] = ['x'.repeat(lineLength), 'x'.repeat(cutLength)];
      const database = test.connect();
      await database.updateTable('nodes').set({ life_reason: long }).execute();
      const entry = { actor: 'backend', action: 'node.broken', subject: 'x', details: { event: 'failed', why: long } };
      await transact(database, async (trx) => await record(trx, entry as AuditEntry));
      assert.equal((await backup(there(), file)).cut, 2);
      const { location } = await restored();
      assert.equal((await contents(location)).nodes?.[0]?.life_reason, kept);
      await using again = await Store.open(location);
      const [found] = await again.audit.list({ action: 'node.broken' }, { limit: 1 });
      assert.deepEqual(found?.details, { event: 'failed', why: kept });
    });

    it('is never written over anything', async () => {
      await writeFile(file, 'something');
      await assert.rejects(backup(there(), file), { code: 'BACKUP_EXISTS' });
      assert.equal(await readFile(file, 'utf8'), 'something');
      const link = join(directory.path, 'link');
      await symlink(join(directory.path, 'elsewhere'), link);
      await assert.rejects(backup(there(), link), { code: 'BACKUP_EXISTS' });
      assert.equal(existsSync(join(directory.path, 'elsewhere')), false);
      await assert.rejects(backup(there(), join(directory.path, 'no', 'folder')), { code: 'BACKUP_FAILED' });
      await assert.rejects(backup({ state: directory.path }, file), { code: 'NO_STATE' });
    });

    it('is believed only when it is whole, of a version that is known, and its owner’s alone', async () => {
      await backup(there(), file);
      const whole = await readFile(file);
      const text = gunzipSync(whole).toString('utf8');
      const lines = text.trimEnd().split('\n');
      const refused = async (bytes: Uint8Array, expected: RegExp): Promise<void> => {
        const bad = join(directory.path, randomUUID());
        await writeFile(bad, bytes, { mode: 0o600 });
        const target = join(directory.path, randomUUID());
        await assert.rejects(restore({ state: target, file: bad }), ({ code, message }) => {
          assert.match(message, expected);
          return code === 'BACKUP_REFUSED';
        });
        assert.equal(existsSync(join(target, 'clearinghouse.sqlite')), false);
      };
      const of = (changed: readonly string[]): Uint8Array => gzipSync(`${changed.join('\n')}\n`);
      await refused(whole.subarray(0, whole.length - 20), /a whole file/);
      await refused(whole.subarray(0, 100), /a whole file/);
      await refused(new Uint8Array(), /a whole file, got an empty one/);
      await refused(of(lines.slice(0, -1)), /ends after \d+ rows/);
      await refused(of([...lines.slice(0, 3), ...lines.slice(4)]), /ends after \d+ rows/);
      await refused(of([...lines, '["more"]']), /nothing after its end/);
      await refused(
        of(lines.map((line) => line.replace(/"schema":"\d+/, '"schema":"9999'))),
        /this or an older version/,
      );
      await refused(of(lines.map((line) => line.replace('backup 1', 'backup 2'))), /this version can read/);
      await refused(of(lines.map((line) => line.replace('"password"', '"pass\\"word"'))), /tables and columns/);
      await refused(gzipSync('hello'), /this version can read/);
      await refused(Buffer.from('hello'), /a whole file/);
    });

    it('is refused where somebody else could have written it', async () => {
      await backup(there(), file);
      const target = { state: join(directory.path, 'target'), file };
      await chmod(file, 0o644);
      await assert.rejects(restore(target), { code: 'BACKUP_REFUSED' });
      await chmod(file, 0o600);
      const link = join(directory.path, 'link');
      await symlink(file, link);
      await assert.rejects(restore({ ...target, file: link }), { code: 'BACKUP_REFUSED' });
      await assert.rejects(restore({ ...target, file: directory.path }), { code: 'BACKUP_REFUSED' });
      await assert.rejects(restore({ ...target, file: join(directory.path, 'none') }), { code: 'BACKUP_REFUSED' });
      if (process.getuid?.() !== 0) return;
      const others = join(directory.path, 'others');
      await copyFile(file, others);
      await chown(others, 65_534, 65_534);
      await assert.rejects(restore({ ...target, file: others }), /one of user 65534/);
    });

    it('moves a stopped clearinghouse as it is, and no other', async () => {
      await backup(there(), file);
      await assert.rejects(restore({ state: join(directory.path, 'x'), file, moved: true }), {
        code: 'BACKUP_REFUSED',
      });
    });
  });
});

describe('a clearinghouse that was stopped for its backup', () => {
  it('moves with its leases', async () => {
    await using directory = await temporaryDirectory();
    const state = join(directory.path, 'state');
    const paths = statePaths(state);
    await saveIdentity(paths.gatewayKey, generateIdentity());
    await (await DonorKeys.open(paths.backendKeys))[Symbol.asyncDispose]();
    await using store = await Store.open(paths.database);
    const user = await accountOf(store, 'user');
    await donate({ location: paths.database }, store, { by: user, vessels: 2 });
    await take(store, user, 2);
    const file = join(directory.path, 'backup');
    assert.equal((await backup({ state }, file)).stopped, true);
    const target = join(directory.path, 'target');
    await restore({ state: target, file, moved: true });
    assert.deepEqual(await contents(statePaths(target).database), await contents(paths.database));
  });
});

/** Every row of every table, in an order that both databases keep. */
async function contents(location: string): Promise<Record<string, Record<string, unknown>[]>> {
  return await withSnapshot(location, async (snapshot: Snapshot) => {
    const all: Record<string, Record<string, unknown>[]> = {};
    for (const table of snapshot.tables) {
      const rows = await Array.fromAsync(snapshot.rows(table));
      all[table.name] = rows
        .map((row) => Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    return all;
  });
}
