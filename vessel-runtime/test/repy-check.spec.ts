import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Run, runRepy, temporaryDirectory } from './helper.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

interface Options {
  readonly args?: readonly string[];
  readonly withTypeScript?: boolean;
}

async function check(
  files: Readonly<Record<string, string>>,
  { args = ['main.ts'], withTypeScript = false }: Options = {},
): Promise<Run> {
  await using directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, name)), { recursive: true });
    await writeFile(join(directory.path, name), text);
  }
  if (withTypeScript) await symlink(MODULES, join(directory.path, 'node_modules'));
  return await runRepy(directory.path, ['check', ...args]);
}

/** `file:line:column` of each problem. */
const placesIn = ({ stderr }: Run): string[] =>
  [...stderr.matchAll(/^repy: (\S+:\d+:\d+): /gm)].map(([, place = '']) => place);

describe('repy check', () => {
  it('says that nothing is wrong, with exit code 0, and runs nothing', async () => {
    const run = await check({ 'main.ts': "log('ran' as string);\n" });
    assert.deepEqual(run, {
      code: 0,
      signal: null,
      stdout: 'main.ts: no problems; types not checked, for no TypeScript is in its project\n',
      stderr: '',
    });
  });

  it('names each use of what no vessel has, in any file, and not what a program calls by such a name itself', async () => {
    const files = {
      'main.ts': [
        "import { part } from './lib/part.ts';",
        "eval('1'); (0, eval)('2'); globalThis.eval('3');",
        "new Function('return 1'); Function('2');",
        "log(part, part instanceof Function, 'eval(1)'); // eval(2)",
        'const name: string = callargs[0] ?? "";',
        'await import(name); require(name);',
        'new WebAssembly.Module(new Uint8Array()); new Intl.Collator(); fetch("x"); process.exit();',
        'function own(fetch: (x: string) => void, eval2: number) { fetch("y"); log(eval2); }',
        'own(log, 1);',
      ].join('\n'),
      'lib/part.ts': 'export function part(): void {\n\tnew SharedArrayBuffer(8);\n}\n',
    };
    const run = await check(files);
    assert.equal(run.code, 1);
    assert.deepEqual(placesIn(run), [
      ...['main.ts:2:1', 'main.ts:2:16', 'main.ts:2:28', 'main.ts:3:5', 'main.ts:3:27'],
      ...['main.ts:6:7', 'main.ts:6:21', 'main.ts:7:5', 'main.ts:7:47', 'main.ts:7:64', 'main.ts:7:76'],
      'lib/part.ts:2:6',
    ]);
    assert.match(
      run.stderr,
      /^repy: lib\/part\.ts:2:6: expected what a vessel has, got "SharedArrayBuffer": .*\n {2}2 \| \tnew SharedArrayBuffer\(8\);\n {4}\| \t {4}\^{17}$/m,
    );
    assert.equal(run.stdout, 'main.ts: 12 problems; types not checked, for no TypeScript is in its project\n');
  });

  it('leaves alone who asks first whether it is there', async () => {
    const run = await check({
      'main.ts': "if (typeof fetch !== 'undefined') fetch('x');\nif (typeof eval === 'object') eval('1');\n",
    });
    assert.equal(run.code, 0, run.stderr);
  });

  it('goes on after the first problem: imports, broken syntax and uses, in all files', async () => {
    const run = await check({
      'main.ts':
        "import './a.ts';\nimport './b.ts';\nimport './away.ts';\nimport 'express';\nimport fs from 'node:fs';\neval(fs);\n",
      'a.ts': 'let a = ;\n',
      'b.ts': "eval('1');\nimport './key.jwk';\n",
      'key.jwk': 'secret',
    });
    assert.deepEqual(placesIn(run).sort(), [
      'a.ts:1:9',
      'b.ts:1:1',
      'b.ts:2:8',
      'main.ts:3:8',
      'main.ts:4:8',
      'main.ts:5:16',
      'main.ts:6:1',
    ]);
    assert.equal(run.code, 1);
  });

  it('shows what the compiler of the project says of the types, and knows what a vessel has', async () => {
    const files = {
      'main.ts': "import { a } from './part.ts';\nconst n: number = a;\nsendmess(n);\nlog(document);\n",
      'part.ts': "export const a = 'x';\n",
    };
    const run = await check(files, { withTypeScript: true });
    assert.match(
      run.stderr,
      /^repy: main\.ts:2:7: TS2322: Type 'string' is not assignable to type 'number'\.\n {2}2 \| const n: number = a;\n {4}\| {7}\^$/m,
    );
    assert.deepEqual(placesIn(run), ['main.ts:4:5', 'main.ts:2:7', 'main.ts:3:1']);
    assert.match(run.stdout, /^main\.ts: 3 problems; types by TypeScript \d+\.\d+\.\d+\n$/);
    const strict = { compilerOptions: { strict: false, lib: ['dom'], types: ['node'] } };
    const loose = await check(
      { 'main.ts': 'const n: number = null;\nlog(n, getmyip());\n', 'tsconfig.json': JSON.stringify(strict) },
      { withTypeScript: true },
    );
    assert.deepEqual([loose.code, loose.stderr], [0, '']);
  });

  it('warns, and that alone is no failure', async () => {
    const run = await check({ 'main.ts': 'const o = { a: 1, a: 2 };\nlog(o === NaN);\n' });
    assert.match(run.stderr, /^repy: main\.ts:1:19: warning: Duplicate key "a" in object literal\n/);
    assert.match(run.stdout, /no problems, 2 warnings/);
    assert.equal(run.code, 0);
  });

  it('looks at several programs, and prints JSON', async () => {
    const files = { 'good.ts': 'log(1);\n', 'bad.ts': "log('ü', eval);\n" };
    const run = await check(files, { args: ['--json', 'good.ts', 'bad.ts', 'none.ts'] });
    const [good, problem, bad, missing, none, ...more] = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(more, []);
    assert.deepEqual(good, { type: 'check', program: 'good.ts', errors: 0, warnings: 0, typescript: null });
    assert.deepEqual(
      [problem.type, problem.severity, problem.file, problem.line, problem.column, problem.length, problem.source],
      [...['problem', 'error', 'bad.ts', 1, 10, 4, "log('ü', eval);"]],
    );
    assert.deepEqual([bad.type, bad.errors, missing.line, none.errors], ['check', 1, 0, 1]);
    assert.deepEqual([run.code, run.stderr], [1, '']);
  });

  it('takes no option that is for running, and needs a program', async () => {
    for (const args of [[], ['--watch', 'main.ts'], ['--ip', '127.0.0.1', 'main.ts'], ['--jsn', 'main.ts']]) {
      const run = await check({}, { args });
      assert.equal(run.code, 2, run.stderr);
    }
  });
});
