import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** `name: statements`, each of which has to leave `true`; the names of those that do not come back. */
type Checks = Readonly<Record<string, string>>;

const HELP = `const caught = async (run) => { try { await run(); return 'nothing'; } catch (error) { return error.name; } };
  const fresh = async (name, options) => { if ((await listfiles()).includes(name)) await removefile(name); return await openfile(name, true, options); };
  const only = (file) => Reflect.ownKeys(file).sort().join();`;

describe('examples of layers', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-layers-'));
  });
  after(() => rm(directory, { recursive: true }));

  /** Runs a program under layers of the examples, over the same files each time. @returns its log */
  async function run(source: string, layers: readonly string[], files: string): Promise<string> {
    const program = join(directory, 'program.js');
    await writeFile(program, source);
    const options = layers.flatMap((layer) => ['--layer', join(root, 'examples/layers', layer)]);
    const args = [join(root, 'vessel-runtime/bin/repy.ts'), '--files', join(directory, files), ...options, program];
    const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
    await once(child, 'close');
    return text;
  }

  async function wrongOnes(checks: Checks, ...layers: string[]): Promise<string> {
    const lines = Object.entries(checks).map(
      ([name, check]) =>
        `try { if ((await (async () => { ${check} })()) !== true) log(${JSON.stringify(`${name}\n`)}); } catch (error) { log(${JSON.stringify(name)}, error, '\\n'); }`,
    );
    return await run(`${HELP}\n${lines.join('\n')}\nlog('checked'); exitall();`, layers, 'files');
  }

  it('file-size lets files grow to 1,000 bytes and no further, whoever tries', async () => {
    assert.equal(
      await wrongOnes(
        {
          'writes up to the limit':
            "const f = await fresh('a'); await f.writeat('x'.repeat(1000), 0); await f.writeat('y', 999); const text = await f.readat(null, 0); await f.close(); return text.length === 1000 && text.endsWith('xy');",
          'refuses one byte more, and writes nothing of it':
            "const f = await fresh('b'); const name = await caught(() => f.writeat('x'.repeat(1001), 0)); const left = await f.readat(null, 0); await f.close(); return name === 'ResourceExhaustedError' && left === '';",
          'refuses it in parts':
            "const f = await fresh('c'); await f.writeat('x'.repeat(600), 0); const name = await caught(() => f.writeat('x'.repeat(401), 600)); await f.close(); return name === 'ResourceExhaustedError';",
          'counts bytes, not characters':
            "const f = await fresh('d'); const name = await caught(() => f.writeat('€'.repeat(334), 0)); await f.close(); return name === 'ResourceExhaustedError';",
          'counts what an array really has':
            "class Small extends Uint8Array { get length() { return 1; } get byteLength() { return 1; } } const f = await fresh('e'); const lie = new Small(2000); Object.defineProperty(lie, 'length', { value: 1 }); const name = await caught(() => f.writeat(lie, 0)); const left = await f.readat(null, 0); await f.close(); return name === 'ResourceExhaustedError' && left === '';",
          'takes no offset that is none':
            "const f = await fresh('f'); const names = []; for (const offset of [NaN, -5, '0', 0.5, Infinity, { valueOf: () => 0 }]) names.push(await caught(() => f.writeat('x', offset))); await f.close(); return names.every((name) => name === 'RepyArgumentError');",
          'has no other way to the same':
            "const names = []; for (const call of [() => open('a', 'w'), () => file('a', 'a')]) names.push(await caught(call)); return names.join() === 'ResourceForbiddenError,ResourceForbiddenError';",
          'gives the methods of a file only':
            "const f = await fresh('g'); const keys = only(f); await f.close(); return keys === 'close,readat,writeat' && await caught(() => f.close()) === 'FileClosedError';",
          'cannot be had by changing the language':
            "Number.prototype.valueOf = () => 0; String.prototype.charCodeAt = () => 0; TextEncoder.prototype.encode = () => new Uint8Array(0); Math.max = () => 0; const f = await fresh('h'); const name = await caught(() => f.writeat('x'.repeat(1001), 0)); await f.close(); return name === 'ResourceExhaustedError';",
          'stands under a program within the program':
            "const { name } = await createvirtualnamespace(\"const f = await openfile('i', true); try { await f.writeat('x'.repeat(1001), 0); globalThis.name = 'written'; } catch (error) { globalThis.name = error.name; } await f.close();\").evaluate({ openfile }); return name === 'ResourceExhaustedError';",
        },
        'file-size.js',
      ),
      'checked',
    );
  });

  it('parity lets through what keeps each 8 bytes even, and nothing else', async () => {
    const even = "'BBBBBBBB'";
    assert.equal(
      await wrongOnes(
        {
          'writes even sequences': `const f = await fresh('a'); await f.writeat(${even} + 'AABBBBBB' + 'AAAAAAAA', 0); const text = await f.readat(null, 0); await f.close(); return text === ${even} + 'AABBBBBBAAAAAAAA';`,
          'refuses an odd one and writes nothing of it': `const f = await fresh('b'); const name = await caught(() => f.writeat(${even} + 'ABBBBBBB', 0)); const left = await f.readat(null, 0); await f.close(); return name === 'ParityError' && left === '';`,
          'looks at an end only when it is complete':
            "const f = await fresh('c'); await f.writeat('A', 0); const name = await caught(() => f.writeat('BBBBBBB', 1)); await f.writeat('ABBBBBB', 1); const text = await f.readat(null, 0); await f.close(); return name === 'ParityError' && text === 'AABBBBBB';",
          'sees what stays of the sequences at both ends': `const f = await fresh('d'); await f.writeat(${even}.repeat(3), 0); const names = [await caught(() => f.writeat('A', 3)), await caught(() => f.writeat('BBBBBA', 7)), await caught(() => f.writeat('A' + ${even} + 'B', 7)), await caught(() => f.writeat('AA', 7)), await caught(() => f.writeat('AABBBBBBAA', 6))]; const text = await f.readat(null, 0); await f.close(); return names.join() === 'ParityError,ParityError,ParityError,ParityError,nothing' && text.slice(6, 16) === 'AABBBBBBAA';`,
          'is not had by two writes at once': `const f = await fresh('e'); await f.writeat(${even}, 0); const names = await Promise.all([caught(() => f.writeat('AA', 0)), caught(() => f.writeat('BA', 1)), caught(() => f.writeat('A', 7)), caught(() => f.writeat('AB', 1))]); const text = await f.readat(null, 0); await f.close(); return [...text].filter((c) => c === 'A').length % 2 === 0;`,
          'keeps the errors of the API':
            "const f = await fresh('f'); await f.writeat('BB', 0); const names = [await caught(() => f.writeat('A', 3)), await caught(() => f.writeat('A', 30)), await caught(() => f.readat(1, 3)), await caught(() => f.writeat('A', -1)), await caught(() => openfile('f', false)), await caught(() => openfile('missing', false)), await caught(() => openfile('F', true)), await caught(() => openfile('x', true, { encoding: 'latin1' }))]; await f.close(); names.push(await caught(() => f.writeat('BB', 0))); return names.join() === 'SeekPastEndOfFileError,SeekPastEndOfFileError,SeekPastEndOfFileError,RepyArgumentError,FileInUseError,FileNotFoundError,RepyArgumentError,RepyArgumentError,FileClosedError';",
          'counts bytes of any kind':
            "const f = await fresh('g', { encoding: 'binary' }); await f.writeat(Uint8Array.of(255, 1, 0, 0, 0, 0, 0, 0), 0); const name = await caught(() => f.writeat('é', 1)); const bytes = await f.readat(null, 0); await f.close(); return name === 'ParityError' && bytes instanceof Uint8Array && bytes[0] === 255;",
          'gives texts as they are':
            "const f = await fresh('h'); await f.writeat('\\ufeffgrü', 0); const text = await f.readat(null, 0); await f.close(); return text === '\\ufeffgrü';",
          'hears no more of bytes that change after the call':
            "const f = await fresh('i'); const bytes = new Uint8Array(8); const wrote = f.writeat(bytes, 0); bytes[0] = 1; await wrote; const text = await f.readat(1, 0); await f.close(); return text === '\\0';",
          'has no other way to the same': "return await caught(() => open('a', 'w')) === 'ResourceForbiddenError';",
        },
        'parity.js',
      ),
      'checked',
    );
  });

  it('private-write keeps what was written so from every reader', async () => {
    const secret =
      "const f = await fresh(name); await f.writeat('.'.repeat(30), 0); await f.privatewrite('secret', 10);";
    const no = "'ResourceForbiddenError'";
    assert.equal(
      await wrongOnes(
        {
          'reads around it': `const name = 'a'; ${secret} const text = await f.readat(10, 0) + await f.readat(14, 16); await f.close(); return text === '.'.repeat(24);`,
          'refuses every read that touches it': `const name = 'b'; ${secret} const names = []; for (const [size, at] of [[null, 0], [null, 10], [1, 10], [1, 15], [6, 10], [11, 0], [30, 0], [2, 9], [2, 15]]) names.push(await caught(() => f.readat(size, at))); await f.close(); return names.every((each) => each === ${no});`,
          'gives back what was written over': `const name = 'c'; ${secret} await f.writeat('xxx', 11); const text = await f.readat(3, 11); const names = [await caught(() => f.readat(1, 10)), await caught(() => f.readat(4, 11))]; await f.close(); return text === 'xxx' && names.every((each) => each === ${no});`,
          'remembers when the file is opened again': `const name = 'd'; ${secret} await f.close(); const again = await openfile(name, false, { encoding: 'binary' }); const refused = await caught(() => again.readat(6, 10)); await again.close(); return refused === ${no};`,
          'is not had by calls at once': `const name = 'e'; const f = await fresh(name); await f.writeat('.'.repeat(9), 0); const wrote = f.privatewrite('secret', 0); const read = caught(() => f.readat(null, 0)); const over = f.writeat('x'.repeat(3), 0); const then = caught(() => f.readat(6, 0)); await wrote; await over; const names = [await read, await then]; await f.close(); return names.every((each) => each === ${no});`,
          'counts bytes':
            "const f = await fresh('f'); await f.privatewrite('€', 0); const names = [await caught(() => f.readat(1, 1)), await caught(() => f.readat(1, 2))]; await f.close(); return names.every((each) => each === 'ResourceForbiddenError');",
          'starts anew with a new file': `const name = 'g'; ${secret} await f.close(); await removefile(name); const g = await openfile(name, true); await g.writeat('open to all, all of it', 0); const text = await g.readat(null, 0); await g.close(); return text === 'open to all, all of it';`,
          'says nothing of a write that failed':
            "const f = await fresh('h'); await f.writeat('abc', 0); const name = await caught(() => f.privatewrite('x', 9)); const names = [await caught(() => f.privatewrite('x', -1)), await caught(() => f.privatewrite('x'))]; const text = await f.readat(null, 0); await f.close(); return name === 'SeekPastEndOfFileError' && text === 'abc' && names.every((each) => each === 'RepyArgumentError');",
          'hides where it remembers':
            "const names = [await caught(() => openfile('private.ranges', true)), await caught(() => removefile('private.ranges'))]; return names.every((each) => each === 'RepyArgumentError') && !(await listfiles()).includes('private.ranges');",
          'takes names that every object has':
            "for (const name of ['constructor', '__proto__', 'valueof']) { const f = await fresh(name); await f.writeat('x', 0); await f.privatewrite('y', 1); if (await caught(() => f.readat(1, 1)) !== 'ResourceForbiddenError') return false; await f.close(); } return true;",
          'has no other way to the same':
            "const names = []; for (const call of [() => open('a'), () => file('a'), () => listdir()]) names.push(await caught(call)); return names.every((each) => each === 'ResourceForbiddenError');",
          'gives no way to the file beneath': `const name = 'i'; ${secret} const keys = only(f); const odd = Object.values(Object.getOwnPropertyDescriptors(f)).length; await f.close(); return keys === 'close,privatewrite,readat,writeat' && odd === 4;`,
        },
        'private-write.js',
      ),
      'checked',
    );
    const next =
      "const f = await openfile('d', false); try { log(await f.readat(null, 0)); } catch (error) { log(error.name); } exitall();";
    assert.equal(await run(next, ['private-write.js'], 'files'), 'ResourceForbiddenError');
  });

  it('stand on each other', async () => {
    const program = `${HELP} const f = await fresh('stack'); log(await caught(() => f.writeat('A'.repeat(1), 0)), await caught(() => f.writeat('B'.repeat(7), 1)), await caught(() => f.writeat('B'.repeat(1001), 0)), ''); log(only(f)); exitall();`;
    const log = await run(program, ['file-size.js', 'parity.js'], 'stacked');
    assert.equal(log, 'nothing ParityError ResourceExhaustedError close,readat,writeat');
  });
});
