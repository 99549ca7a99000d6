import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runCaught, runProgram } from './process-helper.ts';

describe("the web's timers in a vessel", () => {
  after(removeRuntime);

  it('call once, with their arguments, and have numbers', async () => {
    const source = `
      const id = setTimeout((a, b) => log(' fired', a, b), 5, 1, 'two');
      log(typeof id, Number.isInteger(id) && id > 0, queueMicrotask(() => log(' micro')));`;
    assert.equal((await runProgram(source)).log, 'number true undefined micro fired 1 two');
  });

  it('never fire too early', async () => {
    const source = `let early = 0;
      for (let i = 0; i < 20; i++) {
        const t = getruntime(); await new Promise((done) => setTimeout(done, 3));
        if (getruntime() - t < 0.0029) early++;
      }
      log(early);`;
    assert.equal((await runProgram(source)).log, '0');
  });

  it('repeat until they are cleared, also from within, by either name', async () => {
    const source = `let count = 0;
      const id = setInterval((step) => { count += step; log(count); if (count === 3) clearTimeout(id); }, 1, 1);
      const other = setTimeout(() => log('never'), 1); clearInterval(other);`;
    const { log, ending } = await runProgram(source);
    assert.deepEqual([log, ending.kind], ['123', 'finished']);
  });

  it('take delays as browsers do: what is no number, negative or of more than 32 bits is 0', async () => {
    const source = `let left = 0;
      for (const delay of [undefined, NaN, -5, 2 ** 31, Infinity, -Infinity, 'x', null, {}, '3', 2 ** 32 + 1])
        { left++; setTimeout(() => { left--; if (left === 0) log('all', getruntime() < 60); }, delay); }
      setInterval(exitall, -1);`;
    const { log, ending } = await runProgram(source);
    assert.ok(log === 'all true' || log === '', log);
    assert.equal(ending.kind, 'exitall');
    assert.equal((await runProgram(source.replace('setInterval(exitall, -1);', ''))).log, 'all true');
  });

  it('refuse code in a string, and everything else that is no function', async () => {
    const source = `for (const call of [setTimeout, setInterval, queueMicrotask, createthread])
      for (const wrong of ['log(1)', undefined, null, 1, {}, [], new Proxy({}, {})])
        try { call(wrong); log('accepted', call.name, wrong); } catch (error) { if (error.code !== 'ARGUMENT') log(error); }
      log('checked');`;
    assert.deepEqual((await runProgram(source)).log, 'checked');
  });

  it('let be what is no timer of theirs, and a delay that throws is the program', async () => {
    const source = `const timer = settimer(0.005, () => log('kept'));
      for (const wrong of [undefined, null, NaN, -1, 1e9, '1', {}, timer, Symbol('x'), 1n, new Proxy({}, { get() { throw 1; } })]) { clearTimeout(wrong); clearInterval(wrong); }
      for (let id = 0; id < 50; id++) clearTimeout(id);
      for (const delay of [1n, Symbol('x'), { valueOf() { throw new TypeError('mine'); } }])
        try { setTimeout(exitall, delay); log('accepted'); } catch (error) { if (!(error instanceof TypeError)) log(error); }`;
    assert.equal((await runProgram(source)).log, 'kept');
  });

  it('hold one event each until they have fired for the last time', async () => {
    const options = { restrictions: 'resource events 3' };
    const full = await runCaught('setTimeout(log, 9e6); setInterval(log, 9e6); setTimeout(log, 1);', options);
    assert.match(full, /^ResourceExhaustedError RESOURCE_EXHAUSTED expected at most 3 events/);
    const source = `for (let i = 0; i < 20; i++) { clearInterval(setInterval(log, 1)); clearTimeout(setTimeout(log, 1)); }
      for (let i = 0; i < 9; i++) await new Promise((done) => setTimeout(done, 0));
      for (let i = 0; i < 9; i++) await new Promise((done) => { const id = setInterval(() => { clearInterval(id); done(); }, 1); });
      log('fine');`;
    assert.equal(await runCaught(source, options), 'fine');
  });

  for (const source of [
    "setTimeout(() => { throw new TypeError('boom'); });",
    "setInterval(() => { throw new TypeError('boom'); });",
    "queueMicrotask(() => { throw new TypeError('boom'); }); await sleep(9e6);",
    "setTimeout(async () => { await null; throw new TypeError('boom'); });",
  ]) {
    it(`end the program by an error that nobody catches: ${source.slice(0, 14)}`, async () => {
      const { ending } = await runProgram(source);
      assert.deepEqual([ending.kind, ending.message], ['error', ending.message]);
      assert.match(ending.message, /^uncaught TypeError: boom at program\.js:1:/);
    });
  }

  it('work when the program has replaced what the language has', async () => {
    const source = `const { setInterval: every, clearInterval: stop, queueMicrotask: soon, log: say } = globalThis;
      Array.prototype[Symbol.iterator] = function* () { yield 'evil'; };
      for (const key of ['then', 'get', '0', 'web', 'again', 'fn'])
        Object.defineProperty(Object.prototype, key, { get() { return undefined; }, set() { throw new Error('setter'); }, configurable: true });
      Reflect.apply = Promise.prototype.then = () => { throw new Error('replaced'); };
      globalThis.Promise = globalThis.Number = undefined;
      soon(() => say('soon'));
      let n = 0; const id = every((x) => { say(x); if (++n === 2) stop(id); }, 1, 'x');`;
    assert.equal((await runProgram(source)).log, 'soonxx');
  });
});
