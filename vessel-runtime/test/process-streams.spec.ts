import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Disk } from '../src/host/disk.ts';
import { removeRuntime, temporaryDirectory } from './helper.ts';
import { runProgram } from './process-helper.ts';

describe("files by the names of Seattle's first generation", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let disk: Disk;
  before(async () => {
    directory = await temporaryDirectory();
    disk = new Disk({ directory: directory.path, limitBytes: 1_000_000 });
  });
  beforeEach(() => disk.clear());
  after(async () => {
    await disk.rest();
    await directory[Symbol.asyncDispose]();
    await removeRuntime();
  });

  /** @returns what each of the calls logged, or the code of what it raised. */
  const run = async (...calls: string[]): Promise<unknown[]> => {
    await disk.count();
    const body = calls.map((call) => `await show(async () => { ${call} });`).join('\n');
    const source = `const results = []; let f;
      const show = async (run) => { try { results.push((await run()) ?? null); } catch (error) { results.push(error.code ?? String(error)); } };
      ${body}
      log(JSON.stringify(results, (key, value) => value instanceof Uint8Array ? [...value] : value));`;
    const { log, ending } = await runProgram(source, { disk });
    assert.equal(ending.kind, 'finished', ending.message);
    return JSON.parse(log) as unknown[];
  };
  const put = (name: string, data: string | Uint8Array) => writeFile(join(directory.path, name), data);
  const content = (name: string) => readFile(join(directory.path, name), 'utf8');

  it('have no position beyond whole numbers, and a program that looks for one goes on', async () => {
    assert.deepEqual(
      await run(
        "f = await open('a', 'w+'); await f.write('abc'); await f.seek(2 ** 53 - 1)",
        'await f.seek(2 ** 53 - 1, 1)',
        "await f.write('x')",
        'return await f.read()',
        'await f.seek(2 ** 53 - 1, 2)',
        'await f.seek(0, 2); await f.write("d"); await f.seek(0); return await f.read()',
      ),
      [null, 'ARGUMENT', 'SEEK_PAST_END_OF_FILE', '', 'ARGUMENT', 'abcd'],
    );
  });

  it('read and write from where they are, each mode in its way', async () => {
    assert.deepEqual(
      await run(
        "f = await open('a', 'r')",
        "f = await open('a', 'w'); await f.write('hello'); await f.write(' world'); await f.close()",
        "f = await open('a'); return await f.read(5)",
        'return await f.read()',
        'return await f.read()',
        "await f.write('x')",
        'await f.close(); await f.read()',
        "f = await open('a', 'a'); await f.write('!'); await f.read()",
        "await f.close(); f = await open('a', 'a+'); await f.seek(0); await f.write('?'); await f.seek(0); return await f.read()",
        "await f.close(); f = await open('a', 'r+'); await f.write('J'); return await f.read(4)",
        "await f.close(); f = await file('a', 'w'); await f.close(); return await (await open('a')).read()",
      ),
      [
        'FILE_NOT_FOUND',
        null,
        'hello',
        ' world',
        '',
        'ARGUMENT',
        'FILE_CLOSED',
        'ARGUMENT',
        'hello world!?',
        'ello',
        '',
      ],
    );
  });

  it('go line by line, also over the borders of blocks, to a last line without its end', async () => {
    const lines = [`${'a'.repeat(4095)}\n`, '\n', `${'b'.repeat(9000)}\n`, 'ü\n', 'last'];
    await put('a', lines.join(''));
    const size = Buffer.byteLength(lines.join(''));
    const [each, iterated, list, parts, found] = await run(
      "f = await open('a'); const all = []; for (let line; (line = await f.readline()) !== ''; ) all.push(line); return all",
      'await f.seek(0); const all = []; for await (const line of f) all.push(line); return all',
      'await f.seek(0); return await f.readlines()',
      'await f.seek(0); return [(await f.readline(10)).length, (await f.readline(5000)).length, await f.readline(3), (await f.next()).value.length]',
      'return await f.next()',
    );
    assert.deepEqual(each, lines);
    assert.deepEqual(iterated, lines);
    assert.deepEqual(list, lines);
    assert.deepEqual(parts, [10, 4086, '\n', 9001]);
    assert.deepEqual(found, { value: 'ü\n', done: false });
    assert.ok(size > 3 * 4096);
  });

  it('never cut a character of a text, and give bytes as they are with b', async () => {
    await put('a', 'xä€😀');
    assert.deepEqual(
      await run(
        "f = await open('a'); const all = []; for (let part; (part = await f.read(1)) !== ''; ) all.push(part); return all",
        'await f.seek(0); return [await f.read(2), await f.read(4), await f.read(100)]',
        'await f.seek(0); return [await f.readline(2), await f.readline(2), await f.readline(1), await f.readline(3)]',
        "await f.close(); f = await open('a', 'rb'); return [await f.read(3), await f.readline(1), (await f.readlines()).length]",
        "await f.close(); f = await open('a', 'wb+'); await f.write(Uint8Array.of(255, 10, 254)); await f.seek(0); return await f.readlines()",
      ),
      [
        ['x', 'ä', '€', '😀'],
        ['x', 'ä', '€😀'],
        ['x', 'ä', '€', '😀'],
        [[120, 195, 164], [226], 1],
        [[255, 10], [254]],
      ],
    );
  });

  it('give back bytes of any length as they were', async () => {
    assert.deepEqual(
      await run(`const back = []; f = await openfile('a', true, { encoding: 'binary' });
        for (const length of [1, 2, 3, 4, 5, 200_000]) {
          const bytes = Uint8Array.from({ length }, (_, at) => at * 7);
          await f.writeat(bytes, 0);
          const got = await f.readat(length, 0);
          back.push(got.length === length && got.every((byte, at) => byte === bytes[at]));
        }
        back.push((await f.readat(0, 0)).length);
        return back;`),
      [[true, true, true, true, true, true, 0]],
    );
  });

  it('go to where they are sent, read nothing beyond the end and write nothing there', async () => {
    await put('a', '0123456789');
    assert.deepEqual(
      await run(
        "f = await open('a', 'r+'); await f.seek(-3, 2); return await f.read(1)",
        'await f.seek(1, 1); return await f.read()',
        'await f.seek(20); return await f.read()',
        'return await f.readline()',
        "await f.write('x')",
        'await f.seek(-1)',
        'await f.seek(-11, 2)',
        'await f.seek(0, 3)',
        'await f.seek(1.5)',
        "await f.seek(0, 2); await f.write('ab'); await f.seek(0); return await f.read()",
      ),
      ['7', '9', '', '', 'SEEK_PAST_END_OF_FILE', 'ARGUMENT', 'ARGUMENT', 'ARGUMENT', 'ARGUMENT', '0123456789ab'],
    );
  });

  it('are carried out in the order of the program, awaited or not', async () => {
    await run(
      "f = await open('a', 'w+'); for (let n = 0; n < 50; n++) f.write(n + ','); await f.flush()",
      "f.seek(0); f.write('x'); const rest = f.read(3); f.writelines(['y', Uint8Array.of(122)]); await rest; await f.close()",
    );
    const written = Array.from({ length: 50 }, (_, n) => `${n},`).join('');
    assert.equal(await content('a'), `x${written.slice(1, 4)}yz${written.slice(6)}`);
  });

  it('refuse a mode and an argument that Seattle has not', async () => {
    const modes = ['x', 'rw', '', 'r++', 'R', 'rbb', 'U'].map((mode) => `await open('a', '${mode}')`);
    const calls = ['f.read(1.5)', "f.read('1')", 'f.readline({})', 'f.write(1)', "f.writelines('x')", 'f.writelines()'];
    const results = await run(
      ...modes,
      "await open('a', 1)",
      "f = await open('a', 'w+')",
      ...calls.map((call) => `await ${call}`),
    );
    assert.deepEqual(results, [...modes.map(() => 'ARGUMENT'), 'ARGUMENT', null, ...calls.map(() => 'ARGUMENT')]);
  });
});
