import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Run, removeRuntime, runRepy, temporaryDirectory } from '../helper.ts';
import { runCaught, runProgram } from '../process-helper.ts';

// The language is JavaScript, so what Python has to be forbidden by name (`global`, `__class__`, unicode literals, the
// type of types) has no counterpart: what leads out of a program is refused instead, and its ways of making code.

async function repyOver(source: string, ...args: string[]): Promise<Run> {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'lib'));
  await writeFile(join(directory.path, 'main.ts'), source);
  await writeFile(
    join(directory.path, 'lib/part.ts'),
    'type Name = string;\nexport function fail(name: Name): never {\n  throw new RangeError(name);\n}\n',
  );
  return await runRepy(directory.path, args.length === 0 ? ['main.ts'] : args);
}

describe("Seattle's semantics of the language", () => {
  after(removeRuntime);

  const refused: readonly [what: string, line: string][] = [
    ['an import of a module of the runtime', "import 'node:fs';"],
    ['an import of a package', "import express from 'express'; log(express);"],
    ['an import that comes later', "await import('node:fs');"],
    ['a require', "require('fs');"],
    ['broken syntax', 'let a = ;'],
    ['with', 'with (mycontext) {}'],
    ['a reserved word as a name', 'let package = 1;'],
  ];
  for (const [what, line] of refused) {
    it(`Seattle 36: ${what} is refused before the program runs, with its line`, async () => {
      const run = await repyOver(`log('ran');\n${line}\n`);
      assert.deepEqual([run.code, run.stdout], [1, '']);
      assert.match(run.stderr, /^repy: main\.ts:2:\d+: /);
    });
  }

  it('Seattle 36: code in strings and what no vessel has is told before a program runs, with its line', async () => {
    const lines = [
      "eval('1');",
      "new Function('return 1');",
      'await import(String(callargs[0]));',
      'new WebAssembly.Module(new Uint8Array());',
      'process.exit();',
    ];
    const run = await repyOver(`log('ran');\n${lines.join('\n')}\n`, 'check', 'main.ts');
    assert.deepEqual(
      [...run.stderr.matchAll(/^repy: main\.ts:(\d+):/gm)].map(([, line]) => line),
      ['2', '3', '4', '5', '6'],
    );
    assert.equal(run.code, 1);
  });

  it('Seattle 36: code in strings is refused also where it was not seen before', async () => {
    const source = `const ways = [() => (0, globalThis['ev' + 'al'])('1'), () => log.constructor('return 1')(), () => (async () => {}).constructor('return 1')(),
        () => (function* () {}).constructor('return 1')(), () => (async function* () {}).constructor('return 1')(), () => Reflect.construct(Function, ['return 1'])];
      for (const way of ways) try { way(); log('accepted'); } catch (error) { log(error.name, ''); }`;
    assert.equal(await runCaught(source), 'EvalError '.repeat(6));
  });

  it('Seattle 36: a bundle that imports, or does not compile, is refused with its line', async () => {
    for (const [source, told] of [
      ["log('ran');\nimport 'node:fs';", /expected a bundle without imports, got one of "node:fs"/],
      ["log('ran');\nlet a = ;", /program\.js:2:9/],
    ] as const) {
      const { log, ending } = await runProgram(source);
      assert.deepEqual([ending.kind, ending.exitCode], ['refused', 5]);
      assert.match(ending.message, told);
      assert.match(log, /^Refused: /);
    }
  });

  it("Seattle 36: a trace has the author's own lines", async () => {
    const run = await repyOver(
      "import { fail } from './lib/part.ts';\n\nlog('ran');\nfunction outer(): void {\n  fail('oh');\n}\nouter();\n",
    );
    assert.equal(
      run.stdout,
      'ran\nUncaught RangeError: oh\n    at fail (lib/part.ts:3:9)\n    at outer (main.ts:5:3)\n    at main.ts:7:1\n',
    );
    assert.match(run.stderr, /^repy: uncaught RangeError: oh at lib\/part\.ts:3:9\n/);
  });

  it('Seattle 38: arguments that look like options of ours belong to the program', async () => {
    const args = [
      '--json',
      '--watch',
      '--restrictions',
      'none',
      '--ip',
      'x',
      '-h',
      '--help',
      '--',
      '-',
      '',
      'check',
      '--json=1',
    ];
    const run = await repyOver('log(JSON.stringify(callargs));', '--ip', '127.0.0.3', 'main.ts', ...args);
    assert.deepEqual([JSON.parse(run.stdout), run.code, run.stderr], [args, 0, '']);
  });

  it('Seattle 39: getlasterror is null when there was no error, and has its text in a handler and after it', async () => {
    const source = `log(getlasterror(), '');
      try { settimer(-1, log); } catch (error) { log(getlasterror().includes(error.message), getlasterror().startsWith('RepyArgumentError: '), /program\\.js:\\d+:\\d+/.test(getlasterror()), ''); }
      await openconn(getmyip(), 1, { timeout: 1 }).catch(() => log(getlasterror().split(':')[0], ''));
      log(getlasterror() !== null);`;
    assert.equal(await runCaught(source), 'null true true true ResourceForbiddenError true');
  });
});
