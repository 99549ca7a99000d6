import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '@potluck/repy-api';
import { removeRuntime } from './helper.ts';
import { runCaught, runProgram, startProgram } from './process-helper.ts';

describe('a program in a vessel process', () => {
  after(removeRuntime);

  it('sees its arguments, callfunc, mycontext and getmyip', async () => {
    const source = 'mycontext.x = callargs.length; console.log(callfunc, callargs, mycontext, getmyip());';
    const { log, ending } = await runProgram(source, { args: ['a', '--b'], address: '127.0.1.1' });
    assert.equal(log, 'initialize ["a", "--b"] { x: 2 } 127.0.1.1\n');
    assert.deepEqual(ending, { kind: 'finished', message: 'the program finished', exitCode: 0 });
  });

  it('may await at its top, and finishes when nothing is pending', async () => {
    const { log, ending } = await runProgram("await sleep(0.01); log('late'); settimer(0.01, () => log(' timer'));");
    assert.equal(log, 'late timer');
    assert.equal(ending.kind, 'finished');
  });

  it('finishes also when it awaits what can never come', async () => {
    const { ending } = await runProgram('await new Promise(() => {});');
    assert.equal(ending.kind, 'finished');
  });

  it('ends by exitall at once: nothing after it runs', async () => {
    const { log, ending } = await runProgram("try { log('a'); exitall(); log('b'); } finally { log('c'); }");
    assert.equal(log, 'a');
    assert.deepEqual([ending.kind, ending.exitCode], ['exitall', 0]);
  });

  for (const [what, source] of [
    ['an error in its body', "throw new TypeError('boom');"],
    ['an error after an await', "await sleep(0); throw new TypeError('boom');"],
    ['an unhandled rejection', "Promise.reject(new TypeError('boom')); await sleep(5);"],
    ['an error in a timer', "settimer(0, () => { throw new TypeError('boom'); });"],
    ['a rejection in a timer', "settimer(0, async () => { await sleep(0); throw new TypeError('boom'); });"],
  ] as const) {
    it(`ends by ${what}, with the place in its log`, async () => {
      const { log, ending } = await runProgram(`\n${source}`);
      assert.match(log, /^Uncaught TypeError: boom\n {4}at .*program\.js:2:\d+/);
      assert.ok(!log.includes('potluck:prelude') && !log.includes('vessel-'), log);
      assert.deepEqual([ending.kind, ending.exitCode], ['error', 1]);
      assert.match(ending.message, /^uncaught TypeError: boom at program\.js:2:\d+$/);
    });
  }

  for (const thrown of ["'text'", '{ a: 1 }', 'null', 'undefined', 'Symbol("s")', '() => 1', '12n']) {
    it(`ends by throwing ${thrown}, which is no Error`, async () => {
      for (const source of [`throw ${thrown};`, `settimer(0, () => { throw ${thrown}; });`]) {
        const { ending } = await runProgram(source);
        assert.deepEqual([ending.kind, ending.exitCode], ['error', 1], source);
      }
    });
  }

  it('that handles a rejection goes on', async () => {
    const { ending } = await runProgram(
      'const p = Promise.reject(new Error("x")); p.catch(() => {}); await sleep(0.01);',
    );
    assert.equal(ending.kind, 'finished');
  });

  it('that does not compile is refused before it runs, with the place', async () => {
    const { log, ending } = await runProgram("log('ran');\nlet a = ;");
    assert.match(log, /^Refused: Unexpected token ';' \[program\.js:2:9\]/);
    assert.deepEqual([ending.kind, ending.exitCode], ['refused', 5]);
  });

  for (const source of ['})(); (() => {', '} catch {} {', '*/ log(1)', 'return 1;', 'import "node:fs";']) {
    it(`cannot leave its frame: ${source}`, async () => {
      const { log, ending } = await runProgram(source);
      assert.equal(ending.kind, 'refused');
      assert.match(log, /^Refused: /);
    });
  }

  it('names the line of its author in TypeScript, in an imported file too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'potluck-trace-'));
    try {
      await writeFile(
        join(directory, 'main.ts'),
        "import { f } from './part.ts';\ninterface A { b: number }\n\nf();\n",
      );
      await writeFile(
        join(directory, 'part.ts'),
        "type T = string;\n\nexport function f(): T {\n  throw new Error('deep');\n}\n",
      );
      const { name, source } = await bundleProgram(join(directory, 'main.ts'));
      const { log } = await runProgram(source, { name });
      assert.match(log, /Error: deep\n {4}at f \(part\.ts:4:\d+\)\n {4}at main\.ts:4:1/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('wakes never too early and measures time that does not go back', async () => {
    const source = `
      let early = 0;
      for (let i = 0; i < 20; i++) { const t = getruntime(); await sleep(0.003); if (getruntime() - t < 0.0029) early++; }
      log(early);`;
    assert.equal((await runProgram(source)).log, '0');
  });

  it('calls a timer once with its arguments; a cancelled one never', async () => {
    const source = `
      const timer = settimer(0.01, () => log('never'));
      log(canceltimer(timer), canceltimer(timer));
      settimer(0, (a, b) => log(' timer', a, b), [1, 'two']);`;
    assert.equal((await runProgram(source)).log, 'true false timer 1 two');
  });

  it('gets random numbers from 0 to 1 that differ', async () => {
    const source =
      'const all = Array.from({ length: 1000 }, randomfloat); log(new Set(all).size, all.every((x) => x >= 0 && x < 1));';
    assert.equal((await runProgram(source)).log, '1000 true');
  });

  it('holds no more events than it may: itself and timers, and no event for a sleep', async () => {
    const options = { restrictions: 'resource events 3' };
    assert.match(
      await runCaught('settimer(9, () => {}); sleep(9); settimer(9, () => {}); settimer(9, () => {});', options),
      /^ResourceExhaustedError RESOURCE_EXHAUSTED expected at most 3 events/,
    );
    assert.equal(await runCaught("for (let i = 0; i < 9; i++) await sleep(0); log('fine');", options), 'fine');
  });

  it('waits when it logs faster than lograte, and loses nothing', async () => {
    const source = "for (let i = 0; i < 30; i++) log('x'.repeat(1000)); log(getruntime() >= 1 ? 'slow' : 'fast');";
    const { log } = await runProgram(source, { restrictions: 'resource lograte 10000' });
    assert.equal(log, `${'x'.repeat(30_000)}slow`);
  });

  it('may log any text: long, with half characters, with frames in it', async () => {
    const { log } = await runProgram(
      "log('\\ud800|\\u0000|' + '\\u0001'.repeat(30000) + '{\"type\":\"ended\"}|', '\\u{1F600}'.repeat(9000));",
    );
    assert.equal(log, `\ufffd|\u0000|${'\u0001'.repeat(30000)}{"type":"ended"}| ${'\u{1F600}'.repeat(9000)}`);
    const cut = (await runProgram("log('x'.repeat(4e8));")).log;
    assert.ok(cut.length < 200_000 && cut.endsWith('[cut off]'));
  });

  it('that logs without end grows nothing, and is killed at once', async () => {
    const { vessel, log } = await startProgram("for (;;) log('x'.repeat(1000));", {
      restrictions: 'resource lograte 1e9',
    });
    await log.until('x'.repeat(1000));
    vessel.kill({ kind: 'stopped', message: 'stopped by the test', exitCode: 1 });
    assert.equal((await vessel.ended).kind, 'stopped');
  });
});
