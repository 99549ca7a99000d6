import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from '@potluck/protocol';
import { Shell } from '../src/index.ts';
import { STATE_LIMITS } from '../src/state.ts';
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

  it('bring variables, settings and public keys back', async () => {
    for (const line of ['genkeys carol as other', 'set peer 10.0.0.7', 'set timeout 7', 'set uploadrate 5120'])
      await well(line);
    const fresh = new Shell({ directory });
    await well('loadkeys alice', fresh);
    await well('loadpub carol', fresh);
    await well('savestate evening');
    await well('loadstate evening', fresh);
    assert.equal((await well('set x $peer', fresh)).value, '10.0.0.7');
    assert.deepEqual((await well('show timeout', fresh)).value, 7);
    assert.deepEqual((await well('show uploadrate', fresh)).value, 5120);
    await well('savestate morning', fresh);
    const last = new Shell({ directory });
    await well('loadkeys alice', last);
    await well('loadstate morning', last);
    assert.deepEqual((await well('show keys', last)).keys, (await well('show keys', fresh)).keys);
  });

  describe('autosave', () => {
    let home: string;
    beforeEach(async () => {
      home = join(directory, 'home');
      await shell.stop();
      shell = new Shell({ directory, home });
      await well('loadkeys alice');
    });
    const fileOf = (key: unknown) => join(home, 'autosave', `${key}.state`);

    it('keeps the state after each command, in a file of the identity that no other opens', async () => {
      const { key } = await well('loadkeys alice');
      await assert.rejects(stat(fileOf(key)), { code: 'ENOENT' });
      await well('set autosave on');
      knowVessel(shell);
      await well('add %1 to lab');
      assert.equal((await stat(fileOf(key))).mode & 0o777, 0o600);
      assert.doesNotMatch(await readFile(fileOf(key), 'utf8'), /10\.0\.0|lab/);
      const again = new Shell({ directory, home });
      await well('loadkeys bob', again);
      assert.equal(await codeOf('loadstate', again), 'FILE_MISSING');
      assert.equal(await codeOf(`loadstate ${fileOf(key)}`, again), 'SEAL_BROKEN');
      await well('loadkeys alice', again);
      await well('as alice loadstate', again);
      assert.deepEqual((await well('show groups', again)).groups, (await well('show groups')).groups);
      assert.equal(again.session.autosave, true);
    });

    it('puts aside once what another shell kept, and then replaces its own', async () => {
      const { key } = await well('set autosave on').then(() => well('loadkeys alice'));
      await well('set first 1');
      const other = new Shell({ directory, home });
      await well('loadkeys alice', other);
      await well('set autosave on', other);
      await well('set second 2', other);
      await well('set third 3', other);
      const last = new Shell({ directory, home });
      await well('loadkeys alice', last);
      await well(`loadstate ${fileOf(key)}.old`, last);
      assert.deepEqual([...last.session.variables.keys()], ['first']);
      await well('loadstate', last);
      assert.deepEqual([...last.session.variables.keys()], ['second', 'third']);
    });

    it('says so and stops when it cannot keep the state; the command itself went well', async () => {
      await writeFile(home, 'in the way');
      const result = await well('set autosave on');
      assert.match(String(result.warning), /^autosave is off now: /);
      assert.equal((await well('show groups')).warning, undefined);
    });
  });
});
