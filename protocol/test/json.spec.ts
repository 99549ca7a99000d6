import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJson, writeJson } from '../src/index.ts';

describe('JSON', () => {
  it('is undefined where a text is none', () => {
    assert.deepEqual(parseJson('{ "a": [1] }'), { a: [1] });
    for (const text of ['', '{', 'potluck']) assert.equal(parseJson(text), undefined);
  });

  it('stands in a file whole, for its owner alone, and a failed write leaves nothing behind', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'potluck-json-'));
    try {
      const path = join(directory, 'a.json');
      for (const value of [{ a: 1 }, { a: 2 }]) {
        await writeJson(path, value);
        assert.deepEqual(parseJson(await readFile(path, 'utf8')), value);
      }
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      await mkdir(join(directory, 'b.json'));
      await assert.rejects(writeJson(join(directory, 'b.json'), 1), { code: 'EISDIR' });
      assert.deepEqual((await readdir(directory)).sort(), ['a.json', 'b.json']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
