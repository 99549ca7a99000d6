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
