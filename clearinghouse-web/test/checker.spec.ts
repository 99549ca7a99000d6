import assert from 'node:assert/strict';
import ts from 'typescript6';
import examples from '../client/data/examples.json' with { type: 'json' };
import { TypeChecker } from '../client/types.ts';
import { declarations } from '../src/site/compiler.ts';

describe('the types of a program, in the editor', () => {
  const checker = new TypeChecker({ ts, declarations: declarations() });

  /** @returns what is marked, and why */
  function hints(entry: string, text: string, beside: Readonly<Record<string, string>> = {}) {
    return checker.check(entry, { ...beside, [entry]: text }).map(({ from, to, severity, message }) => ({
      at: text.slice(from, to),
      severity,
      message,
    }));
  }

  for (const { name, text } of examples) {
    it(`have no mistake in the example ${name}`, () => assert.deepEqual(hints(name, text), []));
  }

  it('are those of the Repy API and of the language, in TypeScript and in JavaScript', () => {
    const text = "sendmess('192.0.2.1', '80', 'x');\nlog('a'.at(-1), await nosuchcall('b'));\n";
    for (const name of ['a.ts', 'a.mjs']) {
      const [port, unknown, ...more] = hints(name, text);
      assert.deepEqual(more, []);
      assert.deepEqual([port?.at, port?.severity], ["'80'", 'warning']);
      assert.match(port?.message ?? '', /'string' is not assignable to parameter of type 'number'/);
      assert.deepEqual([unknown?.at, unknown?.message.slice(0, 30)], ['nosuchcall', "Cannot find name 'nosuchcall'."]);
    }
  });

  it('are strict in TypeScript, and gentle where nobody has declared any', () => {
    const text = `function f(a, b) { return a.c + b; }
const list = []; list.push(1);
let none = null; none = /x/.exec('x')[0];
const made = {}; made.later = 1;
const g = ({ a, b }) => [a, b]; g({ a: 1 });
log(f, list, none, made, g);
`;
    assert.deepEqual(hints('a.js', text), []);
    const found = hints('a.ts', text).map(({ at }) => at);
    for (const at of ['a', 'b', 'later', "/x/.exec('x')"]) assert.ok(found.includes(at), `${at} in ${found}`);
  });

  it('are found in what is imported from beside the program, be it code or data', () => {
    const text = `import { count } from './part.ts';
import { other } from './part.js';
import data from './data.json' with { type: 'json' };
import text from './notes.txt' with { type: 'text' };
import { none } from './none.ts';
const word: string = count;
await sleep(data.seconds);
log(word, other.length, text.toUpperCase(), data.minutes, none);
`;
    const beside = {
      'part.ts': "export const count = 1;\nexport const other = 'x';\n",
      'data.json': '{ "seconds": 1 }',
      'notes.txt': '1',
    };
    assert.deepEqual(
      hints('a.ts', text, beside).map(({ at }) => at),
      ["'./none.ts'", 'word', 'minutes'],
    );
    assert.deepEqual(
      hints('a.ts', text, { ...beside, 'none.ts': 'export const none = 1;\n' }).map(({ at }) => at),
      ['word', 'minutes'],
    );
  });

  it('say what a vessel has not, and what to do instead, as `repy check` does', () => {
    const text = `fetch('x'); new Intl.NumberFormat(); Function('x'); process.exit(); document.title; require('x');
const isCalled: Function = log; if (typeof Temporal !== 'undefined') log(Temporal.Now, isCalled);
{ const Buffer = 1, Atomics = 2; log(Buffer, Atomics); }
`;
    const found = hints('a.ts', text);
    assert.deepEqual(
      found.map(({ at }) => at),
      ['fetch', 'Intl', 'Function', 'process', 'document', 'require'],
    );
    assert.equal(found[0]?.message, 'expected what a vessel has, got "fetch": openconn opens a connection');
    assert.equal(found[5]?.message, "Cannot find name 'require'.");
  });

  it('come with what keeps it from running, which is told apart', () => {
    assert.deepEqual(
      hints('a.js', 'let port: number = 1;\nlog(port;').map(({ at, severity }) => [at, severity]),
      [
        ['number', 'error'],
        [';', 'error'],
      ],
    );
  });

  it('are not looked for in files that are no code', () => assert.deepEqual(hints('a.json', '{ nothing'), []));

  it('are at most 100 at once', () => {
    const wrong = (count: number) => hints('a.js', 'nothing;\n'.repeat(count)).length;
    assert.equal(wrong(100), 100);
    assert.equal(wrong(101), 100);
  });
});
