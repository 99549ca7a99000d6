import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runProgram } from './process-helper.ts';

const PORTS = {
  restrictions: 'resource messport 5001\nresource connport 5001\nresource loopsend 100000000',
  address: '127.0.3.7',
};

/**
 * Defines `foreign(...values)`: what is reachable from them and is an object of another realm than the one where it was
 * defined, as paths. Every object ends, by its prototypes, in its own realm's `Object.prototype` or in null at once.
 */
const FOREIGN = `
const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object; const { ownKeys } = Reflect; const own = Object.prototype; const seen = new Set(); const { add: seenAdd, has: seenHas } = Set.prototype; const { apply } = Reflect; const string = String;
globalThis.found = [];
globalThis.foreign = (path, value) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || apply(seenHas, seen, [value])) return;
  apply(seenAdd, seen, [value]);
  let root = value;
  for (let at = value; at !== null; at = getPrototypeOf(at)) root = at;
  if (root !== own && hasOwn(root, 'propertyIsEnumerable')) { found[found.length] = path; return; }
  const keys = ownKeys(value);
  for (let i = 0; i < keys.length; i++) {
    const d = getOwnPropertyDescriptor(value, keys[i]);
    const name = path + '.' + string(keys[i]);
    if (hasOwn(d, 'value')) foreign(name, d.value); else { foreign(name + ' get', d.get); foreign(name + ' set', d.set); }
  }
  foreign(path + '.__proto__', getPrototypeOf(value));
};
globalThis.said = (list) => { let text = '['; for (let i = 0; i < list.length; i++) text += (i === 0 ? '' : ', ') + list[i]; return text + ']'; };
globalThis.visited = () => seen.size;
`;

/**
 * Runs an outer program around an inner one, both with `foreign` from the start; the inner one has what `given` says, and
 * afterwards `outer` runs with `result`. The log is all that either found, which is nothing.
 */
async function search(parts: { given: string; inner: string; outer?: string; before?: string }): Promise<string> {
  const source = `${FOREIGN}
    ${parts.before ?? ''}
    const given = { ${parts.given} };
    let result = {};
    try { result = await createvirtualnamespace(${JSON.stringify(`${FOREIGN}\n${parts.inner}\nforeign('global', globalThis);`)}, 'inner.js').evaluate(given); }
    catch (error) { foreign('error', error); log('inner: ', error); }
    ${parts.outer ?? ''}
    foreign('result', result);
    foreign('global', globalThis);
    log(said(result.found), said(found), result.visited() > 500, visited() > 500);
    exitall();`;
  const { log, ending } = await runProgram(source, PORTS);
  assert.equal(ending.kind, 'exitall', `${ending.message} ${log.slice(0, 3000)}`);
  return log;
}

const NOTHING = '[] [] true true';

describe('two programs in one isolate', () => {
  after(removeRuntime);

  it('reach no object of each other by what is given and returned', async () => {
    const given = `log, sleep, recvmess, waitforconn, openconn, stopcomm, createlock, settimer, getresources, randombytes,
      promise: Promise.resolve({ a: [1] }), rejected: sleep(0).then(() => { throw new TypeError('x'); }), data: [{ a: new Map([[{}, new Set([[]])]]), b: new Date(0), c: Uint8Array.of(1), d: new DataView(new ArrayBuffer(3)), e: new Error('x', { cause: new RangeError('y') }) }],
      instance: new (class Box { #a = []; b = {}; open() { return this.#a; } async *many() { yield this.b; } })(), iterable: { async *[Symbol.asyncIterator]() { yield {}; } }, symbols: [][Symbol.iterator]()`;
    const inner = `const keep = (path, value) => { foreign(path, value); return value; };
      for (const name of ['log', 'sleep', 'recvmess', 'waitforconn', 'openconn', 'stopcomm', 'createlock', 'settimer', 'getresources', 'randombytes', 'promise', 'rejected', 'data', 'instance', 'iterable', 'symbols']) keep(name, globalThis[name]);
      keep('awaited', await promise); keep('caught', await rejected.catch((error) => error));
      const listener = keep('listener', recvmess('127.0.3.7', 5001, (...args) => keep('message', args)));
      const server = keep('server', await waitforconn('127.0.3.7', 5001, (...args) => keep('connection', args)));
      const sock = keep('sock', await openconn('127.0.3.7', 5001)); keep('sent', await sock.send('x')); keep('address', sock.ip);
      for (const bad of [() => sock.send({}), () => stopcomm({}), () => recvmess(), () => sleep(NaN), () => sleep()]) try { keep('accepted', await bad()); } catch (error) { keep('error', error); if (!(error instanceof Error) || error.name !== 'RepyArgumentError' || !(error instanceof RepyArgumentError)) found.push('class'); }
      await sleep(0.02); sock.close(); stopcomm(server); listener.close(); keep('resources', getresources()); keep('bytes', await randombytes());
      const lock = keep('lock', createlock()); await lock.acquire(); lock.release(); keep('timer', settimer(0, (...args) => keep('args', args), [{ a: 1 }]));
      keep('open', instance.open()); for await (const each of instance.many()) keep('each', each); for await (const each of iterable) keep('of', each); keep('next', symbols.next());
      await sleep(0.02);
      globalThis.take = (...args) => { keep('taken', args); return { back: args, f: () => args }; };
      globalThis.fail = () => { throw { odd: [class {}] }; };`;
    const outer = `const took = result.take({ a: [{}] }, () => ({}), new Promise(() => {}), new (class A { m() {} })()); foreign('took', took); foreign('f', took.f());
      try { result.fail(); } catch (error) { foreign('thrown', error); }`;
    assert.equal(await search({ given, inner, outer }), NOTHING);
  });

  it('reach no object of each other by what they replaced in their own', async () => {
    const poison = `const catchAll = (where) => function (...args) { foreign(where + '.this', this); foreign(where, args); return args[0]; };
      for (const key of ['0', '1', '2', '7', '16', '17', 'get', 'set', 'value', 'writable', 'then', 'name', 'code', 'words', 'more', 'length_', 'index', 'constructor_', 'stack_'])
        for (const target of [Object.prototype, Array.prototype]) Object.defineProperty(target, key, { __proto__: null, get() { foreign('get ' + key, this); return undefined; }, set(value) { foreign('set ' + key, value); foreign('set on ' + key, this); }, configurable: true });
      for (const [holder, keys] of [[Function.prototype, ['call', 'apply', 'bind', 'toString']], [Promise.prototype, ['then', 'catch', 'finally']], [Array.prototype, ['push', 'slice', 'map', 'concat', 'forEach', 'join']], [WeakMap.prototype, ['get', 'set', 'has']], [WeakSet.prototype, ['add', 'has']], [Map.prototype, ['get', 'set', 'has', 'forEach']], [RegExp.prototype, ['exec', 'test']], [Reflect, ['apply', 'ownKeys', 'construct', 'getPrototypeOf']]])
        for (const key of keys) holder[key] = catchAll(key);
      Array.prototype[Symbol.iterator] = function* () { foreign('iterated', this); yield 'evil'; };
      Object.setPrototypeOf(Array.prototype, new Proxy(Object.prototype, { get(target, key, self) { foreign('trap ' + string(key), self); return undefined; }, set(target, key, value, self) { foreign('trap set', value); foreign('trap self', self); return false; }, has(target, key) { return false; } }));
      Error.prepareStackTrace = (error, frames) => { for (let i = 0; i < frames.length; i++) { const f = frames[i]; foreign('frame this', f.getThis()); foreign('frame function', f.getFunction()); foreign('frame', f); } let text = string(error); for (let i = 0; i < frames.length; i++) text += ' ' + frames[i].getFileName() + ':' + frames[i].getLineNumber(); return text; };
      globalThis.Promise = globalThis.Error = globalThis.Uint8Array = globalThis.Map = globalThis.String = undefined;`;
    const use = `foreign('error of stack', (() => { try { null.x; } catch (error) { return error.stack; } })());`;
    const inner = `${poison} ${use} foreign('given', f({ a: [1, { b: 2 }] }, [1, 2, 3], 'x', () => 5)); try { fail(); } catch (error) { foreign('caught', error); foreign('stack', error.stack); }
      globalThis.g = (...args) => { foreign('args', args); return { args, h() {} }; }; await p;`;
    const outer = `${use} foreign('back', result.g({ a: [1] }, [[]], () => {}, new (class { m() {} })())); try { result.nothing(); } catch (error) { foreign('own', error); }`;
    const before = `const given0 = { f: (...args) => { foreign('f', args); return args; }, fail: () => { throw { a: null.b }; }, p: sleep(0.01) };`;
    const log = await search({ given: 'f: given0.f, fail: given0.fail, p: given0.p', inner, before, outer });
    assert.equal(log, NOTHING);
    assert.equal(
      await search({
        given: 'f: given0.f, fail: given0.fail, p: given0.p',
        inner,
        before: `${before}\n${poison}`,
        outer,
      }),
      NOTHING,
    );
  });

  it('get an error of their own when the stack has no more room, wherever that is', async () => {
    const inner = `const deep = (n, run) => { try { return deep(n + 1, run); } catch (error) { foreign('deep', error); if (!(error instanceof RangeError) && !(error instanceof InternalError)) found.push('class ' + error); return run(); } };
      globalThis.down = (n) => { try { return up(n + 1); } catch (error) { foreign('down', error); if (!(error instanceof Error)) found.push('down ' + error); return n; } };
      for (const run of [() => f(), () => f({ a: [1, [2]] }), () => f(() => {}), () => f(new (class { m() {} })()), () => { try { f(Symbol()); } catch (error) { foreign('symbol', error); } }]) { try { deep(0, run); } catch (error) { foreign('outer', error); if (!(error instanceof Error)) found.push('own'); } }`;
    const before = `let down; const up = (n) => { try { return down(n + 1); } catch (error) { foreign('up', error); if (!(error instanceof Error)) found.push('up ' + error); return n; } };
      const f = (...args) => { const go = (n) => { if (n > 0) go(n - 1); }; for (let n = 1; n < 200; n += 7) go(n); return { args }; };`;
    const outer = `down = result.down; for (let i = 0; i < 3; i++) down(0);`;
    assert.equal(await search({ given: 'f, up', inner, before, outer }), NOTHING);
  });

  it('run the code of proxies and getters where it belongs, with nothing of the other side', async () => {
    const inner = `const handler = new Proxy({}, { get: (target, name) => (...args) => { foreign('trap ' + name, args); if (args[0] === bomb) throw new RangeError('trap'); return Reflect[name](...args); } });
      const bomb = {}; const around = (target) => new Proxy(target, handler);
      for (const value of [around({ a: 1 }), around([1, 2]), around(() => 5), around(new (class A { m() { return this; } })()), around(Promise.resolve(1)), around(new Map()), around(new Error('x')), around(bomb), { get a() { foreign('this', this); return [this]; } }, { get a() { throw bomb; } }, { toJSON() { foreign('json', this); } }, { [Symbol.toPrimitive]() { foreign('primitive', this); } },
        Object.defineProperty(new Error(), 'message', { get() { foreign('message', this); return {}; } }), Object.assign(Promise.resolve(1), { constructor: { [Symbol.species]: function (executor) { foreign('executor', executor); executor((v) => foreign('resolved', v), (v) => foreign('rejected', v)); } } }), Object.assign(Object.create(Promise.prototype), { then(...args) { foreign('then', args); } }), { then(resolve, reject) { foreign('resolve', resolve); foreign('reject', reject); resolve({}); } }])
        { try { foreign('back', f(value)); foreign('awaited', await g(value)); } catch (error) { foreign('error', error); if (!(error instanceof Error) && error !== bomb) found.push('odd'); } }
      globalThis.give = () => [around({ b: 2 }), around(() => around([]))];`;
    const before = `const f = (value) => { foreign('value', value); log; return value; }; const g = async (value) => { foreign('async', value); await null; return typeof value === 'function' ? value() : value; };`;
    const outer = `const gave = result.give(); foreign('gave', gave); foreign('called', gave[1]());`;
    assert.equal(await search({ given: 'f, g', inner, before, outer }), NOTHING);
  });

  it('can neither run code from strings, nor import, nor name each other’s functions by their callers', async () => {
    const inner = `const tries = { eval: () => (0, eval)('1'), Function: () => Function('return 1')(), given: () => f.constructor('return 1')(), given2: () => f.constructor.constructor('return 1')(), async: () => (async () => {}).constructor('1')(), generator: () => Object.getPrototypeOf(function* () {}).constructor('1'), returned: () => f(() => {}).constructor('return this')() };
      globalThis.ran = []; for (const name in tries) try { tries[name](); ran.push(name); } catch (error) { if (!(error instanceof EvalError)) ran.push(name + error); }
      try { await import('./x.js'); ran.push('import'); } catch (error) { foreign('import', error); }
      for (const key of ['caller', 'arguments', 'callee']) try { foreign(key, f[key]); if (f[key]) ran.push(key); } catch {}
      for (const name of ['process', 'require', 'prelude', '$0', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Intl']) if (name in globalThis) ran.push(name);
      try { AbortSignal.timeout(5); ran.push('timeout'); } catch (error) { if (error.name !== 'ResourceForbiddenError') ran.push(String(error)); }`;
    assert.equal(await search({ given: 'f: (x) => x', inner, outer: 'log(result.ran);' }), `[]${NOTHING}`);
  });

  it('keep what an object of a class holds, and give only its methods', async () => {
    const inner = `globalThis.got = [Reflect.ownKeys(box), box.read(), box.secret, box.open, typeof box.constructor, Object.getPrototypeOf(box) === Object.prototype];
      try { box.read.call({ secret: 1 }); } catch (error) { globalThis.got.push(error.name); }`;
    const before =
      "class Box { secret = [1]; #open = 'it'; read() { return this.#open; } get open() { return this.secret; } }";
    const log = await search({ given: 'box: new Box()', inner, before, outer: 'log(result.got);' });
    assert.equal(log, `[["read"], "it", undefined, undefined, "function", true]${NOTHING}`);
  });

  it('know their own again, when it comes back', async () => {
    const inner = `const mine = () => {}; const p = Promise.resolve(); class A { m() {} } const a = new A(); globalThis.same = [f(mine) === mine, f(p) === p, f(a) === a, f(f) === f, f(box) === box, f([mine])[0] === mine, f(promise) === promise];`;
    const before = 'class Box { m() {} } const box = new Box(); const promise = sleep(0);';
    const outer = 'log(result.same, result.f === given.f, result.box === box, result.promise === promise);';
    const log = await search({ given: 'f: (x) => x, box, promise', inner, before, outer });
    assert.equal(log, `[true, true, true, true, true, true, true] true true true${NOTHING}`);
  });

  it('pass on data with its cycles, up to a depth and a size', async () => {
    const inner = `const nested = (depth) => { let value = 1; for (let i = 0; i < depth; i++) value = [value]; return value; };
      const attempt = (value) => { try { return typeof f(value); } catch (error) { return error.code + (error instanceof RepyArgumentError); } };
      const cycle = { list: [] }; cycle.self = cycle; cycle.list.push(cycle.list, cycle); const back = f(cycle);
      globalThis.got = [attempt(nested(100)), attempt(nested(101)), attempt(Array(400000).fill(1)), attempt(Array(600000).fill(1)), attempt({ length: 2 ** 32 }), attempt(new Array(2 ** 32 - 1)), back.self === back, back.list[0] === back.list, back.list[1] === back, Object.is(f(-0), -0), f(2n ** 70n) === 2n ** 70n, f(undefined), f(new Uint16Array([1, 65535]).subarray(1))[0], f(new Uint8Array(1e6)).length];`;
    const log = await search({ given: 'f: (x) => x', inner, outer: 'log(result.got);' });
    const limits = '"object", "ARGUMENTtrue", "object", "ARGUMENTtrue", "object", "ARGUMENTtrue"';
    assert.equal(log, `[${limits}, true, true, true, true, true, undefined, 65535, 1000000]${NOTHING}`);
  });

  it('run only code that was checked, whatever the program makes of the class of namespaces', async () => {
    const source = `const made = createvirtualnamespace('1'); const Class = made.constructor; log(Class === Object, Reflect.ownKeys(Object.getPrototypeOf(made)).join());
      try { new Class('}; globalThis.r = typeof WebAssembly; async () => {', 'x').evaluate({}); log('ran'); } catch (error) { log('', error.name); }`;
    assert.equal((await runProgram(source)).log, 'true evaluate TypeError');
  });

  it('leave a fault of the network that nobody awaits without consequence on either side', async () => {
    const source = `await createvirtualnamespace("sendmess('192.0.2.1', 9, 'x');", 'inner.js').evaluate({ sendmess }); await sleep(0.05); log('lives');`;
    const { log } = await runProgram(source, PORTS);
    assert.equal(log, 'lives');
  });
});
