import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { LocalBus } from '../src/bus/local.ts';
import { Queue } from '../src/queue.ts';
import { openDatabase, transact } from '../src/store/database.ts';
import { Store } from '../src/store/store.ts';

const HOUR_MS = 3_600_000;

describe('the site that waits for tasks', () => {
  let stack: AsyncDisposableStack;
  let store: Store;
  let bus: LocalBus;
  let queue: Queue;
  let add: (subject: string) => Promise<number>;

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'potluck-queue-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'clearinghouse.sqlite');
    store = stack.use(await Store.open(path));
    const database = openDatabase(path);
    stack.defer(async () => await database.destroy());
    bus = stack.use(new LocalBus({ logger: pino({ level: 'silent' }) }));
    queue = new Queue(store, bus);
    add = async (subject) =>
      await transact(
        database,
        async (trx) => await store.tasks.add(trx, { kind: 'inspect-node', subject, payload: {} }),
      );
  });
  afterEach(async () => {
    await stack.disposeAsync();
  });

  async function finishNext(): Promise<void> {
    const claim = await store.tasks.claim();
    assert.ok(claim);
    await store.tasks.finish(claim, async () => undefined);
    bus.publish('task.ended', { task: claim.id, kind: claim.kind, subject: claim.subject, done: true });
  }

  /** How often it looks at what became of the tasks. */
  function countLooks(): () => number {
    let looks = 0;
    const { states } = store.tasks;
    store.tasks.states = async (ids) => {
      looks += 1;
      return await states.call(store.tasks, ids);
    };
    return () => looks;
  }

  it('counts a task’s time from its turn on: a long queue is not the fault of the nodes in it', async () => {
    const ids = [await add('node:a'), await add('node:b')];
    const looks = countLooks();
    let isOver = false;
    const waiting = queue.ended(ids, { timeoutMs: 0, longestMs: HOUR_MS }).finally(() => {
      isOver = true;
    });
    while (looks() < 2) await setImmediate();
    assert.equal(isOver, false);
    for (const _ of ids) assert.ok(await store.tasks.claim());
    assert.deepEqual(await waiting, { done: new Set(), unbegun: new Set() });
  });

  it('gives up what has had its turn and its time', async () => {
    const id = await add('node:a');
    assert.ok(await store.tasks.claim());
    assert.deepEqual(await queue.ended([id], { timeoutMs: 0, longestMs: HOUR_MS }), {
      done: new Set(),
      unbegun: new Set(),
    });
  });

  it('says which had no turn when all of its time is over', async () => {
    const ids = [await add('node:a'), await add('node:b')];
    await finishNext();
    const ended = await queue.ended(ids, { timeoutMs: 0, longestMs: 0 });
    assert.deepEqual(ended, { done: new Set(ids.slice(0, 1)), unbegun: new Set(ids.slice(1)) });
  });

  it('looks again when the last of its own has ended, and not at the ends of others', async () => {
    const [first, second] = [await add('node:a'), await add('node:b')];
    const looks = countLooks();
    const waiting = queue.ended([first, second], { timeoutMs: HOUR_MS, longestMs: HOUR_MS });
    for (let other = 1000; other < 1100; other += 1) {
      bus.publish('task.ended', { task: other, kind: 'inspect-node', subject: 'node:z', done: true });
    }
    await finishNext();
    await finishNext();
    await waiting;
    assert.ok(looks() < 50, `looked ${looks()} times`); // Once each second on a slow machine.
  });
});
