import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const GRACE_MS = 20_000;
const LOOK_EVERY_MS = 10;

/** Half of the start of each of our processes is compiling: those that tests start find it done, and so do the workers. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', '.potluck', 'compiled');

/** What keeps this process from ending, by kind; with mocha's own timer, which an awaited hook always has. */
async function open(): Promise<string[]> {
  await delay(LOOK_EVERY_MS);
  return process.getActiveResourcesInfo().sort();
}

let before: string[] = [];

/** A file of tests that leaves something open fails, by its name: several files share a process. */
export const mochaHooks = {
  async beforeAll(): Promise<void> {
    before = await open();
  },
  async afterAll(this: Mocha.Context): Promise<void> {
    const file = this.test?.parent?.suites.at(-1)?.file ?? 'the tests';
    const deadlineMs = performance.now() + GRACE_MS;
    let left = await open();
    while (left.length > before.length) {
      if (performance.now() > deadlineMs) assert.fail(`expected ${file} to leave nothing open, got ${left.join(', ')}`);
      left = await open();
    }
  },
};
