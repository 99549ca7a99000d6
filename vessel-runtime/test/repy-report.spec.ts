import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { excerptOf, placeIn } from '@potluck/repy-api';
import { type Run, runRepy, temporaryDirectory } from './helper.ts';

/** Runs `repy` over files. */
async function repyOver(files: Readonly<Record<string, string>>, ...args: string[]): Promise<Run> {
  await using directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, name)), { recursive: true });
    await writeFile(join(directory.path, name), text);
  }
  return await runRepy(directory.path, args);
}

function objects({ stdout }: Run): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('repy shows', () => {
  it('a refusal at its place in the TypeScript of the author, with the line and a caret', async () => {
    const run = await repyOver(
      { 'main.ts': "import './lib/part.ts';\n", 'lib/part.ts': 'let a: string;\n\tlet b = ;\n' },
      'main.ts',
    );
    assert.equal(run.stderr, 'repy: lib/part.ts:2:10: Unexpected ";"\n  2 | \tlet b = ;\n    | \t        ^\n');
    assert.deepEqual([run.code, run.stdout], [1, '']);
  });

  it('each import that no vessel has', async () => {
    const run = await repyOver({ 'main.ts': "import 'node:fs';\nimport { a } from 'express';\nlog(a);\n" }, 'main.ts');
    assert.match(
      run.stderr,
      /^repy: main\.ts:1:8: expected .*got a module of Node: "node:fs"\n {2}1 \| import 'node:fs';\n {4}\| {8}\^{9}\n/,
    );
    assert.match(
      run.stderr,
      /^repy: main\.ts:2:19: expected .*: "express"\n {2}2 \| import \{ a \} from 'express';\n {4}\| {19}\^{9}\n$/m,
    );
    assert.equal(run.code, 1);
  });

  it('the line that raised an uncaught error, below the log that it ended', async () => {
    const files = {
      'main.ts': "import { boom } from './lib/part.ts';\nlog('here');\nsettimer(0.01, () => boom());\n",
      'lib/part.ts':
        "interface Never {\n  a: 1;\n}\nexport function boom(): Never {\n  throw new TypeError('oh no');\n}\n",
    };
    const run = await repyOver(files, 'main.ts');
    assert.equal(run.stdout, 'here\nUncaught TypeError: oh no\n    at boom (lib/part.ts:5:9)\n    at main.ts:3:22\n');
    assert.equal(
      run.stderr,
      "repy: uncaught TypeError: oh no at lib/part.ts:5:9\n  5 |   throw new TypeError('oh no');\n    |         ^\n",
    );
    assert.equal(run.code, 1);
  });

  it('no more than a piece of a long line, and nothing that a terminal obeys', () => {
    const line = `${'x'.repeat(300)}\u001b[31mHERE${'y'.repeat(300)}`;
    const [shown = '', below = ''] = excerptOf({ line: 12, column: 306 }, line, 4).split('\n');
    assert.ok(shown.length <= 110 && !shown.includes('\u001b'));
    assert.equal(shown.slice(below.indexOf('^'), below.indexOf('^') + 4), 'HERE');
    assert.equal(below.trimEnd().length, below.indexOf('^') + 4);
    assert.equal(excerptOf({ line: 1, column: 99 }, 'short'), '  1 | short\n    |      ^');
  });

  it('places as they stand in sentences', () => {
    assert.deepEqual(placeIn('uncaught TypeError: at 10:20:30 a at lib/a.ts:3:7'), {
      file: 'lib/a.ts',
      line: 3,
      column: 7,
    });
    assert.equal(placeIn('expected at most 100 bytes of memory, got 200'), undefined);
  });
});

describe('repy --json', () => {
  it('prints start, each line of the log and the end', async () => {
    const run = await repyOver(
      { 'main.ts': "log('a\\n\\nb'); log('c\\nd');" },
      '--json',
      '--ip',
      '127.0.0.5',
      'main.ts',
      '--json',
      'x',
    );
    const [start, ...rest] = objects(run);
    const end = rest.pop();
    assert.deepEqual(start, { type: 'start', program: 'main.ts', ip: '127.0.0.5', args: ['--json', 'x'] });
    assert.deepEqual(
      rest,
      ['a', '', 'bc', 'd'].map((text) => ({ type: 'log', text })),
    );
    const { usage, ...facts } = end as { usage: Record<string, number> };
    assert.deepEqual(facts, { type: 'end', kind: 'finished', code: 0, message: 'the program finished' });
    assert.equal(usage.events, 1);
    assert.ok('lograte' in usage);
    assert.deepEqual([run.code, run.stderr], [0, '']);
  });

  it('prints the place of an error, and the limit that ended a program', async () => {
    const failed = await repyOver({ 'main.ts': "log('x');\n  throw new RangeError('oh');\n" }, '--json', 'main.ts');
    const { usage: _, ...end } = objects(failed).at(-1) as { usage: unknown };
    const place = { file: 'main.ts', line: 2, column: 9 };
    const message = 'uncaught RangeError: oh at main.ts:2:9';
    assert.deepEqual(end, { type: 'end', kind: 'error', code: 1, message, place });
    const small = 'resource cpu 1\nresource memory 40000000\nresource diskused 0\nresource events 2\n';
    const source = 'const all = []; for (;;) all.push(new Array(1000).fill(1.5));';
    const bomb = await repyOver({ 'main.js': source, small }, '--json', '--restrictions', 'small', 'main.js');
    const { kind, limit, code } = objects(bomb).at(-1) as Record<string, unknown>;
    assert.deepEqual([kind, (limit as { resource: string }).resource, code], ['limit', 'memory', bomb.code]);
  });

  it('prints problems, and what else kept a program from starting', async () => {
    const broken = await repyOver({ 'main.ts': "log('ü'); import 'fs';\n" }, '--json', 'main.ts');
    const [problem] = objects(broken);
    assert.equal(broken.code, 1);
    assert.match(String(problem?.message), /^expected an import of a file beside the program/);
    assert.deepEqual(
      { ...problem, message: '' },
      {
        type: 'problem',
        severity: 'error',
        file: 'main.ts',
        line: 1,
        column: 18,
        length: 4,
        message: '',
        source: "log('ü'); import 'fs';",
      },
    );
    const missing = await repyOver({}, '--json', 'none.ts');
    assert.match(
      missing.stdout,
      /^\{"type":"failed","code":"PROGRAM_MISSING","message":"expected a program at none\.ts, got no such file/,
    );
    assert.deepEqual([missing.code, missing.stderr], [1, '']);
  });
});

describe('the command line of repy', () => {
  it('is told in full by --help', async () => {
    const run = await repyOver({}, '-h');
    assert.equal(run.code, 0);
    for (const part of [
      'usage: repy [OPTION...] PROGRAM [ARG...]',
      '--restrictions FILE',
      '--ip ADDRESS',
      '--json',
      '-h, --help',
    ]) {
      assert.ok(run.stdout.includes(part), part);
    }
    for (const line of run.stdout.split('\n')) assert.ok(line.length <= 100, line);
  });

  it('is told what is wrong with it, and what was probably meant', async () => {
    const cases: [args: string[], told: string][] = [
      [['--restriction', 'f', 'main.js'], 'got "--restriction": did you mean "--restrictions"?'],
      [['--jsno', 'main.js'], 'did you mean "--json"?'],
      [['-x', 'main.js'], 'expected one of --'],
      [['--json=yes', 'main.js'], 'expected no value for --json, got "yes"'],
      [['--restrictions='], 'expected FILE after --restrictions, got nothing'],
      [['--ip', 'localhost', 'main.js'], 'expected an IP address after --ip, got "localhost"'],
      [['--json'], 'expected a PROGRAM, got none'],
    ];
    for (const [args, told] of cases) {
      const run = await repyOver({}, ...args);
      assert.ok(run.stderr.includes(told), `${args.join(' ')}: ${run.stderr}`);
      assert.deepEqual([run.code, run.stdout], [2, '']);
    }
  });
});
