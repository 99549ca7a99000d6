import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS, Shell } from '../src/index.ts';
import { knowVessel } from './support.ts';

describe('retry', () => {
  let directory: string;
  let shell: Shell;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-'));
    shell = new Shell({ directory });
    await shell.execute('genkeys alice');
    await writeFile(join(directory, 'peers.txt'), 'x');
    for (const host of ['127.0.0.1', '127.0.0.2']) knowVessel(shell, {}, host);
  });
  after(async () => {
    await shell.stop();
    await rm(directory, { recursive: true });
  });

  it('says so when nothing has failed', async () => {
    const result = await shell.execute('retry');
    assert.deepEqual([result.command, result.ok, result.error?.code], ['retry', false, 'NO_TARGET']);
  });

  it('repeats the last command that failed, on the vessels where it failed, as whom it was', async () => {
    const failed = await shell.execute('on %all upload peers.txt there.txt');
    assert.equal(failed.ok, false);
    shell.session.targets.setGroup('uploadfail', shell.session.targets.resolve('%2'));
    const again = await shell.execute('retry');
    assert.equal(again.command, 'upload');
    assert.equal(again.file, 'there.txt');
    assert.deepEqual(
      shell.session.targets.resolve('uploadfail').map(({ id }) => id),
      ['%2'],
    );
    assert.deepEqual(shell.session.targets.resolve('uploadgood'), []);
  });

  it('takes no target', async () => {
    assert.equal((await shell.execute('on %1 retry')).error?.code, 'USAGE');
  });

  it('help names the groups that a command leaves, and they are there afterwards', async () => {
    const [help] = (await shell.execute('help upload')).commands as { groups: string[] }[];
    assert.deepEqual(help?.groups, ['uploadgood', 'uploadfail']);
    for (const name of help?.groups ?? []) assert.ok(shell.session.targets.groupNames.includes(name));
  });

  it('each command has an example that is a command, with its own name in it', () => {
    for (const { name, example } of COMMANDS) {
      assert.equal(shell.plan(example).length, 1, example);
      assert.ok(` ${example} `.includes(` ${name} `), `${name}: ${example}`);
    }
  });
});
