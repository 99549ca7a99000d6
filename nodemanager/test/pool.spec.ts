import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RuntimeFiles, runtimeFiles } from '@potluck/vessel-runtime';
import { pino } from 'pino';
import { openDatabase } from '../src/database.ts';
import { statePaths } from '../src/index.ts';
import { WarmPool } from '../src/pool.ts';
import { birthOf, ProcessStore } from '../src/processes.ts';
import { rejectsWith, TemporaryDirectory } from './support.ts';

describe('the warm pool', () => {
  let directory: TemporaryDirectory;
  let good: RuntimeFiles;
  let broken: RuntimeFiles;
  before(async () => {
    directory = await TemporaryDirectory.make();
    good = await runtimeFiles(directory.path);
    broken = { ...good, entry: join(directory.path, 'broken.mjs') };
    await writeFile(broken.entry, 'process.exit(3);');
  });
  after(async () => {
    await directory[Symbol.asyncDispose]();
  });

  const make = (files: () => Promise<RuntimeFiles>, lines: string[] = []) => {
    const database = openDatabase(statePaths(directory.path), 0);
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const limits = { poolSize: 1, poolRetryFirstMs: 1, poolRetryLongestMs: 20 };
    const pool = new WarmPool(
      { processes: new ProcessStore(database), log },
      { files, memoryBytes: () => undefined, limits },
    );
    const known = (): number[] => database.prepare('SELECT pid FROM processes').pluck().all() as number[];
    const stop = async (): Promise<void> => {
      await pool.stop();
      assert.deepEqual(known(), []);
      database.close();
    };
    return { pool, known, [Symbol.asyncDispose]: stop };
  };

  it('gives each taker a process of its own, and ends those that nobody took', async () => {
    const { pool, known, [Symbol.asyncDispose]: stop } = make(async () => good);
    pool.start();
    const taken = await Promise.all([pool.take(20_000), pool.take(20_000)]);
    assert.notEqual(taken[0]?.pid, taken[1]?.pid);
    const alive = known();
    for (const { pid } of taken) assert.ok(alive.includes(pid));
    for (const process of taken) await process[Symbol.asyncDispose]();
    await stop();
    for (const pid of alive) assert.equal(birthOf(pid), undefined);
  });

  it('goes on trying when processes do not become ready, and logs why', async () => {
    let count = 0;
    const lines: string[] = [];
    await using made = make(async () => {
      count += 1;
      return count <= 3 ? broken : good;
    }, lines);
    made.pool.start();
    await using process = await made.pool.take(20_000);
    assert.ok(process.pid > 0);
    assert.equal(lines.filter((line) => line.includes('exit code 3')).length, 3);
  });

  it('goes on trying when the runtime cannot be had', async () => {
    let count = 0;
    await using made = make(async () => {
      count += 1;
      if (count === 1) return await runtimeFiles(join(broken.entry, 'no-directory'));
      return good;
    });
    await using process = await made.pool.take(20_000);
    assert.ok(process.pid > 0);
  });

  it('tells a taker in time that none became ready', async () => {
    await using made = make(async () => broken);
    await rejectsWith(made.pool.take(100), 'PROCESS_NOT_READY');
  });

  it('tells a taker at once that it was stopped', async () => {
    const made = make(async () => broken);
    const take = rejectsWith(made.pool.take(1_000_000), 'PROCESS_NOT_READY');
    await made[Symbol.asyncDispose]();
    await take;
  });

  it('replaces a process that dies while it waits', async () => {
    await using made = make(async () => good);
    made.pool.start();
    const first = await made.pool.take(20_000);
    await first[Symbol.asyncDispose]();
    while (made.known().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [waiting = 0] = made.known();
    process.kill(waiting, 'SIGKILL');
    while (made.known().includes(waiting)) await new Promise((resolve) => setTimeout(resolve, 5));
    await using next = await made.pool.take(20_000);
    assert.notEqual(next.pid, waiting);
  });
});
