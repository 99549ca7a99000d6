import assert from 'node:assert/strict';
import type { Ending } from '@potluck/protocol';
import { Governor } from '../src/host/governor.ts';
import { removeRuntime } from './helper.ts';
import { runProgram, startProgram } from './process-helper.ts';

const STOPPED: Ending = { kind: 'stopped', message: 'stopped by the test', exitCode: 1 };
const PORTS = { restrictions: 'resource messport 5001\nresource connport 5001', address: '127.0.3.1' };

/** Runs checks inside a vessel; each is `name: expression`, and the names of those that are not true come back. */
async function falseOnes(checks: Record<string, string>, before = ''): Promise<string> {
  const lines = Object.entries(checks).map(
    ([name, check]) =>
      `try { if ((${check}) !== true) log(${JSON.stringify(name)}, ''); } catch (error) { log(${JSON.stringify(name)}, error, ''); }`,
  );
  const { log, ending } = await runProgram(`${before}\n${lines.join('\n')}\nlog('checked'); exitall();`, PORTS);
  assert.equal(ending.kind, 'exitall', ending.message);
  return log;
}

describe('an attack of a program', () => {
  after(removeRuntime);

  it('finds no way to run code from strings', async () => {
    const refused = (call: string) =>
      `(() => { try { ${call}; return false; } catch (error) { return error instanceof EvalError; } })()`;
    const constructors = [
      'function () {}',
      'async function () {}',
      'function* () {}',
      'async function* () {}',
      '() => {}',
      'class {}',
    ];
    const checks = Object.fromEntries(
      [
        ...constructors.flatMap((kind) => [
          `(${kind}).constructor('return 1')`,
          `new ((${kind}).constructor)('return 1')`,
        ]),
        "eval('1')",
        "(0, eval)('1')",
        "globalThis.eval('1')",
        "new Function('1')",
        "recvmess.constructor('return process')()",
        "log.constructor.constructor('return process')()",
        "Reflect.construct(Function, ['1'])",
      ].map((call) => [call, refused(call)]),
    );
    assert.equal(await falseOnes({ ...checks, 'is still a function': '(() => {}) instanceof Function' }), 'checked');
  });

  it('finds no import, no host and nothing of the engine that is not for programs', async () => {
    const absent = [
      'process',
      'require',
      'Buffer',
      'WebAssembly',
      'SharedArrayBuffer',
      'Atomics',
      'Intl',
      'Temporal',
      'setImmediate',
      'fetch',
      'ivm',
      'prelude',
    ];
    const checks = Object.fromEntries(absent.map((name) => [name, `typeof ${name} === 'undefined'`]));
    assert.equal(
      await falseOnes({
        ...checks,
        import: "await import('node:fs').then(() => false, () => true)",
        meta: 'Reflect.ownKeys(import.meta).length === 0',
        references: `(() => { const seen = new Set(); const walk = (value) => {
          if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return true;
          seen.add(value);
          for (const name of ['applySync', 'derefInto', 'getSync', 'copyInto']) if (name in value) return false;
          return Reflect.ownKeys(value).every((key) => { const d = Reflect.getOwnPropertyDescriptor(value, key); return walk(d.value) && walk(d.get) && walk(d.set); })
            && walk(Reflect.getPrototypeOf(value)); };
          return walk(globalThis) && seen.size > 500; })()`,
        stackTraceLimit:
          '(() => { try { Error.stackTraceLimit = 1e9; } catch {} return Error.stackTraceLimit === 20; })()',
        callers:
          '(() => { try { return recvmess.caller === null; } catch (error) { return error instanceof TypeError; } })()',
      }),
      'checked',
    );
  });

  it('gets no buffer that can grow', async () => {
    const fixed = (make: string) =>
      `(() => { const buffer = ${make}; return buffer.resizable !== true && buffer.resize === undefined && buffer.transfer === undefined; })()`;
    const makes = [
      'new ArrayBuffer(8, { maxByteLength: 1e9 })',
      'new (new Uint8Array(8).buffer.constructor)(8, { maxByteLength: 1e9 })',
      'new (class extends ArrayBuffer {})(8, { maxByteLength: 1e9 })',
      'Reflect.construct(ArrayBuffer, [8, { maxByteLength: 1e9 }])',
      'new ArrayBuffer(8).slice(0)',
    ];
    assert.equal(
      await falseOnes({
        ...Object.fromEntries(makes.map((make) => [make, fixed(make)])),
        'is still a class':
          'new ArrayBuffer(8) instanceof ArrayBuffer && new Uint8Array(8).buffer instanceof ArrayBuffer && new ArrayBuffer(8).byteLength === 8',
      }),
      'checked',
    );
  });

  it('learns no path of the host from an error, its stack or its frames', async () => {
    const source = `Error.prepareStackTrace = (error, frames) => frames.map((f) => [f.getFileName(), String(f.getThis()), String(f.getFunction())].join());
      const errors = [];
      const calls = [() => sendmess(), () => sendmess('1.2.3.4', 5, 'x', '9.9.9.9', 5), () => recvmess(1), () => recvmess('127.0.3.1', 1), () => settimer(-1),
        () => openconn('x', 1), () => openconn('127.0.3.1', 5001), () => waitforconn('127.0.3.1', 9, log), () => stopcomm({}), () => canceltimer({}), () => eval('')];
      for (const call of calls) try { await call(); log('no error'); } catch (error) { errors.push(error.stack + error.message + error.cause + Reflect.ownKeys(error).join()); }
      const text = errors.join();
      log(errors.length, /work|home|node:|vessel-|\\.mjs|\\[object (?!Undefined)/.test(text) ? text : 'clean');`;
    assert.equal((await runProgram(source, PORTS)).log, '11 clean');
  });

  it('gets an error for every kind of wrong argument of every call, and runs no code in the host', async () => {
    const source = `const bad = [undefined, null, NaN, -0, Infinity, 1e308, 2 ** 53, Symbol('x'), 12n, () => {}, new Date(), new Map(), {}, [],
        new Array(2 ** 32 - 1), JSON.parse('{"__proto__":{"x":1}}'), new Proxy({}, { get() { throw new Error('trap'); } }),
        (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })(), { toString() { for (;;); }, valueOf() { for (;;); } }];
      let calls = 0;
      for (const fn of [recvmess, sendmess, stopcomm, settimer, canceltimer, sleep, openconn, waitforconn])
        for (const value of bad) for (const args of [[value, value, value, value, value], [getmyip(), value, value], [getmyip(), 5001, value, value, value], [value, log]]) {
          try {
            const made = await Promise.race([fn(...args), 0]);
            if (made?.close) made.close();
            if (fn !== settimer && fn !== sleep && fn !== recvmess && fn !== sendmess && fn !== openconn && fn !== waitforconn) log('accepted', fn.name, String(value), ' ');
          } catch (error) { if (!(error instanceof Error)) log('odd', ' '); }
          calls++;
        }
      log(calls); exitall();`;
    const { log, ending } = await runProgram(source, {
      ...PORTS,
      restrictions: `${PORTS.restrictions}\nresource events 1000`,
    });
    assert.deepEqual([log, ending.kind], ['608', 'exitall']);
  });

  it('breaks nothing by replacing what the language has', async () => {
    const before = `
      const { log: say } = globalThis; const real = Object.getOwnPropertyDescriptors;
      Array.prototype[Symbol.iterator] = function* () { yield 'evil'; };
      for (const key of ['then', 'get', 'length_', '0', 'encoding', 'ip', 'stack'])
        Object.defineProperty(Object.prototype, key, { get() { return undefined; }, set() { throw new Error('setter'); }, configurable: true });
      Reflect.apply = Promise.resolve = Promise.prototype.then = String.prototype.slice = Array.prototype.push = Function.prototype.call = () => { throw new Error('replaced'); };
      globalThis.String = globalThis.Promise = globalThis.Uint8Array = globalThis.Error = undefined;`;
    const source = `${before}
      recvmess(getmyip(), 5001, (ip, port, mess, handle) => { say('got', mess, ip); stopcomm(handle); });
      await sendmess(getmyip(), 5001, 'hello');
      await sleep(0.01);`;
    const { log, ending } = await runProgram(source, PORTS);
    assert.deepEqual([log, ending.kind], ['got hello 127.0.3.1', 'finished'], ending.message);
  });

  it('may call everything from within every callback', async () => {
    const source = `let depth = 0;
      const l = recvmess(getmyip(), 5001, (ip, port, mess, handle) => {
        sendmess(ip, port, mess); stopcomm(handle); stopcomm(handle);
        recvmess(getmyip(), 5001, () => {}).close();
        settimer(0, () => { log('timer'); exitall(); exitall(); });
      });
      sendmess(getmyip(), 5001, 'x');`;
    const { log, ending } = await runProgram(source, PORTS);
    assert.deepEqual([log, ending.kind], ['timer', 'exitall']);
  });

  for (const [what, source] of [
    ['an endless loop', "log('in'); for (;;);"],
    ['an endless loop in a callback', "log('in'); settimer(0, () => { for (;;); });"],
    ['endless microtasks', "log('in'); for (;;) await null;"],
    ['a regular expression without end', "log('in'); /^(a+)+$/.test('a'.repeat(99) + 'b');"],
    ['a number without end', "log('in'); String(2n ** (2n ** 29n));"],
    ['an error whose message loops', "log('in'); settimer(0, () => { throw { get stack() { for (;;); } }; });"],
    [
      'a thrown error whose stack loops',
      "log('in'); const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { for (;;); } }); throw e;",
    ],
  ] as const) {
    it(`by ${what} is ended from outside`, async () => {
      const { vessel, log } = await startProgram(source);
      await log.until('in');
      vessel.kill(STOPPED);
      assert.deepEqual(await vessel.ended, STOPPED);
    });
  }

  for (const [what, source] of [
    ['an array', 'const all = []; for (;;) all.push(new Array(1000).fill(all.length));'],
    ['a map', 'const map = new Map(); for (let i = 0; ; i++) map.set(i, { i });'],
    [
      'typed arrays',
      'const all = []; for (;;) { const bytes = new Uint8Array(1 << 20); bytes.fill(1); all.push(bytes); }',
    ],
    ['promises', 'const all = []; for (;;) all.push(new Promise(() => {}));'],
    ['one huge array', 'new Array(3e8).fill(1);'],
  ] as const) {
    it(`by filling the memory with ${what} ends it with a reason`, async () => {
      await using governor = new Governor();
      await governor.start();
      const { vessel, log } = await startProgram(`log('in'); ${source}`, { restrictions: 'resource memory 16777216' });
      await governor.watch(vessel, { cpu: 1, memoryBytes: 16_777_216 });
      const ending = await vessel.ended;
      assert.equal(log.text().startsWith('in'), true);
      assert.ok(['limit', 'error', 'crashed'].includes(ending.kind), ending.kind);
      assert.notEqual(ending.exitCode, 0);
      if (ending.kind === 'limit') assert.equal(ending.limit?.resource, 'memory');
      if (ending.kind === 'error') assert.match(ending.message, /RangeError|memory/);
    });
  }

  it('by deep recursion, deep JSON and many proxies is an error that it may catch', async () => {
    const source = `for (const attack of [() => { (function f() { f(); })(); }, () => { let x = []; for (let i = 0; i < 1e6; i++) x = [x]; JSON.stringify(x); },
        () => { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x; }, () => 'x'.repeat(2 ** 30)])
        try { attack(); } catch (error) { if (!(error instanceof RangeError)) log(error); }
      log('lives');`;
    assert.equal((await runProgram(source)).log, 'lives');
  });

  it('by a huge text is cut or refused before it is copied', async () => {
    const source = `const huge = 'x'.repeat(4e8);
      for (const call of [() => sendmess(getmyip(), 5001, huge), () => recvmess(huge, 5001, log), () => openconn(huge, 1)])
        try { await call(); } catch (error) { log(error.code, ''); }
      throw new Error(huge.slice(0, 1e6));`;
    const { log, ending } = await runProgram(source, PORTS);
    assert.ok(log.startsWith('ARGUMENT ARGUMENT ARGUMENT \nUncaught Error: xxx'), log.slice(0, 200));
    assert.ok(log.length < 30_000 && ending.message.length <= 2000);
  });
});
