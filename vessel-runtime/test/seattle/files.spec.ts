import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Disk } from '../../src/host/disk.ts';
import { directFiles } from '../files-helper.ts';
import { removeRuntime, temporaryDirectory } from '../helper.ts';
import { type RunOptions, runCaught, runProgram } from '../process-helper.ts';

/** A test here may end in any order of its calls, because each awaits; what Seattle returned is what the promise gives. */
const CODES = `const codeOf = async (run) => { try { await run(); return 'none'; } catch (error) { return error.code; } };
const used = (name) => getresources().usage[name];\n`;
describe("files as in Seattle's semantics", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let disk: Disk;
  before(async () => {
    directory = await temporaryDirectory();
    disk = new Disk({ directory: directory.path, limitBytes: 1_000_000 });
    await disk.count();
  });
  afterEach(() => disk.clear());
  after(async () => {
    await disk.rest();
    await directory[Symbol.asyncDispose]();
    await removeRuntime();
  });

  const run = async (body: string, options: RunOptions = {}): Promise<string> => {
    const { log, ending } = await runProgram(`${CODES}${body}`, { disk, ...options });
    assert.equal(ending.kind, 'finished', ending.message);
    return log;
  };
  const files = async () => (await readdir(directory.path)).sort();
  const content = async (name: string) => await readFile(join(directory.path, name), 'utf8');

  it('Seattle 19: openfile of a missing name without create is FileNotFoundError and makes no file; with it makes one', async () => {
    assert.equal(await run("log(await codeOf(() => openfile('a.txt', false)));"), 'FILE_NOT_FOUND');
    assert.deepEqual(await files(), []);
    const log = await run("const f = await openfile('a.txt', true); await f.close(); log(await listfiles());");
    assert.equal(log, '["a.txt"]');
    assert.deepEqual(await files(), ['a.txt']);
  });

  it('Seattle 20: a bad name is RepyArgumentError in every call that takes one', async () => {
    const names = `['', '.', '..', '.x', 'A', 'a/b', 'a\\\\b', '../x', '/etc/passwd', 'a'.repeat(121), 'a\\0.txt', 'a\\n', 'ä', 'a b', '%2e', 'a\\u202e', 'private_x', 1, null, undefined, {}, [], () => {}, Symbol('a'), new String('a')]`;
    const body = `let wrong = 0;
      for (const name of ${names}) for (const call of [() => openfile(name, true), () => removefile(name), () => open(name, 'w')])
        if (await codeOf(call) !== 'ARGUMENT') wrong++;
      for (const create of [undefined, null, 1, 'true']) if (await codeOf(() => openfile('a', create)) !== 'ARGUMENT') wrong++;
      log(wrong); await (await openfile('a'.repeat(120), true)).close(); await (await openfile('-._09z', true)).close();`;
    assert.equal(await run(body), '0');
    assert.deepEqual(await files(), ['-._09z', 'a'.repeat(120)]);
  });

  it('Seattle 21: an open file cannot be opened or removed; past the handle limit nothing is made', async () => {
    const body = `const f = await openfile('a', true);
      log(await codeOf(() => openfile('a', true)), await codeOf(() => openfile('a', false)), await codeOf(() => open('a')), await codeOf(() => removefile('a')), used('filesopened'), '');
      const g = await openfile('b', true);
      log(await codeOf(() => openfile('c', true)), await codeOf(() => openfile('a', true)), await codeOf(() => openfile('A', true)), used('filesopened'), '');
      await f.close(); log(used('filesopened'), ''); await removefile('a'); await (await openfile('c', true)).close(); log(await listfiles());`;
    const log = await run(body, { restrictions: 'resource filesopened 2' });
    assert.equal(
      log,
      'FILE_IN_USE FILE_IN_USE FILE_IN_USE FILE_IN_USE 1 RESOURCE_EXHAUSTED FILE_IN_USE ARGUMENT 2 1 ["b", "c"]',
    );
  });

  it('Seattle 22: beyond the end is SeekPastEndOfFileError; at the end reads nothing and appends; negative is refused', async () => {
    const body = `const f = await openfile('a', true); await f.writeat('hello', 0);
      log(await codeOf(() => f.readat(null, 6)), await codeOf(() => f.readat(0, 6)), await codeOf(() => f.writeat('x', 6)), await codeOf(() => f.writeat('', 6)), await codeOf(() => f.writeat('x', 1e15)), '');
      log(JSON.stringify(await f.readat(null, 5)), await f.writeat(' world', 5), await f.readat(null, 0), await f.readat(4, 1), JSON.stringify(await f.readat(0, 1)), '');
      for (const call of [() => f.readat(-1, 0), () => f.readat(1, -1), () => f.readat(null, 0.5), () => f.readat(undefined, 0), () => f.readat('1', 0), () => f.readat(1), () => f.readat(NaN, 0), () => f.writeat('x', -1), () => f.writeat('x'), () => f.writeat(1, 0), () => f.writeat(null, 0), () => f.writeat([1], 0), () => f.readat(1, 2 ** 53)])
        log(await codeOf(call), '');`;
    const past = 'SEEK_PAST_END_OF_FILE '.repeat(5);
    const expected = `${past}"" undefined hello world ello "" ${'ARGUMENT '.repeat(13)}`;
    assert.equal(await run(body), expected);
    assert.equal(await content('a'), 'hello world');
  });

  it('Seattle 23: each touched block is charged 4096; openfile charges reading, and writing when it makes the file', async () => {
    // Without a process in between: there, what was used drains by the clock.
    const { files, charged } = directFiles(disk);
    const f = await files.open('a', { create: true, empty: false });
    assert.deepEqual(charged(), { fileread: 4096, filewrite: 4096 });
    const write = (text: string, at: number) => files.alone(f, (name) => files.write(name, at, Buffer.from(text)));
    const read = (at: number, most?: number) => files.alone(f, (name) => files.read(name, at, most));
    const cases: [run: () => Promise<unknown>, fileread: number, filewrite: number][] = [
      [() => write('x'.repeat(10_000), 0), 0, 3],
      [() => read(0, 1), 1, 0],
      [() => write('x', 4096), 0, 1],
      [() => read(4095, 2), 2, 0],
      [() => read(0), 3, 0],
      [() => read(4096, 4096), 1, 0],
      [() => read(10_000), 1, 0],
      [() => files.list(), 1, 0],
      [() => assert.rejects(files.open('none', { create: false, empty: false })), 1, 0],
      [() => assert.rejects(files.remove('none')), 1, 0],
      [() => assert.rejects(files.remove('a')), 0, 0],
      [() => assert.rejects(read(10_001)), 0, 0],
      [() => assert.rejects(write('', 10_001)), 0, 0],
      [() => files.close(f), 0, 0],
      [async () => files.close(await files.open('a', { create: true, empty: false })), 1, 0],
      [async () => files.close(await files.open('a', { create: true, empty: true })), 1, 1],
      [() => files.remove('a'), 1, 1],
    ];
    for (const [index, [act, fileread, filewrite]] of cases.entries()) {
      await act();
      assert.deepEqual(charged(), { fileread: fileread * 4096, filewrite: filewrite * 4096 }, `case ${index}`);
    }
  });

  it('Seattle 24: a closed file raises FileClosedError from every method; close lets a write under way finish', async () => {
    const body = `const f = await openfile('a', true); const data = 'x'.repeat(300000);
      const writing = f.writeat(data, 0); const closing = f.close();
      log(await codeOf(() => f.writeat('y', 0)), await codeOf(() => f.readat(1, 0)), await codeOf(() => f.close()), '');
      await closing; await writing;
      const g = await openfile('a', false); log((await g.readat(null, 0)) === data); await g.close();`;
    assert.equal(await run(body), 'FILE_CLOSED FILE_CLOSED FILE_CLOSED true');
    assert.equal((await content('a')).length, 300_000);
  });

  it('Seattle 25: removefile of a missing file is FileNotFoundError and charges reading only', async () => {
    assert.equal(await run("log(await codeOf(() => removefile('none')));"), 'FILE_NOT_FOUND');
    const { files, charged } = directFiles(disk);
    await assert.rejects(files.remove('none'), { code: 'FileNotFoundError' });
    assert.deepEqual(charged(), { fileread: 4096, filewrite: 0 });
  });

  it('Seattle 33: a full disk ends the program with the figures, catching nothing, and leaves what was there', async () => {
    const small = new Disk({ directory: directory.path, limitBytes: 20_000 });
    const body = `const f = await openfile('a', true); await f.writeat('kept', 0);
      try { for (let at = 4; ; at += 1000) await f.writeat('x'.repeat(1000), at); } catch { log('caught'); } finally { log('finally'); }`;
    const { log, ending } = await runProgram(body, { disk: small });
    assert.equal(log, '');
    assert.equal(ending.kind, 'limit');
    assert.deepEqual(ending.limit, { resource: 'diskused', limit: 20_000, used: 4 + 16_000 + 4096 });
    assert.equal(ending.message, 'expected at most 20000 bytes of diskused, got 20100');
    assert.equal(await content('a'), `kept${'x'.repeat(15_000)}`);
    await small.rest();
  });

  it('Seattle 34: a slow rate makes reading and writing wait, and nothing fails', async () => {
    const body = `const f = await openfile('a', true); const begin = getruntime();
      for (let n = 0; n < 5; n++) await f.writeat('x'.repeat(40960), 0);
      log(getruntime() - begin >= 1);`;
    assert.equal(await run(body, { restrictions: 'resource filewrite 81920' }), 'true');
  });

  it('raises what a rate of 0 means, and makes no file by it', async () => {
    const restrictions = 'resource filewrite 0';
    const log = await runCaught("await openfile('a', true);", { disk, restrictions });
    assert.match(log, /^ResourceExhaustedError RESOURCE_EXHAUSTED expected a vessel that may use filewrite/);
    assert.deepEqual(await files(), []);
  });
});
