import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPayload } from '../src/build.ts';
import { run } from './extracted.ts';

const installer = join(import.meta.dirname, '../bin/installer.ts');

describe('installer build', function () {
  this.timeout(120_000);
  let directory: string;
  let out: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-build-'));
    out = join(directory, 'new/payload.tgz');
  });
  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('writes one archive and its key, and no other file', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [installer, 'build', '--out', out]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /payload\.tgz: \d+\.\d MB, built in \d+\.\d s\n$/);
    assert.deepEqual((await readdir(join(directory, 'new'))).sort(), ['payload.tgz', 'payload.tgz.key']);
  });

  it('holds what an installation needs, and the native parts of this platform only', async () => {
    const { stdout } = await run('tar', ['tzf', out]); // It complains of the missing end, as it must.
    const names = stdout.trim().split('\n');
    for (const name of ['install.sh', 'bin/node', 'lib/nodemanager.mjs', 'lib/installer.mjs', 'lib/vessel.mjs']) {
      assert.ok(names.includes(`potluck/${name}`), name);
    }
    assert.deepEqual(names.filter((name) => name.endsWith('.node')).sort(), [
      'potluck/lib/isolated-vm.node',
      `potluck/lib/node_modules/better-sqlite3/prebuilds/${process.platform}-${process.arch}.node`,
    ]);
  });

  it('packs nothing when its parts have not changed', async () => {
    const before = await stat(out);
    assert.equal((await buildPayload(out)).rebuilt, false);
    assert.equal((await stat(out)).ino, before.ino);
  });

  it('packs again what was cut or lengthened, to the same bytes', async () => {
    const whole = await readFile(out);
    await truncate(out, 1000);
    assert.equal((await buildPayload(out)).rebuilt, true);
    assert.ok(whole.equals(await readFile(out)));
    await appendFile(out, 'x');
    assert.equal((await buildPayload(out)).rebuilt, true);
  });

  it('refuses a wrong command line with exit code 2', async () => {
    for (const args of [[], ['build'], ['build', '--out'], ['pack', '--out', out], ['build', '--out', out, '--fast']]) {
      const { code, stderr } = await run(process.execPath, [installer, ...args]);
      assert.equal(code, 2);
      assert.match(stderr, /^installer: expected "build --out FILE", got /);
    }
  });

  it('says in one sentence that it cannot write there', async () => {
    await assert.rejects(buildPayload('/proc/potluck/payload.tgz'), { code: 'WRITE_FAILED' });
  });
});
