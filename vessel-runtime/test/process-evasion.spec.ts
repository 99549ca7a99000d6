import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runProgram } from './process-helper.ts';

/** @returns the log of a program under layers, which has to finish. */
async function logOf(source: string, ...layers: string[]): Promise<string> {
  const place = { restrictions: 'resource messport 5001', address: '127.0.3.11' };
  const { log, ending } = await runProgram(source, { ...place, layers });
  assert.equal(ending.kind, 'finished', `${ending.message}; log: ${log}`);
  return log;
}

describe('a program that wants to get round a layer', () => {
  after(removeRuntime);

  const LAYER = `const secret = { word: 'it' }; globalThis.leak = secret; class File { #inner = secret; inner = secret; read() { return 'x'; } get hidden() { return secret; } }
    const seen = []; layer.wrap('createlock', (...args) => { seen.push(args); return new File(); }, { args: ['any...'], returns: { read: {} } });
    layer.wrap('getresources', (given) => given, { args: ['any'] }); layer.wrap('recvmess', (ip, port, fn, options) => recvmess(ip, port, (...all) => fn(...all, secret.word), options));
    layer.wrap('sleep', async (given) => { try { await given.run(); } catch (error) { seen.push(error); } }, { args: ['any'] }); layer.wrap('getlasterror', () => seen.length + (Object.prototype.evil ?? '') + [1].map((x) => x)); layer.forbid('exitall');`;

  /** Logs `found` and what was walked, if there is anything of another realm among it. */
  const WALK = `const seen = new Set(); const found = []; const walk = (path, value) => { if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return; seen.add(value);
      let root = value; for (let at = value; at !== null; at = Object.getPrototypeOf(at)) root = at; if (root !== Object.prototype && Object.hasOwn(root, 'propertyIsEnumerable')) return void found.push(path);
      if (value?.word === 'it') found.push('secret ' + path);
      for (const key of Reflect.ownKeys(value)) { const d = Object.getOwnPropertyDescriptor(value, key); for (const part of ['value', 'get', 'set']) walk(path + '.' + String(key), d[part]); } walk(path + '^', Object.getPrototypeOf(value)); };`;

  it('reaches no object of it, of the API’s realm or of another layer', async () => {
    const source = `${WALK} const odd = [createlock(), getresources({ a: [() => walk], at: new Map() }), getresources((...args) => args), new LayerError('x')];
      for (const run of [() => createlock(Symbol()), () => getresources(), () => exitall(), () => layer.wrap('log', 1), () => getresources(new Proxy({}, { ownKeys() { throw odd; } })), () => createlock().inner.word]) try { odd.push(await run()); } catch (error) { odd.push(error); }
      const l = recvmess(getmyip(), 5001, (...args) => { odd.push(args); l.close(); }); odd.push(l); await sendmess(getmyip(), 5001, 'x');
      await sleep({ run: () => { throw { toString: walk }; } }); Object.prototype.evil = 'evil'; Array.prototype.map = () => 'evil'; odd.push(getlasterror());
      walk('odd', odd); walk('global', globalThis); log(found.join(), seen.size > 500, typeof leak, odd.at(-1));`;
    assert.equal(await logOf(source, LAYER, 'globalThis.other = 1;'), ' true undefined 31');
  });

  it('gets hold of no object of another realm by a length that is an object, nor by a map that grows while it is read', async () => {
    const source = `let got = []; const X = (...args) => { got.push(...args); }; const thrower = () => { let n = 0; return { valueOf() { if (n++ === 0) return 0; throw X; }, [Symbol.toPrimitive]() { if (n++ === 0) return 0; throw X; } }; };
      const lied = () => new Proxy([], { get: (target, key) => (key === 'length' ? thrower() : target[key]) });
      const u8 = new Uint8Array(1); u8[Symbol.toPrimitive] = () => { throw X; };
      const grown = () => { const m = new Map(); m.set('a', { get x() { m.set(7, u8); m.set(5, 6); return 1; } }); return m; };
      const more = () => { const s = new Set(); s.add({ get x() { s.add(u8); s.add(7); return 1; } }); return s; };
      for (const make of [lied, grown, more, () => new Proxy([], { get: (target, key) => (key === 'length' ? NaN : target[key]) }), () => new Proxy([1], { get: (target, key) => (key === 'length' ? -1 : target[key]) }), () => Object.defineProperty([], 'length', { value: 3 })])
        for (const call of [(v) => settimer(1, () => {}, v), (v) => settimer(1, () => {}, [{ m: v, a: 1, b: 2 }]), (v) => createlock(v), (v) => getresources(v), (v) => sleep(v), (v) => log.call(null)])
          try { const back = await call(make()); if (typeof back === 'function') back({}, []); } catch (error) { if (typeof error === 'function') error({}, []); if (!(error instanceof Error)) log('odd', typeof error); }
      log(got.filter((value) => !(value instanceof Object)).length); exitall();`;
    const { log, ending } = await runProgram(source, {
      restrictions: 'resource events 20',
      address: '127.0.3.11',
      layers: [LAYER.replace("layer.forbid('exitall');", '')],
    });
    assert.equal(log, '0', ending.message);
  });

  it('finds no second name for what was changed, in no world that it makes', async () => {
    const source = `const ways = [() => exitall(), () => exitall.call(), () => Reflect.apply(exitall, undefined, []), () => globalThis.exitall(), () => exitall.constructor('return exitall()')(), () => createvirtualnamespace('exitall()').evaluate({ exitall }), () => createvirtualnamespace('exitall()').evaluate(), () => settimer(0, exitall), () => setTimeout(exitall, 0)];
      for (const way of ways.slice(0, 7)) try { await way(); log('accepted '); } catch (error) { log(error.name, ''); } delete globalThis.exitall; log(typeof exitall);`;
    const refused = 'ResourceForbiddenError ';
    assert.equal(
      await logOf(source, "layer.forbid('exitall');"),
      `${refused.repeat(4)}EvalError ${refused}ReferenceError undefined`,
    );
  });

  it('cannot change what a layer was given after the check', async () => {
    const layer = `layer.wrap('getresources', async (given) => { const before = given.name; await null; return before === given.name; }, { args: ['any'] });
      layer.wrap('sleep', (given) => { given.list.push(1); given.name = 'mine'; }, { args: ['any'] });`;
    const source = `const given = { name: 'good', list: [] }; const answer = getresources(given); given.name = 'evil'; log(await answer, ''); sleep(given); log(given);
      let reads = 0; const two = { get name() { return 'n' + reads++; } }; log(await getresources(two), reads);`;
    assert.equal(await logOf(source, layer), 'true { name: "evil", list: [] }true 1');
  });
});
