import assert from 'node:assert/strict';
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kept } from '../src/kept.ts';
import { temporaryDirectory } from './helper.ts';

describe('what is made of sources', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let source: string;
  let place: string;
  let times: number;
  const make = async () => {
    times += 1;
    return { text: `made of ${await readFile(source, 'utf8').catch(() => 'nothing')}`, files: [source] };
  };

  beforeEach(async () => {
    directory = await temporaryDirectory();
    source = join(directory.path, 'source');
    place = join(directory.path, 'new', 'kept.json');
    times = 0;
    await writeFile(source, 'one');
    await utimes(source, new Date(), new Date(Date.now() - 1000)); // Not while it is made.
  });
  afterEach(async () => await directory[Symbol.asyncDispose]());

  it('is made once, also by two at the same time, and nothing else is left there', async () => {
    assert.deepEqual(await Promise.all([kept(place, make), kept(place, make)]), ['made of one', 'made of one']);
    times = 0;
    assert.equal(await kept(place, make), 'made of one');
    assert.equal(times, 0);
    assert.deepEqual(await readdir(join(place, '..')), ['kept.json']);
  });

  it('is made anew when one of them has changed or is gone', async () => {
    await kept(place, make);
    await writeFile(source, 'two');
    assert.equal(await kept(place, make), 'made of two');
    await rm(source);
    assert.equal(await kept(place, make), 'made of nothing');
    assert.equal(times, 3);
  });

  it('is made anew when one of them was written while it was made', async () => {
    const overtaken = async () => {
      const made = await make();
      await writeFile(source, 'two');
      await utimes(source, new Date(), new Date(Date.now() + 1000));
      return made;
    };
    assert.equal(await kept(place, overtaken), 'made of one');
    assert.equal(await kept(place, make), 'made of two');
  });

  it('is made anew where what was kept is broken', async () => {
    await kept(place, make);
    await writeFile(place, '{"text":"made of o');
    assert.equal(await kept(place, make), 'made of one');
    assert.equal(times, 2);
  });

  it('is made each time where it cannot be kept', async () => {
    const nowhere = join(source, 'kept.json');
    assert.deepEqual([await kept(nowhere, make), await kept(nowhere, make)], ['made of one', 'made of one']);
    assert.equal(times, 2);
  });
});
