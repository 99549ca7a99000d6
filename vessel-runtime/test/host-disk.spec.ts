import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { link, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '@potluck/protocol';
import { Disk, FILE_COST_BYTES } from '../src/host/disk.ts';
import { FileSession } from '../src/host/file-session.ts';
import { bring, measuredBytes } from './files-helper.ts';
import { temporaryDirectory } from './helper.ts';

const LIMIT = 50_000;
const UNBRAKED = { fileread: 1e15, filewrite: 1e15 };

describe('the disk of a vessel', () => {
  let root: Awaited<ReturnType<typeof temporaryDirectory>>;
  let directory: string;
  let disk: Disk;
  beforeEach(async () => {
    root = await temporaryDirectory();
    directory = join(root.path, 'files');
    disk = new Disk({ directory, limitBytes: LIMIT });
    await disk.count();
  });
  afterEach(async () => {
    await disk.rest();
    await root[Symbol.asyncDispose]();
  });

  const make = (name: string) => disk.open(name, { create: true, empty: false });
  const measured = () => measuredBytes(directory);
  const bringIn = (name: string, bytes: Buffer) => bring(disk, name, bytes, join(root.path, 'incoming'));

  it('is filled to the last byte and not one more, which leaves what was there', async () => {
    await make('a');
    await disk.write('a', 0, Buffer.alloc(LIMIT - FILE_COST_BYTES, 'a'));
    assert.equal(disk.usedBytes, LIMIT);
    await assert.rejects(disk.write('a', LIMIT - FILE_COST_BYTES, Buffer.of(1)), {
      code: 'QUOTA_EXCEEDED',
      details: { limit: LIMIT, used: LIMIT + 1 },
    });
    await assert.rejects(disk.write('a', 1, Buffer.alloc(LIMIT - FILE_COST_BYTES)), { code: 'QUOTA_EXCEEDED' });
    await assert.rejects(make('b'), {
      code: 'QUOTA_EXCEEDED',
      details: { limit: LIMIT, used: LIMIT + FILE_COST_BYTES },
    });
    await assert.rejects(bringIn('b', Buffer.alloc(0)), { code: 'QUOTA_EXCEEDED' });
    await disk.write('a', 0, Buffer.alloc(100, 'b'));
    const bytes = await readFile(join(directory, 'a'));
    assert.ok(bytes.equals(Buffer.concat([Buffer.alloc(100, 'b'), Buffer.alloc(LIMIT - FILE_COST_BYTES - 100, 'a')])));
    assert.deepEqual(await readdir(directory), ['a']);
    assert.equal(await measured(), LIMIT);
  });

  it('has no holes: an offset may be the end of the file, and nothing beyond it', async () => {
    await make('a');
    await assert.rejects(disk.write('a', 1, Buffer.of(1)), { code: 'PAST_END' });
    await assert.rejects(disk.write('a', 1e15, Buffer.of(1)), { code: 'PAST_END' });
    assert.equal(await disk.write('a', 0, Buffer.of(1)), 1);
    assert.equal(await disk.write('a', 1, Buffer.of(2)), 2);
    assert.equal(await disk.write('a', null, Buffer.of(3)), 3);
    assert.equal(await measured(), disk.usedBytes);
  });

  it('has as many files as a vessel may have, and not one more', async () => {
    const wide = new Disk({ directory, limitBytes: 1e9 });
    await Promise.all(
      Array.from({ length: LIMITS.filesPerVessel - 1 }, (_, n) => writeFile(join(directory, `f${n}`), '')),
    );
    await wide.count();
    await wide.open('last', { create: true, empty: false });
    await assert.rejects(wide.open('more', { create: true, empty: false }), { code: 'TOO_MANY_FILES' });
    await assert.rejects(wide.reserve('more', 1), { code: 'TOO_MANY_FILES' });
    assert.equal(await wide.open('f0', { create: true, empty: true }), true);
    await wide.rest();
  });

  it('counts a file on its way in against others, and takes back what did not come', async () => {
    const room = await disk.reserve('a', LIMIT - FILE_COST_BYTES);
    await assert.rejects(disk.reserve('b', 0), { code: 'QUOTA_EXCEEDED' });
    assert.equal(disk.usedBytes, 0);
    room.release();
    room.release();
    await make('b');
    assert.equal(disk.usedBytes, FILE_COST_BYTES);
  });

  it('gives the program what an upload had set aside, which fails then, and tells of that room to nobody', async () => {
    const room = await disk.reserve('a', LIMIT - FILE_COST_BYTES);
    await make('b');
    await disk.write('b', 0, Buffer.alloc(10_000));
    const used = LIMIT + 1;
    await assert.rejects(disk.write('b', 0, Buffer.alloc(used - FILE_COST_BYTES)), { details: { limit: LIMIT, used } });
    await writeFile(join(root.path, 'incoming'), Buffer.alloc(LIMIT - FILE_COST_BYTES));
    await assert.rejects(room.commit(join(root.path, 'incoming')), { code: 'QUOTA_EXCEEDED' });
    room.release();
    assert.equal(await measured(), disk.usedBytes);
  });

  it('refuses an upload in whose place something else has grown meanwhile', async () => {
    await make('a');
    await disk.write('a', 0, Buffer.alloc(30_000));
    const room = await disk.reserve('a', 40_000);
    await disk.remove('a');
    await make('b');
    await disk.write('b', 0, Buffer.alloc(20_000));
    await writeFile(join(root.path, 'incoming'), Buffer.alloc(40_000));
    await assert.rejects(room.commit(join(root.path, 'incoming')), { code: 'QUOTA_EXCEEDED' });
    assert.deepEqual(disk.names, ['b']);
    assert.equal(await measured(), disk.usedBytes);
  });

  it('reads and writes the new file when an open one is replaced', async () => {
    await make('a');
    await disk.write('a', 0, Buffer.from('old and longer'));
    await bringIn('a', Buffer.from('new'));
    assert.equal(Buffer.from((await disk.read('a', 0, 100)).bytes).toString(), 'new');
    await assert.rejects(disk.write('a', 4, Buffer.from('x')), { code: 'PAST_END' });
    await disk.write('a', 3, Buffer.from('er'));
    assert.equal(await readFile(join(directory, 'a'), 'utf8'), 'newer');
    assert.equal(await measured(), disk.usedBytes);
  });

  it('never reaches through a link, into a pipe, a device or a directory, and is never kept waiting by one', async () => {
    const outside = join(root.path, 'outside');
    await writeFile(outside, 'of somebody else');
    await symlink(outside, join(directory, 'symlink'));
    await symlink(join(directory, 'none'), join(directory, 'dangling'));
    await link(outside, join(directory, 'hardlink'));
    await mkdir(join(directory, 'directory'));
    spawnSync('mkfifo', [join(directory, 'pipe')]);
    const planted = ['symlink', 'dangling', 'hardlink', 'directory', 'pipe'];
    if (spawnSync('mknod', [join(directory, 'device'), 'c', '1', '5']).status === 0) planted.push('device');
    for (const counted of [false, true]) {
      if (counted) await disk.count();
      for (const name of planted) {
        for (const init of [
          { create: false, empty: false },
          { create: true, empty: false },
          { create: true, empty: true },
        ]) {
          await assert.rejects(disk.open(name, init), { code: 'NO_SUCH_FILE' }, name);
        }
        await assert.rejects(disk.read(name, 0, 10), { code: 'NO_SUCH_FILE' }, name);
        await assert.rejects(disk.write(name, 0, Buffer.of(1)), { code: 'NO_SUCH_FILE' }, name);
        await assert.rejects(disk.remove(name), { code: 'NO_SUCH_FILE' }, name);
      }
    }
    assert.equal(disk.usedBytes, 0);
    assert.equal(await readFile(outside, 'utf8'), 'of somebody else');
    assert.deepEqual((await readdir(directory)).sort(), planted.sort());
  });

  it('does not follow a link that took the place of a file, and no longer counts that file', async () => {
    const outside = join(root.path, 'outside');
    await writeFile(outside, 'of somebody else');
    await make('a');
    await disk.write('a', 0, Buffer.alloc(100));
    await disk.rest();
    await rm(join(directory, 'a'));
    await symlink(outside, join(directory, 'a'));
    await assert.rejects(disk.write('a', 0, Buffer.of(1)), { code: 'NO_SUCH_FILE' });
    assert.equal(disk.usedBytes, 0);
    assert.equal(await readFile(outside, 'utf8'), 'of somebody else');
  });

  it('keeps few descriptors, however many files are in use', async () => {
    const roomy = new Disk({ directory, limitBytes: 1e9 });
    const open = async () => (await readdir('/proc/self/fd')).length;
    const before = await open();
    for (let n = 0; n < 100; n++) await roomy.open(`f${n}`, { create: true, empty: false });
    for (let n = 0; n < 100; n++) await roomy.write(`f${n}`, 0, Buffer.from(`${n}`));
    assert.ok((await open()) - before <= 10);
    for (let n = 0; n < 100; n++) assert.equal(Buffer.from((await roomy.read(`f${n}`, 0, 9)).bytes).toString(), `${n}`);
    await roomy.rest();
    assert.ok((await open()) <= before);
  });

  it('begins no call of a program that has ended, and none of it meets the next program', async () => {
    const old = new FileSession(disk, { quantities: UNBRAKED, tell: () => {} });
    const write = (text: string) => {
      const call = { attachment: Buffer.from(text), room: 0 };
      return old.services.writeat?.(['a', null], call).catch((error: Error) => error.name) ?? '';
    };
    await make('a');
    const outcomes = Array.from({ length: 20 }, () => write('old'));
    await outcomes[0];
    await old.stop();
    await disk.clear();
    const next = new FileSession(disk, { quantities: UNBRAKED, tell: () => {} });
    await next.services.openfile?.(['a', true, false], { attachment: Buffer.alloc(0), room: 0 });
    await Promise.all(outcomes);
    assert.equal(await write('late'), 'AbortError');
    assert.equal(await readFile(join(directory, 'a'), 'utf8'), '');
    await next.stop();
  });

  it('is charged for by the node manager too, whatever a process charges itself', async () => {
    const session = new FileSession(disk, { quantities: { fileread: 1e15, filewrite: 40_960 }, tell: () => {} });
    await make('a');
    const begin = performance.now();
    const call = { attachment: Buffer.alloc(4096), room: 0 };
    await Promise.all(Array.from({ length: 15 }, () => session.services.writeat?.(['a', 0], call)));
    // The first second's worth is free: the 15th waits for 14 - 10 blocks, at 10 a second.
    assert.ok(performance.now() - begin >= 390);
    await session.stop();
  });
});
