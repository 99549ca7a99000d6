import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type RuntimeFiles, runtimeFiles } from '../src/build.ts';
import { availableCage } from '../src/host/bubblewrap.ts';
import { wrap } from '../src/host/launch.ts';
import { sharedFiles } from '../src/host/shared-files.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { realRuntime, removeRuntime, temporaryDirectory } from './helper.ts';

const MODULE = new URL('../src/host/shared-files.ts', import.meta.url).href;

/** A process that shares its own file, and stays. */
async function sharer(then: string): Promise<{ path: string; end: (signal: NodeJS.Signals) => Promise<void> }> {
  const script = `import { sharedFiles } from '${MODULE}';
    const file = '${import.meta.filename}';
    ${then}
    process.stdout.write(sharedFiles({ entry: file, native: file }).entry);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const [path] = (await once(child.stdout, 'data')) as [Buffer];
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await gone;
  };
  return { path: String(path), end };
}

describe('runtime files behind bubblewrap', () => {
  let files: RuntimeFiles;
  before(async function () {
    if (availableCage(wrap)?.ownUser !== true) this.skip();
    files = await realRuntime();
  });
  after(removeRuntime);

  it('are the same for all vessels, which share their pages, and nobody can change them', async () => {
    await using one = VesselProcess.spawn(files);
    await using other = VesselProcess.spawn(files);
    await Promise.all([one.ready, other.ready]);
    const [first, second] = [one, other].map(({ pid }) => statSync(`/proc/${pid}/root/vessel/isolated-vm.node`));
    assert.deepEqual([first?.dev, first?.ino], [second?.dev, second?.ino]);
    assert.equal(first?.uid, 0);
    assert.equal((first?.mode ?? 0) & 0o777, 0o644);
  });

  it('are made again when somebody has tidied them up', async () => {
    const before = sharedFiles(files)?.entry ?? '';
    rmSync(dirname(before), { recursive: true });
    await using vessel = VesselProcess.spawn(files);
    await vessel.ready;
    assert.equal(existsSync(sharedFiles(files)?.entry ?? ''), true);
  });

  it('keep a vessel from being started where there is no room for them, and leave no half of them', async () => {
    await using directory = await temporaryDirectory();
    const { entry } = await runtimeFiles(directory.path);
    assert.equal(sharedFiles({ entry, native: `${directory.path}/none` }), undefined);
    assert.throws(() => VesselProcess.spawn({ entry, native: `${directory.path}/none` }), { code: 'SPAWN_FAILED' });
  });

  it('go with the process that shared them, and after its violent death with the next one', async () => {
    const killed = await sharer('setInterval(() => {}, 2 ** 30);');
    await killed.end('SIGKILL');
    assert.equal(existsSync(killed.path), true);
    const next = await sharer("process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 2 ** 30);");
    assert.equal(existsSync(killed.path), false);
    await next.end('SIGTERM');
    assert.equal(existsSync(dirname(dirname(next.path))), false);
  });
});
