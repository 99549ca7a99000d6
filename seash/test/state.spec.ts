import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from '@potluck/protocol';
import { STATE_LIMITS } from '../src/commands/state.ts';
import { Shell } from '../src/index.ts';
import { knowVessel } from './support.ts';

describe('savestate and loadstate', () => {
  let directory: string;
  let shell: Shell;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-state-'));
    shell = new Shell({ directory });
    await well('genkeys alice');
    await well('genkeys bob');
    for (const number of [1, 2, 3]) {
      knowVessel(shell, {}, `10.0.0.${number}`);
    }
    await well('add %2-%3 to lab');
    shell.session.targets.drop(shell.session.targets.resolve('%1')[0] ?? assert.fail());
    await well('on lab - %3');
  });
  afterEach(async () => {
    await shell.stop();
    await rm(directory, { recursive: true });
  });

  const well = async (line: string, by = shell) => {
    const result = await by.execute(line);
    assert.equal(result.ok, true, JSON.stringify(result));
    return result;
  };
  const codeOf = async (line: string, by = shell) => (await by.execute(line)).error?.code;

  it('keep vessels, groups, identities and defaults for the identity that saved them, and for no other', async () => {
    assert.deepEqual((await well('savestate evening')).identities, ['alice', 'bob']);
    assert.equal((await stat(join(directory, 'evening'))).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(join(directory, 'evening'), 'utf8'), /10\.0\.0|lab/);
    const again = new Shell({ directory });
    assert.equal(await codeOf('loadstate evening', again), 'NO_IDENTITY');
    await well('loadkeys bob', again);
    assert.equal(await codeOf('loadstate evening', again), 'SEAL_BROKEN');
    await well('loadkeys alice', again);
    const { vessels, identities } = await well('as alice loadstate evening', again);
    assert.deepEqual([vessels, identities], [2, ['bob', 'alice']]);
    assert.equal(again.prompt, 'alice@lab - %3 !> ');
    assert.deepEqual(again.session.targets.snapshot(), shell.session.targets.snapshot());
    assert.deepEqual((await well('show groups', again)).groups, (await well('show groups')).groups);
    const { id } = again.session.targets.put({
      node: generateIdentity().id,
      reach: again.session.targets.all[0]?.reach ?? assert.fail(),
      info: again.session.targets.all[0]?.info ?? assert.fail(),
    });
    assert.equal(id, '%4');
    await again.stop();
  });

  it('replace an older state, and never another file', async () => {
    await well('savestate evening');
    await well('savestate evening');
    await writeFile(join(directory, 'program.js'), 'log(1);');
    assert.equal(await codeOf('savestate program.js'), 'FILE_BROKEN');
    assert.equal(await readFile(join(directory, 'program.js'), 'utf8'), 'log(1);');
    assert.equal(await codeOf('savestate .'), 'FILE_BROKEN');
    assert.equal(await codeOf('savestate nowhere/x'), 'ENOENT');
    assert.deepEqual(
      (await readdir(directory)).filter((name) => name.endsWith('.part')),
      [],
    );
  });

  it('refuse a file that is missing, none of theirs, cut or too large', async () => {
    await well('savestate evening');
    assert.equal(await codeOf('loadstate nowhere'), 'FILE_MISSING');
    assert.equal(await codeOf('loadstate alice.private.jwk'), 'SEAL_BROKEN');
    await truncate(join(directory, 'evening'), 200);
    assert.equal(await codeOf('loadstate evening'), 'SEAL_BROKEN');
    await truncate(join(directory, 'evening'), STATE_LIMITS.bytes);
    assert.equal(await codeOf('loadstate evening'), 'SEAL_BROKEN');
    await truncate(join(directory, 'evening'), STATE_LIMITS.bytes + 1);
    assert.equal(await codeOf('loadstate evening'), 'FILE_TOO_LARGE');
    assert.equal(shell.session.targets.all.length, 2);
  });
});
