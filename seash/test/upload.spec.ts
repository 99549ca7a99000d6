import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@potluck/protocol';
import { readFolder, UPLOAD_LIMITS } from '../src/upload.ts';

describe('a folder on its way into vessels', () => {
  let directory: string;
  const write = (name: string, text = '') => writeFile(join(directory, name), text);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-upload-'));
  });
  afterEach(async () => await rm(directory, { recursive: true }));

  it('is its files in the order of their names, without folders and hidden files', async () => {
    await mkdir(join(directory, 'inner'));
    for (const name of ['b.txt', 'a.txt', '.hidden']) await write(name, name);
    const { uploads, skipped } = await readFolder(directory);
    assert.deepEqual(
      uploads.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
      [
        ['a.txt', 'a.txt'],
        ['b.txt', 'b.txt'],
      ],
    );
    assert.deepEqual(skipped, ['.hidden', 'inner']);
  });

  it(`has at most ${UPLOAD_LIMITS.files} files`, async () => {
    for (let index = 0; index < UPLOAD_LIMITS.files; index += 1) await write(`f${index}`);
    assert.equal((await readFolder(directory)).uploads.length, UPLOAD_LIMITS.files);
    await write('one-more');
    await assert.rejects(readFolder(directory), { code: 'BAD_ARGUMENTS' });
  });

  it(`has at most ${UPLOAD_LIMITS.bytes} bytes`, async () => {
    const whole = Math.floor(UPLOAD_LIMITS.bytes / LIMITS.fileBytes);
    for (let index = 0; index < whole; index += 1) {
      await write(`f${index}`);
      await truncate(join(directory, `f${index}`), LIMITS.fileBytes);
    }
    await write('rest');
    await truncate(join(directory, 'rest'), UPLOAD_LIMITS.bytes - whole * LIMITS.fileBytes);
    assert.equal((await readFolder(directory)).uploads.length, whole + 1);
    await write('one-more', 'x');
    await assert.rejects(readFolder(directory), { code: 'FILE_TOO_LARGE' });
  });

  it('is refused with a name that no vessel takes, or where there is none', async () => {
    await write('bad name');
    await assert.rejects(readFolder(directory), { code: 'BAD_NAME' });
    await assert.rejects(readFolder(join(directory, 'nowhere')), { code: 'FILE_MISSING' });
  });
});
