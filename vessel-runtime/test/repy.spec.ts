import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LAYER_LIMITS } from '@potluck/repy-api';
import { parseRepyArguments } from '../src/repy/options.ts';
import { type Run, runRepy, TEST_RESTRICTIONS, temporaryDirectory } from './helper.ts';

/** Runs `program.js` with this source; asserts that no other file is there afterwards. */
async function repyOf(
  source: string,
  options: { args?: string[]; own?: string[]; stopAt?: string[] } = {},
): Promise<Run> {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'program.js'), source);
  await writeFile(join(directory.path, 'small.resources'), TEST_RESTRICTIONS.replace(/memory \d+/, 'memory 60000000'));
  const args = [...(options.own ?? []), 'program.js', ...(options.args ?? [])];
  const stopAt = [...(options.stopAt ?? [])];
  const run = await runRepy(directory.path, args, (stdout, child) => {
    const [next] = stopAt;
    if (next === undefined || !stdout.includes(next)) return;
    stopAt.shift();
    child.kill('SIGINT');
  });
  assert.deepEqual((await readdir(directory.path)).sort(), ['program.js', 'small.resources']);
  return run;
}

/** One sentence for people: no stack. */
function assertSentence(text: string): void {
  assert.match(text, /^repy: /);
  assert.doesNotMatch(text, /^\s+at /m);
}

describe('repy', () => {
  it('prints the log as the program wrote it, and nothing else, with exit code 0', async () => {
    const run = await repyOf("log('hello', 1); log(' world\\n');");
    assert.deepEqual(run, { code: 0, signal: null, stdout: 'hello 1 world\n', stderr: '' });
  });

  it('is quiet about exitall', async () => {
    const run = await repyOf("log('x\\n'); exitall(); log('never');");
    assert.deepEqual(run, { code: 0, signal: null, stdout: 'x\n', stderr: '' });
  });

  it("leaves the program's own arguments alone, also those that look like its own", async () => {
    const args = ['--ip', 'x', '--', '-h', '--restrictions'];
    const run = await repyOf('log(JSON.stringify(callargs));', { args });
    assert.deepEqual(JSON.parse(run.stdout), args);
  });

  it('tells the program the address it was given', async () => {
    const run = await repyOf('log(getmyip());', { own: ['--ip', '127.0.0.2'] });
    assert.equal(run.stdout, '127.0.0.2');
  });

  it('fails with the reason when the program fails', async () => {
    const run = await repyOf("log('before\\n'); throw new Error('oh no');");
    assert.notEqual(run.code, 0);
    assert.match(run.stdout, /^before\n/);
    assert.match(run.stderr, /oh no/);
  });

  it("refuses a program with a syntax error at the author's own line", async () => {
    const run = await repyOf('log(1);\nlet let = 1;\n');
    assert.equal(run.code, 1);
    assert.match(run.stderr, /program\.js:2:/);
    assertSentence(run.stderr);
  });

  it('ends cleanly by Ctrl-C with 130, in an endless loop', async () => {
    const run = await repyOf("log('in\\n'); for (;;);", { stopAt: ['in'] });
    assert.equal(run.code, 130);
    assert.equal(run.stderr, 'repy: stopped by SIGINT\n');
  });

  it('tells a program that wants to know of Ctrl-C, and does not wait at a second one', async () => {
    const told = "onstop((reason) => { log(reason, '\\n'); }); setInterval(() => {}, 1000); log('in\\n');";
    assert.deepEqual(await repyOf(told, { stopAt: ['in'] }), {
      code: 130,
      signal: null,
      stdout: 'in\nstopped \n',
      stderr: 'repy: stopped by SIGINT\n',
    });
    const stubborn = told.replace("'\\n'); }", "'\\n'); return new Promise(() => {}); }");
    assert.equal((await repyOf(stubborn, { stopAt: ['in', 'stopped'] })).code, 130);
  });

  it('ends a heap bomb with the limit as the reason', async () => {
    const run = await repyOf('const all = []; for (;;) all.push(new Array(1000).fill(1.5));', {
      own: ['--restrictions', 'small.resources'],
    });
    assert.notEqual(run.code, 0);
    assert.match(run.stderr, /memory/);
    assertSentence(run.stderr);
  });

  it('says that files are gone which nobody asked to keep, and keeps them in the directory that is named', async () => {
    const source =
      "const file = await open('notes', 'a'); await file.write('x'); log((await listfiles()).length, file !== null);";
    const gone = await repyOf(source);
    assert.deepEqual([gone.stdout, gone.code], ['1 true', 0]);
    assert.equal(gone.stderr, 'repy: its files (1) are gone with it; --files DIR keeps them\n');
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'program.js'), source);
    for (const kept of ['x', 'xx']) {
      const run = await runRepy(directory.path, ['--files', 'data', 'program.js']);
      assert.deepEqual([run.stdout, run.stderr, run.code], ['1 true', '', 0]);
      assert.equal(await readFile(join(directory.path, 'data', 'notes'), 'utf8'), kept);
    }
    assert.deepEqual((await readdir(directory.path)).sort(), ['data', 'program.js']);
    const refused = await runRepy(directory.path, ['--files', 'program.js', 'program.js']);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /expected a directory after --files/);
  });

  it('says which file is missing or wrong, and where', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'bad.resources'), 'resource cpu 1\nresource cpus 1\n');
    await writeFile(join(directory.path, 'program.js'), '');
    const cases: [args: string[], told: RegExp][] = [
      [['none.js'], /none\.js/],
      [['--restrictions', 'none.resources', 'program.js'], /none\.resources/],
      [['--restrictions', 'bad.resources', 'program.js'], /bad\.resources:2: .*cpus/],
    ];
    for (const [args, told] of cases) {
      const run = await runRepy(directory.path, args);
      assert.equal(run.code, 1, run.stderr);
      assert.match(run.stderr, told);
      assertSentence(run.stderr);
      assert.equal(run.stdout, '');
    }
  });

  it('refuses a wrong command line with 2 and its usage', async () => {
    await using directory = await temporaryDirectory();
    for (const args of [[], ['--unknown', 'p.js'], ['--ip', 'localhost', 'p.js'], ['--restrictions']]) {
      const run = await runRepy(directory.path, args);
      assert.equal(run.code, 2, `${args.join(' ')}: ${run.stderr}`);
      assert.match(run.stderr, /usage: repy \[OPTION\.\.\.\] PROGRAM \[ARG\.\.\.\]/);
      assertSentence(run.stderr);
    }
  });

  it('shows its usage when asked', async () => {
    await using directory = await temporaryDirectory();
    const run = await runRepy(directory.path, ['--help']);
    assert.equal(run.code, 0);
    assert.match(run.stdout, /^usage: repy/);
  });

  it('takes its own options up to the program, in either form', () => {
    assert.deepEqual(parseRepyArguments(['--ip=127.0.0.3', '--restrictions', 'f', 'p.js', '--ip', 'x']), {
      options: { ip: '127.0.0.3', restrictions: 'f' },
      layers: [],
      command: 'run',
      programs: ['p.js'],
      args: ['--ip', 'x'],
    });
    assert.deepEqual(parseRepyArguments(['--', '-p.js', '--']).args, ['--']);
  });

  it('takes as many layers as it may, in their order', () => {
    const { layers: most } = LAYER_LIMITS;
    const many = (count: number) => [...Array.from({ length: count }, (_, index) => `--layer=${index}.js`), 'p.js'];
    assert.deepEqual(parseRepyArguments(many(most)).layers.slice(0, 2), ['0.js', '1.js']);
    assert.throws(() => parseRepyArguments(many(most + 1)), { code: 'USAGE' });
  });

  it('runs a program under layers, of which the first is next to the API', async () => {
    await using directory = await temporaryDirectory();
    const write = (name: string, text: string) => writeFile(join(directory.path, name), text);
    await write(
      'a.ts',
      "import { mark } from './mark.ts';\nlayer.wrap('log', (text: string) => log(mark + '(' + text + ')'));",
    );
    await write('mark.ts', "export const mark: string = 'a';");
    await write('b.js', "layer.wrap('log', (text) => log('b(' + text + ')'));");
    await write('p.js', "log('x');");
    const run = await runRepy(directory.path, ['--layer', 'a.ts', '--layer=b.js', 'p.js']);
    assert.deepEqual([run.code, run.stdout.trim()], [0, 'a(b(x))'], run.stderr);
  });

  it('refuses a layer that is too large, missing or broken, and names it', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'p.js'), "log('ran');");
    const text = (bytes: number) =>
      `layer.forbid('log');${' '.repeat(bytes)}\nexport const text = "${'x'.repeat(bytes)}";`;
    await writeFile(join(directory.path, 'large.js'), text(LAYER_LIMITS.layerBytes));
    await writeFile(join(directory.path, 'broken.js'), '\nlet = ;');
    for (const [layer, told] of [
      ['large.js', /expected a layer of at most 100000 bytes as one file, got 1000\d\d for large\.js/],
      ['missing.js', /missing\.js/],
      ['broken.js', /broken\.js:2:/],
    ] as const) {
      const run = await runRepy(directory.path, ['--layer', layer, 'p.js']);
      assert.deepEqual([run.code, run.stdout], [1, ''], run.stderr);
      assert.match(run.stderr, told);
    }
  });
});
