import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { detectWalls, type RuntimeFiles, runtimeFiles } from '@potluck/vessel-runtime';
import { pino } from 'pino';
import { openDatabase } from '../src/database.ts';
import { NodeManagerError } from '../src/errors.ts';
import { statePaths } from '../src/index.ts';
import { type Demand, WarmPool, warmMost } from '../src/pool.ts';
import { birthOf, ProcessStore } from '../src/processes.ts';
import { rejectsWith, TemporaryDirectory } from './support.ts';

const MEMORY_BYTES = 2 ** 24;
const REST_MS = 2;
const NOBODY: Demand = { idle: 0, commonBytes: undefined, mostBytes: undefined };

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

  const make = (files: () => Promise<RuntimeFiles>, lines: string[] = [], demand = (): Demand => NOBODY) => {
    const database = openDatabase(statePaths(directory.path), 0);
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const limits = { poolSize: 3, poolRestMs: REST_MS, poolRetryFirstMs: 1, poolRetryLongestMs: 20 };
    const pool = new WarmPool({ processes: new ProcessStore(database), log }, { files, demand, limits });
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
    const taken = await Promise.all([pool.take(MEMORY_BYTES, 20_000), pool.take(MEMORY_BYTES, 20_000)]);
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
    await using process = await made.pool.take(MEMORY_BYTES, 20_000);
    assert.ok(process.pid > 0);
    assert.equal(lines.filter((line) => line.includes('exit code 3')).length, 3);
  });

  it('makes new processes a rest after the last start, but puts that off for ten rests at most', async () => {
    let asked = 0;
    const answered = Promise.withResolvers<never>();
    const files = async (): Promise<never> => {
      asked += 1;
      return await answered.promise; // A failure would be tried again, by a clock that is not this test's.
    };
    await using made = make(files);
    let nowMs = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => nowMs);
    const pass = (ms: number): void => {
      nowMs += ms;
      mock.timers.tick(ms);
    };
    try {
      made.pool.refill();
      for (; nowMs < 9 * REST_MS; made.pool.refill()) pass(REST_MS / 2);
      await setImmediate();
      assert.equal(asked, 0);
      for (; nowMs <= 11 * REST_MS; made.pool.refill()) pass(REST_MS / 2);
      await setImmediate();
      assert.equal(asked, 1);
    } finally {
      answered.reject(new NodeManagerError('PROCESS_NOT_READY', 'expected a runtime, got none for now'));
      mock.reset();
      mock.timers.reset();
    }
  });

  it('goes on trying when the runtime cannot be had', async () => {
    let count = 0;
    await using made = make(async () => {
      count += 1;
      if (count === 1) return await runtimeFiles(join(broken.entry, 'no-directory'));
      return good;
    });
    await using process = await made.pool.take(MEMORY_BYTES, 20_000);
    assert.ok(process.pid > 0);
  });

  it('tells a taker in time that none became ready', async () => {
    await using made = make(async () => broken);
    await rejectsWith(made.pool.take(MEMORY_BYTES, 100), 'PROCESS_NOT_READY');
  });

  it('tells a taker at once that it was stopped', async () => {
    const made = make(async () => broken);
    const take = rejectsWith(made.pool.take(MEMORY_BYTES, 1_000_000), 'PROCESS_NOT_READY');
    await made[Symbol.asyncDispose]();
    await take;
  });

  it('replaces a process that dies while it waits', async () => {
    await using made = make(async () => good);
    made.pool.start();
    const first = await made.pool.take(MEMORY_BYTES, 20_000);
    await first[Symbol.asyncDispose]();
    while (made.known().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [waiting = 0] = made.known();
    process.kill(waiting, 'SIGKILL');
    while (made.known().includes(waiting)) await new Promise((resolve) => setTimeout(resolve, 5));
    await using next = await made.pool.take(MEMORY_BYTES, 20_000);
    assert.notEqual(next.pid, waiting);
  });

  it('keeps one ready for each vessel without a program, two at least and three at most', async () => {
    for (const [idle, expected] of [
      [0, 2],
      [3, 3],
      [9, 3],
    ] as const) {
      let made = 0;
      const full = Promise.withResolvers<void>();
      const files = async (): Promise<RuntimeFiles> => {
        made += 1;
        return good;
      };
      // Asked before each process is made, and once more when there is none to make.
      const demand = (): Demand => {
        if (made >= expected) full.resolve();
        return { ...NOBODY, idle };
      };
      const { pool, [Symbol.asyncDispose]: stop } = make(files, [], demand);
      pool.start();
      await full.promise;
      await stop();
      assert.equal(made, expected);
    }
  });

  it('bounds the memory of those that wait, and gives none of them to a vessel that has more', async function () {
    if (!(await detectWalls()).up.includes('memory limit')) this.skip();
    let mostBytes = MEMORY_BYTES;
    let asked = 0;
    const second = Promise.withResolvers<void>();
    const files = async (): Promise<RuntimeFiles> => {
      asked += 1;
      if (asked === 2) second.resolve();
      return good;
    };
    await using made = make(files, [], () => ({ idle: 2, commonBytes: mostBytes, mostBytes }));
    made.pool.start();
    await second.promise; // The first stands ready.
    await using bounded = await made.pool.take(MEMORY_BYTES, 20_000);
    assert.ok(Number(bounded.dataLimit.bytes) > MEMORY_BYTES);
    mostBytes = 16 * MEMORY_BYTES;
    await using wide = await made.pool.take(mostBytes, 20_000);
    assert.ok((wide.dataLimit.bytes ?? Number.POSITIVE_INFINITY) > mostBytes);
  });

  it('takes no more than a small part of the machine, unless its operator says how many', () => {
    assert.ok(warmMost(1e6, undefined) * 64 * 16 * 2 ** 20 <= Math.max(totalmem(), 2 * 64 * 16 * 2 ** 20));
    assert.equal(warmMost(0, undefined), 0);
    assert.equal(warmMost(10, 40), 40);
  });
});
