import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POLICY, POLICY_LIMITS } from '../src/limits.ts';
import { loadPolicy, type Policy } from '../src/policy.ts';
import { SLICE } from '../src/slice.ts';
import { forEachDatabase } from './support/databases.ts';
import { temporaryDirectory } from './support/site.ts';

describe('the file of a policy', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  before(async () => {
    directory = await temporaryDirectory();
  });
  after(async () => await directory[Symbol.asyncDispose]());

  async function load(text: string | Buffer): Promise<Policy> {
    const path = join(directory.path, 'policy.json');
    await writeFile(path, text);
    return await loadPolicy(path);
  }

  async function refused(text: string | Buffer, words: RegExp): Promise<void> {
    const path = join(directory.path, 'policy.json');
    await assert.rejects(load(text), { code: 'CONFIG_BROKEN', details: { path }, message: words });
  }

  it('says what differs, and all else is as in Seattle', async () => {
    const { goneMs: _, ...usual } = POLICY;
    assert.deepEqual(await load('{}'), { ...usual, slice: SLICE });
    const changed = await load('{"firstLeaseHours": 0.5, "slice": {"memory": 50000000, "ports": 5}}');
    const slice = { ...SLICE, memory: 50_000_000, ports: 5 };
    assert.deepEqual(changed, { ...usual, firstLeaseMs: 1_800_000, slice });
  });

  it('that is no JSON is refused with the line where it ends to be any', async () => {
    await refused('{\n  "freeCredits": 10,\n  "renewalHours": 168,\n}', /: line 4: .*JSON/);
    await refused('', /JSON/);
    await refused('[]', /the whole: /);
    await refused('"freeCredits"', /the whole: /);
  });

  it('takes 64 KiB and no byte more, however few characters they are', async () => {
    const filled = (text: string): string => text.padEnd(POLICY_LIMITS.fileBytes, ' ');
    assert.equal((await load(filled('{"freeCredits": 7}'))).freeCredits, 7);
    await refused(`${filled('{"freeCredits": 7}')} `, /got: more than 65536 bytes$/);
    await refused(`{"freeCredits": 7}${'\u2003'.repeat(POLICY_LIMITS.fileBytes / 2)}`, /got: more than 65536 bytes$/);
  });

  it('that is not there is refused, and says so', async () => {
    const path = join(directory.path, 'nowhere.json');
    await assert.rejects(loadPolicy(path), { code: 'CONFIG_BROKEN', message: /ENOENT/ });
  });

  it('refuses a last port below the first, with its line, and takes one port alone', async () => {
    const ports = (first: number, last: number): string =>
      `{\n "firstUserPort": ${first},\n "lastUserPort": ${last}\n}`;
    await refused(ports(63_101, 63_100), /line 3: lastUserPort: expected a port that is not below firstUserPort/);
    await refused('{"firstUserPort": 63180}', /lastUserPort: expected a port that is not below firstUserPort/);
    assert.equal((await load(ports(63_100, 63_100))).lastUserPort, 63_100);
  });

  const most = POLICY_LIMITS.sliceAmount;
  for (const [key, least, highest] of [
    ['cpu', 0.000001, POLICY_LIMITS.sliceCores],
    ['memory', 1, most],
    ['diskused', 1, most],
    ['events', 0, most],
    ['ports', 1, POLICY_LIMITS.slicePorts],
  ] as const) {
    it(`takes ${key} of a slice from ${least} to ${highest}, and nothing beyond`, async () => {
      const sized = (value: number): string => `{\n "freeCredits": 1,\n "slice": {\n  "${key}": ${value}\n } }`;
      for (const value of [least, highest]) assert.equal((await load(sized(value))).slice?.[key], value);
      const words = new RegExp(`: line 4: ${key}: expected at `);
      for (const value of [least === 0 ? -1 : least / 10, highest + 1]) {
        // A tenth of what must be whole is refused for that.
        const isPart = key !== 'cpu' && value > 0 && value < 1;
        await refused(sized(value), isPart ? new RegExp(`: line 4: ${key}: expected a whole number`) : words);
      }
    });
  }

  it('refuses what no slice has, with its line', async () => {
    await refused('{\n "slice": {\n  "memory": 1000,\n  "messport": 63100\n }\n}', /line 4: messport: /);
    await refused('{\n\n "slice": 7\n}', /line 3: slice: /);
  });
});

forEachDatabase((database) => {
  describe('the policy in the database', () => {
    it('is the same for every site and its backend: the one that was adopted last', async () => {
      const store = await database.open();
      const other = await database.openBeside(store);
      assert.deepEqual((await other.policies.current()).slice, SLICE);
      const slice = { ...SLICE, memory: 50_000_000 };
      await store.policies.adopt({ ...POLICY, slice });
      assert.deepEqual((await other.policies.current()).slice, slice);
      await other.policies.adopt(POLICY);
      assert.deepEqual((await store.policies.current()).slice, SLICE, 'what says nothing of it is Seattle’s');
    });
  });
});
