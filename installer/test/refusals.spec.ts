import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Extracted, type Outcome, processesUnder, run } from './extracted.ts';

/** One sentence, and no stack. */
function assertRefused(outcome: Outcome, code: number, sentence: RegExp): void {
  assert.equal(outcome.code, code, outcome.stdout + outcome.stderr);
  assert.match(outcome.stderr, sentence);
  assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, outcome.stderr);
  assert.equal(outcome.stdout, '');
}

describe('an installation that cannot be', function () {
  this.timeout(120_000);
  let archive: Extracted;
  let directory: string;

  before(async () => {
    archive = await Extracted.make();
    directory = archive.path('installed');
  });
  after(async () => {
    await archive?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    assert.equal(existsSync(directory), false, 'expected nothing to be left');
    assert.deepEqual(await processesUnder(directory), []);
  });

  const flags = (): string[] => ['--directory', directory, '--address', '127.0.0.9', '--port', '0'];

  it('is refused for a wrong percentage, with exit code 2', async () => {
    const outcome = await archive.install(...flags(), '--percent', '80');
    assertRefused(outcome, 2, /^install\.sh: expected --percent to be a whole number of 1 to 50, got "80"$/m);
  });

  it('is refused where files of others are, which stay as they are', async () => {
    const taken = archive.path('taken');
    await mkdir(taken, { mode: 0o755 });
    await writeFile(join(taken, 'thesis.txt'), 'mine');
    const outcome = await archive.install(...flags(), '--directory', taken);
    assertRefused(outcome, 1, /expected a new or empty directory, got one with files in it at .*taken/);
    assert.deepEqual(await readdir(taken), ['thesis.txt']);
    assert.equal(await readFile(join(taken, 'thesis.txt'), 'utf8'), 'mine');
  });

  it('is refused where a file is', async () => {
    await writeFile(archive.path('file'), 'mine');
    assertRefused(await archive.install(...flags(), '--directory', archive.path('file')), 1, /got a file/);
    assertRefused(await archive.install(...flags(), '--directory', archive.path('file/below')), 1, /a file/);
  });

  it('is refused where nothing may be written', async () => {
    for (const place of ['/sys/potluck-test', '/proc/potluck-test/below']) {
      const outcome = await archive.install(...flags(), '--directory', place);
      assertRefused(outcome, 1, /expected (permission to write there|a disk that can be written|a place where)/);
    }
  });

  it('is refused for a port in use, before anything is written', async () => {
    const server = createServer().listen(0, '127.0.0.9');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const outcome = await archive.install(...flags(), '--port', String(port));
      assertRefused(outcome, 1, new RegExp(`expected 127\\.0\\.0\\.9 port ${port} to be free`));
    } finally {
      server.close();
      await once(server, 'close');
    }
  });

  it('is refused for an address of another machine', async () => {
    const outcome = await archive.install(...flags(), '--address', '192.0.2.1');
    assertRefused(outcome, 1, /expected 192\.0\.2\.1 to be an address of this machine/);
  });

  for (const [what, text, got] of [
    ['not JSON', '{"clearinghouse":', /something that is not JSON/],
    ['of another shape', '{"clearinghouse":"http://127.0.0.1","donor":"alice"}', /gateway|owner/],
  ] as const) {
    it(`is refused for a donation.json that is ${what}`, async () => {
      const script = await archive.variant(`broken-${what.replaceAll(' ', '-')}`, 'donation.json', text);
      const outcome = await run(script, flags());
      assertRefused(outcome, 1, /^install\.sh: expected a donation in .*: download the archive again$/m);
      assert.match(outcome.stderr, got);
    });
  }

  it('says the last words of a node manager that does not start, and leaves not even the directories above', async () => {
    const program = 'console.error("expected a moon, got none");process.exit(1);';
    const script = await archive.variant('moonless', 'lib/nodemanager.mjs', program);
    const outcome = await run(script, [...flags(), '--directory', join(directory, 'deep/down')]);
    assertRefused(outcome, 1, /expected the node manager to start, .*: expected a moon, got none$/m);
  });

  it('leaves an empty directory that was there as it was', async () => {
    const empty = archive.path('empty');
    await mkdir(empty);
    const script = await archive.variant('moonless-too', 'lib/nodemanager.mjs', 'process.exit(1);');
    const outcome = await run(script, [...flags(), '--directory', empty]);
    assertRefused(outcome, 1, /it ended and said: nothing/);
    assert.deepEqual(await readdir(empty), []);
  });

  it('is refused on another system by install.sh itself', async () => {
    const fake = archive.path('fake');
    await mkdir(fake);
    await writeFile(join(fake, 'uname'), '#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n');
    await chmod(join(fake, 'uname'), 0o755);
    const env = { ...process.env, PATH: `${fake}:${process.env.PATH}` };
    const outcome = await run(join(archive.top, 'install.sh'), flags(), env);
    assertRefused(outcome, 1, /^install\.sh: expected Linux-\w+, got Darwin-arm64$/m);
  });

  it('is refused by a full disk, which is empty again afterwards', async () => {
    const disk = archive.path('disk');
    await mkdir(disk);
    // Only root may mount: for anybody else there is no small disk to fill, and nothing is tested here.
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk]).status !== 0) return;
    try {
      const outcome = await archive.install(...flags(), '--directory', join(disk, 'installed'));
      assertRefused(outcome, 1, /expected room for the installation, got a full disk: /);
      assert.deepEqual(await readdir(disk), []);
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
