import assert from 'node:assert/strict';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogRing } from '../src/log-ring.ts';
import { TemporaryDirectory } from './support.ts';

describe('a log of two files', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await TemporaryDirectory.make();
  });
  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });
  const paths = () => ({ newPath: join(directory.path, 'log.new'), oldPath: join(directory.path, 'log.old') });
  const open = (limitBytes = 100): LogRing => {
    const ring = new LogRing({ ...paths(), limitBytes });
    ring.start();
    return ring;
  };
  const read = (ring: LogRing) => {
    const { bytes, droppedBytes } = ring.read();
    return { text: bytes.toString(), droppedBytes };
  };

  it('keeps everything up to its two limits', () => {
    const ring = open();
    ring.append('a'.repeat(100));
    ring.append('b'.repeat(100));
    assert.deepEqual(read(ring), { text: 'a'.repeat(100) + 'b'.repeat(100), droppedBytes: 0 });
    ring.append('c');
    assert.deepEqual(read(ring), { text: `${'b'.repeat(100)}c`, droppedBytes: 100 });
    ring.close();
  });

  it('counts on after it was closed, started again, or its process was killed', () => {
    const ring = open();
    for (let n = 0; n < 50; n += 1) ring.append(`${n}`.padEnd(10, '.')); // Left open, as by SIGKILL.
    const again = open();
    again.append('end');
    const { text, droppedBytes } = read(again);
    assert.equal(text.length + droppedBytes, 503);
    assert.ok(text.endsWith('49........end'));
    ring.close();
    again.close();
  });

  it('is empty and counts from nothing after it was cleared', () => {
    const ring = open();
    for (let n = 0; n < 5; n += 1) ring.append('x'.repeat(100));
    ring.clear();
    assert.deepEqual(read(ring), { text: '', droppedBytes: 0 });
    ring.append('y');
    assert.deepEqual(read(ring), { text: 'y', droppedBytes: 0 });
    ring.close();
  });

  it('cuts a long text between two characters', () => {
    const ring = open();
    ring.append('ü€😀'.repeat(40));
    const { text, droppedBytes } = read(ring);
    assert.ok(!text.includes('\ufffd'));
    assert.equal(Buffer.byteLength(text) + droppedBytes, 40 * 9);
    ring.close();
  });

  it('takes a file whose beginning was not written whole for one that never was', async () => {
    const ring = open();
    ring.append('a'.repeat(80));
    ring.append('b'.repeat(80));
    ring.close();
    await writeFile(paths().newPath, '{"sta');
    const again = open();
    again.append('c');
    assert.deepEqual(read(again), { text: `${'a'.repeat(80)}c`, droppedBytes: 0 });
    again.close();
  });

  it('never writes through a link, and says what was lost', async () => {
    const target = join(directory.path, 'elsewhere');
    await writeFile(target, 'kept');
    const ring = open();
    ring.append('first');
    ring.close();
    await rm(paths().newPath);
    await symlink(target, paths().newPath);
    const again = open();
    again.append('second');
    assert.equal(read(again).text, 'second');
    again.close();
    assert.equal(await readFile(target, 'utf8'), 'kept');
  });
});
