import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const GRACE_MS = 20_000;
const LOOK_EVERY_MS = 10;
/** What a node manager leaves that is killed; the next one removes it. */
const OF_KILLED = /^potluck-runtime-\d+-/;

/** Half of the start of each of our processes is compiling: those that tests start find it done, and so do the workers. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', '.potluck', 'compiled');

/** Where this process and all that it starts make their temporary files, while there are tests in it. */
let temporary: string | undefined;

/** Whoever the processes of tests run as may use it, as `/tmp` itself. */
function makeTemporary(): void {
  const path = mkdtempSync(join(tmpdir(), 'potluck-tests-'));
  chmodSync(path, 0o1777);
  process.env.TMPDIR = path;
  temporary = path;
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
}

/** What keeps this process from ending, by kind, with mocha's own timer, which an awaited hook always has; and files. */
async function open(): Promise<string[]> {
  await delay(LOOK_EVERY_MS);
  const files = readdirSync(temporary ?? '').filter((name) => !OF_KILLED.test(name));
  return [...process.getActiveResourcesInfo().sort(), ...files];
}

let before: string[] = [];

/** A file of tests that leaves something open, or a temporary file, fails by its name: several share a process. */
export const mochaHooks = {
  async beforeAll(): Promise<void> {
    if (temporary === undefined) makeTemporary();
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
