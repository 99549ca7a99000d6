import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@potluck/protocol';
import { bundleLayer, bundleProgram, ProgramError } from '../src/index.ts';

describe('bundleProgram', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-bundler-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const write = async (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(directory, name, '..'), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  };
  const bundle = (name: string) => bundleProgram(join(directory, name));
  const refusal = async (name: string, code: string, message: RegExp) => {
    await assert.rejects(bundle(name), (error) => {
      assert.ok(error instanceof ProgramError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  };

  it('inlines relative imports of JavaScript and TypeScript, and keeps top-level await', async () => {
    await write({
      'main.ts': "import { a } from './lib/a.js';\nimport { b } from './lib/b.ts';\nawait sleep(a + b);\n",
      'lib/a.js': 'export const a = 1;\n',
      'lib/b.ts': 'export const b: number = 2;\n',
    });
    const { name, source, sha256 } = await bundle('main.ts');
    assert.equal(name, 'main.js');
    assert.match(source, /await sleep\(a \+ b\)/);
    assert.doesNotMatch(source, /^import|: number/m);
    assert.equal(sha256, createHash('sha256').update(source).digest('base64url'));
  });

  it('keeps a source map with the sources, named from the program\u2019s directory', async () => {
    await write({ 'main.ts': "import './lib/a.ts';\n", 'lib/a.ts': 'log(1 as number);\n' });
    const { source } = await bundle('main.ts');
    const encoded = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(source)?.[1] ?? '';
    const map = JSON.parse(Buffer.from(encoded, 'base64').toString());
    assert.deepEqual(map.sources, ['lib/a.ts']);
    assert.deepEqual(map.sourcesContent, ['log(1 as number);\n']);
    assert.ok(!source.includes(directory), 'expected no path of this machine in a bundle');
  });

  it('gives the same bundle for the same program', async () => {
    await write({ 'main.js': 'log(1);\n' });
    assert.deepEqual(await bundle('main.js'), await bundle('main.js'));
  });

  it('refuses broken syntax with file, line and column of the author', async () => {
    await write({ 'main.ts': "import './part.ts';\n", 'part.ts': 'const a = 1;\nlet b = ;\n' });
    await refusal('main.ts', 'PROGRAM_BROKEN', /^part\.ts:2:9: Unexpected ";"/);
  });

  for (const name of ['node:fs', 'fs', 'express', '/etc/passwd', 'https://example.com/a.js']) {
    it(`refuses an import of ${name} with its place`, async () => {
      await write({ 'main.js': `log(1);\nimport '${name}';\n` });
      await refusal('main.js', 'PROGRAM_BROKEN', /^main\.js:2:8: expected an import of a file beside the program/);
    });
  }

  it('inlines JSON and text that lie with the program', async () => {
    await write({
      'main.js': "import { a } from './lib/a.json';\nimport t from './t.txt' with { type: 'text' };\nlog(a, t);\n",
      'lib/a.json': '{ "a": "first" }',
      't.txt': 'second',
    });
    const { source } = await bundle('main.js');
    assert.match(source, /first(.|\n)*second/);
  });

  it('never takes in a key or another file that is no part of a program, however it is imported', async () => {
    await write({
      'program/key.txt': 'secret',
      'alice.private.jwk': '{ "d": "secret" }',
      id: 'secret = 1',
      'o.json': '1',
    });
    await symlink(join(directory, 'alice.private.jwk'), join(directory, 'program', 'linked.json'));
    const imports = [
      "'../alice.private.jwk' with { type: 'json' }",
      "'../alice.private.jwk' with { type: 'text' }",
      "'../id' with { type: 'bytes' }",
      "'../id'",
      "'../o.json'",
      "'./linked.json'",
    ];
    for (const from of imports) {
      await write({ 'program/main.js': `import k from ${from};\nlog(k);\n` });
      await refusal('program/main.js', 'PROGRAM_BROKEN', /^main\.js:1:15: expected an import of/);
    }
  });

  it('refuses a missing import, naming it', async () => {
    await write({ 'main.js': "import './away.js';\n" });
    await refusal('main.js', 'PROGRAM_BROKEN', /^main\.js:1:8: Could not resolve "\.\/away\.js"/);
  });

  it('refuses what is not there, a directory, and a name that no vessel takes', async () => {
    await write({ 'my program.js': 'log(1);', 'folder/x': '' });
    await refusal('away.js', 'PROGRAM_MISSING', /expected a program at .*away\.js, got no such file/);
    await assert.rejects(bundleLayer(join(directory, 'away.js')), /expected a layer at .*away\.js, got no such file/);
    await refusal('folder', 'PROGRAM_MISSING', /got a directory/);
    await refusal('my program.js', 'PROGRAM_BROKEN', /got "my program\.js"/);
  });

  it('refuses a program that would not fit into one upload', async () => {
    await write({ 'main.js': `log(${JSON.stringify('x'.repeat(LIMITS.fileBytes))});\n` });
    await refusal('main.js', 'PROGRAM_TOO_LARGE', new RegExp(`at most ${LIMITS.fileBytes} bytes`));
  });
});
