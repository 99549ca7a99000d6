import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchiveFile, writeArchive } from '../src/archive.ts';
import { personalPart } from './personal.ts';

describe('the archive writer', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-archive-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Larger than one piece, so that several gzip members follow each other. */
  async function parts(): Promise<ArchiveFile[]> {
    const file = join(directory, 'large');
    await writeFile(file, randomBytes(9 * 1024 * 1024 + 7));
    return [
      { path: 'potluck/install.sh', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
      { path: 'potluck/lib/empty', mode: 0o644, content: Buffer.alloc(0) },
      { path: 'potluck/bin/large', mode: 0o755, content: { file, size: 9 * 1024 * 1024 + 7 } },
    ];
  }

  it('writes what the system tar reads together with a second gzip member', async () => {
    const path = join(directory, 'all.tgz');
    await writeArchive(path, await parts());
    await appendFile(path, personalPart('{"donor":"alice"}'));
    await mkdir(join(directory, 'out'));
    execFileSync('tar', ['xzf', path, '-C', join(directory, 'out')], { stdio: 'pipe' });
    const out = join(directory, 'out', 'potluck');
    assert.deepEqual((await readdir(out)).sort(), ['bin', 'donation.json', 'install.sh', 'lib']);
    assert.equal(await readFile(join(out, 'donation.json'), 'utf8'), '{"donor":"alice"}');
    assert.deepEqual(await readFile(join(out, 'bin/large')), await readFile(join(directory, 'large')));
    assert.equal((await stat(join(out, 'lib/empty'))).size, 0);
    const modes = ['install.sh', 'bin/large', 'lib/empty', 'bin'].map(
      async (name) => (await stat(join(out, name))).mode,
    );
    assert.deepEqual(
      (await Promise.all(modes)).map((mode) => (mode & 0o777).toString(8)),
      ['755', '755', '644', '755'],
    );
  });

  it('writes the same bytes of the same parts', async () => {
    const files = await parts();
    const [one, other] = [join(directory, 'one'), join(directory, 'other')];
    await writeArchive(one, files);
    await writeArchive(other, files);
    assert.ok((await readFile(one)).equals(await readFile(other)));
  });

  it('refuses a name that a plain header cannot hold', async () => {
    const path = `potluck/${'a'.repeat(200)}/${'b'.repeat(200)}`;
    const files = [{ path, mode: 0o644, content: Buffer.alloc(0) }];
    await assert.rejects(writeArchive(join(directory, 'one'), files), { code: 'NAME_TOO_LONG' });
  });

  it('refuses a part that changes while it is packed', async () => {
    const [, , large] = await parts();
    assert.ok(large && !Buffer.isBuffer(large.content));
    const files = [{ ...large, content: { ...large.content, size: large.content.size + 1 } }];
    await assert.rejects(writeArchive(join(directory, 'one'), files), { code: 'WRITE_FAILED' });
  });

  it('never writes over a file', async () => {
    await writeFile(join(directory, 'one'), 'mine');
    await assert.rejects(writeArchive(join(directory, 'one'), []), { code: 'EEXIST' });
    assert.equal(await readFile(join(directory, 'one'), 'utf8'), 'mine');
  });
});
