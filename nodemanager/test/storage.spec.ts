import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { generateIdentity } from '@potluck/protocol';
import Database from 'better-sqlite3';
import { openDatabase } from '../src/database.ts';
import { NODE_LIMITS, NodeManager, statePaths } from '../src/index.ts';
import { StateLock } from '../src/lock.ts';
import { birthOf, ProcessStore } from '../src/processes.ts';
import { SqliteReplayStore } from '../src/replays.ts';
import { RESTRICTIONS, rejectsWith, TemporaryDirectory } from './support.ts';

describe('the state directory', () => {
  let directory: TemporaryDirectory;
  const paths = () => statePaths(directory.path);
  const open = () => openDatabase(paths(), NODE_LIMITS.databaseReserveBytes);
  const user = generateIdentity();
  const configure = async (): Promise<void> => {
    const vessels = [{ owner: user.id, users: [], restrictions: RESTRICTIONS }];
    await writeFile(paths().config, JSON.stringify({ listen: { host: '127.0.0.1', port: 0 }, vessels }));
  };
  beforeEach(async () => {
    directory = await TemporaryDirectory.make();
  });
  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  it('forgets a nonce only after its expiry', async () => {
    let now = 1000;
    const database = open();
    const replays = new SqliteReplayStore(database, () => now);
    const many = async (prefix: string): Promise<void> => {
      for (let n = 0; n < 200; n += 1) await replays.claim(`${prefix}${n}`, now + 0.5);
    };
    assert.equal(await replays.claim('kept', 2000), true);
    await many('a');
    assert.equal(await replays.claim('kept', 2000), false);
    now = 2001;
    await many('b');
    assert.equal(await replays.claim('kept', 3000), true);
    assert.ok(Number(database.prepare('SELECT count(*) FROM nonces').pluck().get()) < 300);
    database.close();
  });

  it('gives one of many claims of a nonce at once, and goes to the disk once for all that come together', async () => {
    const database = open();
    const replays = new SqliteReplayStore(database, () => 1000);
    const walBytes = (): number => statSync(`${paths().database}-wal`).size;
    database.pragma('wal_checkpoint(TRUNCATE)');
    const claims = Array.from({ length: 12 }, (_, n) => replays.claim(n < 6 ? 'same' : `other ${n}`, 2000));
    assert.deepEqual((await Promise.all(claims)).filter(Boolean).length, 7);
    const together = walBytes();
    database.pragma('wal_checkpoint(TRUNCATE)');
    for (let n = 0; n < 7; n += 1) await replays.claim(`alone ${n}`, 2000);
    assert.ok(together < walBytes());
    database.close();
  });

  it('refuses all claims that it could not write', async () => {
    const database = open();
    const replays = new SqliteReplayStore(database);
    const claims = [replays.claim('a', 1e12), replays.claim('b', 1e12)];
    database.close();
    const ends = await Promise.allSettled(claims);
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });

  it('holds a nonce that was claimed by a process that was killed at once', async () => {
    const source = `
      const { openDatabase } = await import(${JSON.stringify(import.meta.resolve('../src/database.ts'))});
      const { SqliteReplayStore } = await import(${JSON.stringify(import.meta.resolve('../src/replays.ts'))});
      const { statePaths } = await import(${JSON.stringify(import.meta.resolve('../src/paths.ts'))});
      await new SqliteReplayStore(openDatabase(statePaths(${JSON.stringify(directory.path)}), 0)).claim('once', 1e12);
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' });
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
    const database = open();
    assert.equal(await new SqliteReplayStore(database).claim('once', 1e12), false);
    database.close();
  });

  it('is brought from any older version of its database to the newest, and refused when it is newer', () => {
    open().close();
    open().close();
    const database = new Database(paths().database);
    database.pragma('user_version = 1000');
    database.close();
    assert.throws(open, { code: 'STATE_UNUSABLE' });
  });

  it('is refused when its database is something else', async () => {
    await writeFile(paths().database, 'not a database, but long enough to be read as one'.repeat(100));
    assert.throws(open, { code: 'STATE_UNUSABLE' });
  });

  it('has one node manager at a time, also within one process', async () => {
    await configure();
    const first = new NodeManager({ state: directory.path, limits: { poolSize: 0 } });
    await first.start();
    await rejectsWith(new NodeManager({ state: directory.path }).start(), 'ALREADY_RUNNING');
    await first.stop();
    await using second = new NodeManager({ state: directory.path, limits: { poolSize: 0 } });
    await second.start();
  });

  it('is not held by a process id that an earlier node manager left behind', async () => {
    await configure();
    await writeFile(paths().pid, `${process.pid}\n`);
    await writeFile(paths().lock, '');
    await using manager = new NodeManager({ state: directory.path, limits: { poolSize: 0 } });
    await manager.start();
    assert.equal(StateLock.isHeld(paths()), true);
  });

  it('keeps the identity of its node, and is refused when that is lost', async () => {
    await configure();
    const manager = new NodeManager({ state: directory.path, limits: { poolSize: 0 } });
    await manager.start();
    const { id } = manager;
    await manager.stop();
    await manager.start();
    assert.equal(manager.id, id);
    await manager.stop();
    await rm(paths().identity);
    await rejectsWith(manager.start(), 'KEY_FILE_MISSING');
  });

  it('leads to what an earlier node manager left running, and to nothing that only has its process id', async () => {
    const left = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const innocent = spawn('sleep', ['1000'], { stdio: 'ignore' });
    await Promise.all([once(left, 'spawn'), once(innocent, 'spawn')]);
    const database = open();
    const processes = new ProcessStore(database);
    processes.add(Number(left.pid));
    processes.add(Number(innocent.pid));
    database.prepare("UPDATE processes SET birth = 'another:1' WHERE pid = ?").run(innocent.pid);
    const ended = once(left, 'exit');
    assert.equal(await processes.killLeftovers(), 1);
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.notEqual(birthOf(Number(innocent.pid)), undefined);
    assert.equal(await processes.killLeftovers(), 0);
    innocent.kill();
    await once(innocent, 'exit');
    assert.equal(birthOf(Number(innocent.pid)), undefined);
    database.close();
  });
});
