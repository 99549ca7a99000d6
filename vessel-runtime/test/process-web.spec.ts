import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runCaught, runProgram } from './process-helper.ts';

/** Runs the same code here and in a vessel: what Node answers is right. */
async function agrees(code: string): Promise<void> {
  const here = await import(
    `data:text/javascript,${encodeURIComponent(`export const result = (() => { ${code} })();`)}`
  );
  assert.equal((await runProgram(`log((() => { ${code} })());`)).log, here.result);
}

const HOSTILE = `[undefined, null, 1, 'x', true, Symbol('x'), 1n, () => {}, {}, [], new Proxy({}, { get() { throw new TypeError('trap'); } }),
  (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })(), { toString() { throw new TypeError('mine'); } }, Object.create(Uint8Array.prototype), new Proxy(new Uint8Array(2), {})]`;

describe('texts and bytes in a vessel', () => {
  after(removeRuntime);

  it('are encoded and decoded as everywhere: every character, and half ones', async () => {
    await agrees(`const encoder = new TextEncoder(), decoder = new TextDecoder(); let hash = 0, bad = 0;
      for (let point = 0; point < 0x110000; point += 7) {
        const text = String.fromCodePoint(point); const bytes = encoder.encode(text + 'x');
        for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
        if (decoder.decode(bytes) !== (point === 0xfeff ? 'x' : text.toWellFormed() + 'x')) bad++;
      }
      return [hash, bad, encoder.encode().length, encoder.encode('\\udc00\\ud800').join(), encoder.encoding].join(' ');`);
  });

  it('are not cut or mixed up by a program that says another length of the arrays behind them', async () => {
    const source = `const evil = { get() { return 1; }, configurable: true }; const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
      for (const place of [typedArray, Uint8Array.prototype, Uint16Array.prototype]) Reflect.defineProperty(place, 'length', evil);
      for (const place of [Uint8Array, Uint16Array]) Reflect.setPrototypeOf(place.prototype, { get length() { return 1; } });
      log(new TextDecoder().decode(new TextEncoder().encode('potluck')), btoa('potluck'), atob('cG90bHVjaw=='), new Uint8Array(3).length);`;
    assert.equal((await runProgram(source)).log, 'potluck cG90bHVjaw== potluck 3');
  });

  it('are decoded as everywhere when the bytes are no UTF-8, in any pieces', async () => {
    await agrees(`let seed = 1; const next = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
      const likely = [0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xbb, 0xbf, 0xf0, 0xf4, 0x90, 0xa0, 0x9f, 0xff, 0xc0];
      let hash = 0, fatal = 0; const add = (text) => { for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0; };
      const pieces = new TextDecoder();
      for (let round = 0; round < 20000; round++) {
        const bytes = Uint8Array.from({ length: next(6) }, () => likely[next(likely.length)]);
        add(new TextDecoder('utf-8', { ignoreBOM: round % 2 === 0 }).decode(bytes));
        add(pieces.decode(bytes, { stream: round % 5 !== 0 })); add('|');
        try { new TextDecoder('utf8', { fatal: true }).decode(bytes); } catch { fatal++; }
      }
      return hash + ' ' + fatal;`);
  });

  it('are written into a given place, whole characters only', async () => {
    await agrees(`const all = [];
      for (let room = 0; room < 12; room++) { const bytes = new Uint8Array(14).fill(7); const { read, written } = new TextEncoder().encodeInto('aü€\\u{1F600}\\ud800', bytes.subarray(1, 1 + room)); all.push(read, written, bytes.join('.')); }
      return all.join();`);
  });

  it('are decoded from buffers and views, and from pieces of them', async () => {
    await agrees(`const buffer = new TextEncoder().encode('hello, world').buffer, d = new TextDecoder();
      return [d.decode(buffer), d.decode(new DataView(buffer, 2, 3)), d.decode(new Uint16Array(buffer, 2, 2)), d.decode(new Uint8Array(buffer, 7)), d.decode(), d.encoding, d.fatal, d.ignoreBOM].join();`);
  });

  it('go on after bytes that were refused', async () => {
    const source = `const d = new TextDecoder('utf-8', { fatal: true });
      for (const bytes of [[0xff], [0xe2, 0x82], [0x41, 0xc0]]) try { d.decode(Uint8Array.from(bytes)); log('accepted'); } catch (error) { log(error.code, ''); }
      log(d.decode(Uint8Array.of(0xe2), { stream: true }) + d.decode(Uint8Array.of(0x82, 0xac)));`;
    assert.equal((await runProgram(source)).log, 'ARGUMENT ARGUMENT ARGUMENT €');
  });

  it('become base64 and come back, as everywhere', async () => {
    await agrees(`let seed = 1; const next = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
      const likely = 'AZaz09+/== \\n\\t\\f\\r-_\\u00e9'; let out = '';
      for (let round = 0; round < 3000; round++) {
        const bytes = Array.from({ length: next(9) }, () => String.fromCharCode(next(256))).join('');
        if (atob(btoa(bytes)) !== bytes) out += 'bad';
        out += btoa(bytes); const text = Array.from({ length: next(9) }, () => likely[next(likely.length)]).join('');
        try { out += btoa(atob(text)); } catch { out += '!'; }
      }
      for (const value of [undefined, null, 12, true, [1, 2], '']) { out += btoa(value); try { out += atob(value); } catch { out += '!'; } }
      let hash = 0; for (let i = 0; i < out.length; i++) hash = (Math.imul(hash, 31) + out.charCodeAt(i)) | 0;
      return hash + ' ' + out.length + btoa('x'.repeat(1e5)).length + atob('QUJD'.repeat(1e5)).length;`);
    assert.match(await runCaught("btoa('\\u0100');"), /^RepyArgumentError ARGUMENT/);
    assert.match(await runCaught("atob('a');"), /^RepyArgumentError ARGUMENT/);
  });

  it('are refused as errors when they are something else', async () => {
    const source = `const d = new TextDecoder(), e = new TextEncoder(); const bad = ${HOSTILE};
      const calls = [(v) => d.decode(v), (v) => d.decode(undefined, v), (v) => new TextDecoder(v), (v) => new TextDecoder('utf-8', v), (v) => e.encode(v), (v) => e.encodeInto('x', v),
        (v) => e.encodeInto(v, new Uint8Array(1)), (v) => atob(v), (v) => btoa(v), (v) => TextDecoder.prototype.decode.call(v), (v) => structuredClone(v), (v) => structuredClone(1, v), (v) => AbortSignal.any(v), (v) => AbortSignal.any([v]),
        (v) => AbortSignal.timeout(v), (v) => new AbortSignal(v), (v) => new AbortController().signal.addEventListener('abort', v), (v) => new AbortController().signal.addEventListener(v, log), (v) => new AbortController().abort.call(v), (v) => crypto.getRandomValues(v)];
      let count = 0;
      for (const call of calls) for (const value of bad) { count++; try { call(value); } catch (error) { if (!(error instanceof TypeError) && error.code !== 'ARGUMENT') log(error); } }
      log(count === calls.length * bad.length); exitall();`;
    assert.equal((await runProgram(source)).log, 'true');
  });
});

describe('structuredClone in a vessel', () => {
  after(removeRuntime);

  it('copies plain data deeply, with cycles and shared parts', async () => {
    const source = `const buffer = new ArrayBuffer(8); const shared = { a: [1, , 'x'], n: null, u: undefined, big: 1n };
      const value = { shared, again: shared, when: new Date(5), map: new Map([[shared, new Set([1, shared])]]), bytes: new Uint8Array(buffer, 2, 3), view: new DataView(buffer, 1), all: buffer, bare: Object.assign(Object.create(null), { z: 1 }) };
      value.self = value; value.bytes[0] = 9; Object.defineProperty(value, 'hidden', { value: 1 }); value[Symbol('s')] = 1;
      const copy = structuredClone(value);
      log(copy !== value, copy.self === copy, copy.shared === copy.again, copy.shared !== shared, 1 in copy.shared.a, copy.shared.a.length, copy.when.getTime(), copy.when !== value.when,
        copy.map.get(copy.shared).has(copy.shared), copy.bytes.join(), copy.bytes.buffer === copy.all, copy.view.buffer === copy.all, copy.view.getUint8(1), copy.all !== buffer, 'hidden' in copy, Reflect.ownKeys(copy).length, copy.bare.z);`;
    assert.equal(
      (await runProgram(source)).log,
      'true true true true false 3 5 true true 9,0,0 true true 9 true false 9 1',
    );
  });

  it('refuses what is no plain data', async () => {
    const source = `for (const wrong of [() => {}, Symbol('x'), new Error('x'), /x/, Object(1), Object('x'), new (class A {})(), Promise.resolve(1), new WeakMap(), createlock(), new AbortController(), Object.create({ a: 1 })])
      for (const value of [wrong, [wrong], { wrong }, new Map([[1, wrong]])]) try { structuredClone(value); log('accepted', wrong); } catch (error) { if (error.code !== 'ARGUMENT') log(error); }
      log('checked');`;
    assert.equal((await runProgram(source)).log, 'checked');
  });

  it('runs getters of the program and survives them, cycles of depth and odd keys', async () => {
    const source = `let deep = {}; for (let i = 0; i < 1e6; i++) deep = { deep };
      for (const value of [{ get x() { throw new RangeError('mine'); } }, deep, new Proxy({}, { ownKeys() { throw new RangeError('trap'); } })])
        try { structuredClone(value); log('accepted'); } catch (error) { if (!(error instanceof RangeError)) log(error); }
      const odd = structuredClone(JSON.parse('{"__proto__":{"x":1},"constructor":1}')); log(odd.x, Object.hasOwn(odd, '__proto__'), odd.constructor);
      Object.defineProperty(Object.prototype, 'get', { get() { return undefined; }, configurable: true });
      log(structuredClone(new Array(2 ** 32 - 1)).length, structuredClone({ a: 1 }).a);`;
    assert.equal((await runProgram(source)).log, 'undefined true 14294967295 1');
  });
});

describe('AbortController in a vessel', () => {
  after(removeRuntime);

  it('tells each listener once, with the reason', async () => {
    const source = `const c = new AbortController(); const { signal } = c; const f = () => log('f ');
      signal.onabort = (event) => log(event.type, event.target === signal, '');
      signal.addEventListener('abort', f); signal.addEventListener('abort', f); signal.addEventListener('abort', () => log('g '), { once: true });
      const gone = () => log('never'); signal.addEventListener('abort', gone); signal.removeEventListener('abort', gone);
      log(signal.aborted, ''); c.abort('why'); c.abort('again');
      log(signal.aborted, signal.reason, ''); try { signal.throwIfAborted(); } catch (reason) { log(reason); }`;
    assert.equal((await runProgram(source)).log, 'false abort true f g true why why');
  });

  it('has reasons with names and codes', async () => {
    const source = `const c = new AbortController(); c.abort(); log(c.signal.reason.name, c.signal.reason instanceof AbortError, AbortSignal.abort().reason.code, AbortSignal.abort(7).reason, '');
      const late = AbortSignal.timeout(2); log(late.aborted, ''); late.onabort = () => log(late.reason.name, late.reason.code);`;
    assert.equal((await runProgram(source)).log, 'AbortError true ABORTED 7 false TimeoutError TIMEOUT');
  });

  it('holds an event for a timeout', async () => {
    const message = await runCaught('AbortSignal.timeout(9e9); AbortSignal.timeout(1);', {
      restrictions: 'resource events 2',
    });
    assert.match(message, /^ResourceExhaustedError/);
  });

  it('follows the first of several', async () => {
    const source = `const a = new AbortController(), b = new AbortController(); const any = AbortSignal.any([a.signal, b.signal, a.signal]); const outer = AbortSignal.any([any]);
      outer.addEventListener('abort', () => log('outer ')); b.abort('b'); a.abort('a');
      log(any.reason, outer.reason, AbortSignal.any([AbortSignal.abort(1), a.signal]).reason, AbortSignal.any([]).aborted);`;
    assert.equal((await runProgram(source)).log, 'outer b b 1 false');
  });

  it('ends the program by what a listener throws, after the other listeners', async () => {
    const source = `const c = new AbortController(); c.signal.addEventListener('abort', () => { throw new TypeError('boom'); });
      c.signal.addEventListener('abort', () => log('second ')); c.abort(); log('after '); await sleep(9e6);`;
    const { log, ending } = await runProgram(source);
    assert.match(log, /^second after \nUncaught TypeError: boom/);
    assert.equal(ending.kind, 'error');
  });

  it('and all the rest work when the program has replaced what the language has', async () => {
    const source = `const { log: say, Uint8Array: Bytes } = globalThis; const map = new Map([[1, { a: [2] }]]); const c = new AbortController(); const define = Object.defineProperty;
      const evil = () => { throw new Error('replaced'); };
      const replace = (target, key, how) => { try { define(target, key, { __proto__: null, configurable: true, ...how }); } catch {} };
      const classes = [Map, Set, Date, Array, String, ArrayBuffer, Bytes, Object.getPrototypeOf(Bytes), Promise, Object, Function];
      for (let c = 0; c < classes.length; c++) {
        const { prototype } = classes[c]; const keys = Reflect.ownKeys(prototype);
        for (let k = 0; k < keys.length; k++) {
          if (keys[k] === 'constructor') continue;
          const isMethod = typeof Reflect.getOwnPropertyDescriptor(prototype, keys[k]).value === 'function';
          replace(prototype, keys[k], isMethod ? { value: evil } : { get: evil });
        }
      }
      const polluted = ['then', '0', 'once', 'fatal', 'value', 'get'];
      for (let k = 0; k < polluted.length; k++) replace(Object.prototype, polluted[k], { get() { return undefined; }, set: evil });
      Reflect.apply = Object.defineProperty = JSON.parse = evil;
      globalThis.Map = globalThis.Uint8Array = globalThis.Uint16Array = globalThis.Promise = globalThis.Error = undefined;
      c.signal.addEventListener('abort', () => say('abort ')); c.abort(); c.signal.throwIfAborted === undefined;
      say(btoa('hi'), atob('aGk='), crypto.randomUUID() !== '', getresources().usage.events, '');
      structuredClone(map); const bytes = new TextEncoder().encode('ü'); say(bytes[0], bytes[1], new TextDecoder().decode(bytes));`;
    const { log, ending } = await runProgram(source);
    assert.equal(log, 'abort aGk= hi true 1 195 188 ü', ending.message);
  });
});
