import assert from 'node:assert/strict';
import { NAMESPACE_LIMITS } from '@potluck/repy-api';
import { removeRuntime } from '../helper.ts';
import { runProgram } from '../process-helper.ts';

/** Runs `inner` within an outer program that evaluates it with `context` and logs what `then` says. */
async function evaluate(inner: string, context: string, then: string): Promise<string> {
  const source = `const inner = ${JSON.stringify(inner)};
    const vn = createvirtualnamespace(inner, 'inner.js');
    const context = ${context};
    try { const result = await vn.evaluate(context); ${then} } catch (error) { log(error.name, error.code, error.message); }
    exitall();`;
  const { log, ending } = await runProgram(source);
  assert.equal(ending.kind, 'exitall', ending.message);
  return log;
}

/** @returns name, code and message of what `createvirtualnamespace` throws for this code. */
async function refusal(code: string): Promise<string> {
  const source = `try { createvirtualnamespace(${JSON.stringify(code)}, 'inner.js'); log('accepted'); }
    catch (error) { log(error.name, error.code, error.message); }`;
  return (await runProgram(source)).log;
}

describe('Seattle 37: a virtual namespace', () => {
  after(removeRuntime);

  it('Seattle 37: runs code with the names it is given, and returns them with what the code added', async () => {
    const log = await evaluate(
      `count += 1; globalThis.double = (x) => x * 2; say('inside');`,
      '{ count: 1, say: log }',
      `log(' ', result.count, Object.keys(result), await result.double(21), result.say === log);`,
    );
    assert.equal(log, 'inside  2 ["count", "say", "double"] 42 true');
  });

  it('Seattle 37: the inner program cannot see outer names that are not given, nor the Repy API', async () => {
    const names = [
      'secret',
      'log',
      'sendmess',
      'openfile',
      'callargs',
      'mycontext',
      'console',
      'setTimeout',
      'exitall',
    ];
    const inner = `globalThis.seen = ${JSON.stringify(names)}.filter((name) => name in globalThis);
      try { secret; } catch (error) { globalThis.caught = error.name; }`;
    const log = await evaluate(inner, '{}', 'globalThis.secret = 1; log(result);');
    assert.equal(log, '{ seen: [], caught: "ReferenceError" }');
  });

  it('Seattle 37: each evaluate has a world of its own', async () => {
    const inner = `globalThis.had = typeof globalThis.mark; globalThis.mark = 1; Array.prototype.mark = 1;`;
    const log = await evaluate(
      inner,
      '{}',
      'const again = await vn.evaluate({}); log(again.had, [].mark, result.mark);',
    );
    assert.equal(log, 'undefined undefined 1');
  });

  it('Seattle 37: awaits at the top of the inner code, and resolves when it has ended', async () => {
    const log = await evaluate(
      `await pause(0.01); done = true;`,
      '{ done: false, pause: sleep }',
      'log(result.done, context.done);',
    );
    assert.equal(log, 'true false');
  });

  it('Seattle 37: an error inside evaluate is catchable outside, with the inner file and line', async () => {
    for (const wait of ['', 'await null;']) {
      const inner = `${wait}\n\n  null.x;`;
      const source = `try { await createvirtualnamespace(${JSON.stringify(inner)}, 'inner.js').evaluate({}); }
        catch (error) { log(error instanceof TypeError, error.stack.includes('inner.js:3:8'), error.message); }`;
      assert.equal((await runProgram(source)).log, "true true Cannot read properties of null (reading 'x')");
    }
  });

  it('Seattle 37: an error that nobody catches ends the outer program with the inner file and line', async () => {
    const { ending, log } = await runProgram(
      `await createvirtualnamespace('\\nthrow new RangeError("no");', 'inner.js').evaluate();`,
    );
    assert.equal(ending.kind, 'error');
    assert.match(ending.message, /^uncaught RangeError: no at inner\.js:2:7$/);
    assert.ok(!log.includes('potluck:'), log);
  });

  for (const [what, code, message] of [
    ['broken syntax', 'let a = 1;\nlet b = ;', "inner.js:2:9: expected code that compiles, got Unexpected token ';'"],
    ['an import', 'import "./x.js";', 'inner.js: expected code without imports, got one of "./x.js"'],
    ['an export', 'export const a = 1;', "inner.js:1:1: expected code that compiles, got Unexpected token 'export'"],
    ['a way out of its function', '}; {', "inner.js:1:1: expected code that compiles, got Unexpected token '}'"],
    ['a return', 'return 1;', 'inner.js:1:1: expected code that compiles, got Illegal return statement'],
    [
      'sloppy code',
      'with ({}) {}',
      'inner.js:1:1: expected code that compiles, got Strict mode code may not include a with statement',
    ],
  ] as const) {
    it(`Seattle 37: code with ${what} -> CodeUnsafeError, with line and column`, async () => {
      assert.equal(await refusal(code), `CodeUnsafeError CODE_UNSAFE ${message}`);
    });
  }

  it('Seattle 37: wrong names in the context -> ContextUnsafeError', async () => {
    for (const [context, got] of [
      ['{ 1: 1 }', 'expected names that code can say, got "1"'],
      ["{ 'a b': 1 }", 'expected names that code can say, got "a b"'],
      ['{ if: 1 }', 'expected names that code may have, got the reserved "if"'],
      ['{ undefined: 1 }', 'expected names that code may have, got the reserved "undefined"'],
      ['{ [Symbol("a")]: 1 }', 'expected names that are texts, got a symbol'],
      ['{ get a() { return 1; } }', 'expected a value for the name "a", got a getter or a setter'],
      ['{ set a(value) {} }', 'expected a value for the name "a", got a getter or a setter'],
      ['{ a: Symbol("a") }', 'expected a value that can be passed on for "a", got a symbol'],
      ['new (class A {})()', 'expected a plain object of names and values, got one of a class'],
      [
        '{ a: new WeakMap() }',
        'expected names and values that can be passed on, got this: expected data, a function, a promise or an object of a class to pass on, got an object',
      ],
    ] as const) {
      assert.equal(await evaluate('', context, ''), `ContextUnsafeError CONTEXT_UNSAFE ${got}`, context);
    }
    assert.equal(
      await evaluate('', '5', ''),
      'RepyArgumentError ARGUMENT expected an object of names and values, got 5',
    );
  });

  it('Seattle 37: names may be in any script, and __proto__ is one like others', async () => {
    const context = `JSON.parse('{"größe": 1, "$_": 2, "__proto__": { "a": 3 }}')`;
    const log = await evaluate(
      'größe += $_;',
      context,
      'log(result.größe, Object.hasOwn(result, "__proto__"), result.a);',
    );
    assert.equal(log, '3 true undefined');
  });

  it('Seattle 37: holds its limits, and refuses one more', async () => {
    const { codeLength, nameLength, names } = NAMESPACE_LIMITS;
    const source = `const tried = [];
      const attempt = async (run) => { try { await run(); tried.push('taken'); } catch (error) { tried.push(error.code); } };
      const long = (length) => '/'.repeat(2) + ' '.repeat(length - 2);
      for (const length of [${codeLength}, ${codeLength + 1}]) await attempt(() => createvirtualnamespace(long(length)));
      for (const length of [${nameLength}, ${nameLength + 1}, 0]) await attempt(() => createvirtualnamespace('', 'n'.repeat(length)));
      const many = (count) => Object.fromEntries(Array.from({ length: count }, (_, index) => ['n' + index, index]));
      for (const count of [${names}, ${names + 1}]) await attempt(() => createvirtualnamespace('').evaluate(many(count)));
      for (const bad of [undefined, null, 5, {}, ['']]) await attempt(() => createvirtualnamespace(bad));
      for (const bad of [null, 5, {}, 'a/b', 'a b', '\\n']) await attempt(() => createvirtualnamespace('', bad));
      log(tried);`;
    const expected = [
      'taken',
      'ARGUMENT',
      'taken',
      'ARGUMENT',
      'ARGUMENT',
      'taken',
      'CONTEXT_UNSAFE',
      ...Array(11).fill('ARGUMENT'),
    ];
    assert.equal((await runProgram(source)).log, JSON.stringify(expected).replaceAll(',', ', '));
  });

  it('Seattle 37: a program within a program within a program', async () => {
    const source = `const code = "globalThis.result = depth === 0 ? say : (await make(self, 'n' + depth + '.js').evaluate({ depth: depth - 1, make, self, say })).result;";
      const { result } = await createvirtualnamespace(code).evaluate({ depth: 20, make: createvirtualnamespace, self: code, say: log });
      log(result === log);`;
    assert.equal((await runProgram(source)).log, 'true');
  });

  it('Seattle 37: thousands of them, one after another, leave no memory behind', async () => {
    const source = `let last; for (let i = 0; i < 1200; i++) {
        const result = await createvirtualnamespace('globalThis.f = (g) => { globalThis.g = g; return data.length; }').evaluate({ data: 'x'.repeat(1000), back: () => last });
        last = result.f(() => result); }
      log(last, getresources().usage.memory < 24e6);`;
    const { log, ending } = await runProgram(source, { restrictions: 'resource memory 32000000' });
    assert.deepEqual([log, ending.kind], ['1000 true', 'finished'], ending.message);
  });

  it('Seattle 37: those that are kept end the program at its memory, with the reason', async () => {
    const source = `const kept = []; for (;;) kept.push(await createvirtualnamespace('globalThis.f = () => {}').evaluate());`;
    const { ending } = await runProgram(source, { restrictions: 'resource memory 16000000' });
    assert.deepEqual([ending.kind, ending.limit?.resource], ['limit', 'memory'], ending.message);
  });
});
