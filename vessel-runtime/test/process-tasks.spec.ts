import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runCaught, runProgram } from './process-helper.ts';

describe('locks and threads of a program', () => {
  after(removeRuntime);

  it('let one in at a time, in the order in which they asked', async () => {
    const source = `const lock = createlock(); let inside = 0;
      for (let i = 0; i < 4; i++) createthread(async () => {
        await lock.acquire(true);
        inside++; if (inside !== 1) log('two');
        await sleep(0.002); log(i); inside--; lock.release();
      });`;
    const { log, ending } = await runProgram(source);
    assert.deepEqual([log, ending.kind], ['0123', 'finished']);
  });

  it('do not wait when told not to, and a lock handed over is held', async () => {
    const source = `const lock = getlock();
      log(await lock.acquire(), await lock.acquire(false), '');
      const second = lock.acquire(true); lock.release();
      log(await lock.acquire(false), await second, '');
      lock.release(); log(await lock.acquire(false));`;
    assert.equal((await runProgram(source)).log, 'true false false true true');
  });

  it('refuse a second release, a wrong argument and another object', async () => {
    assert.match(
      await runCaught('const l = createlock(); await l.acquire(true); l.release(); l.release();'),
      /^LockDoubleReleaseError LOCK_DOUBLE_RELEASE expected a lock that is held/,
    );
    const source = `const lock = createlock();
      for (const wrong of [null, -1, 2, 'true', {}, [], Symbol('x')]) try { await lock.acquire(wrong); log('accepted'); } catch (error) { if (error.code !== 'ARGUMENT') log(error); }
      for (const other of [undefined, {}, new Proxy(lock, {})]) try { lock.release.call(other); log('accepted'); } catch (error) { if (!(error instanceof TypeError)) log(error); }
      log(await lock.acquire(false), await lock.acquire(0)); lock.release(); log('', await lock.acquire(1));`;
    assert.equal((await runProgram(source)).log, 'true false true');
  });

  it('run at the same time, after the code that made them', async () => {
    const source = `for (const name of ['a', 'b']) createthread(async () => { log(name); await sleep(0.001); log(name); });
      log('main ');`;
    assert.match((await runProgram(source)).log, /^main ab(ab|ba)$/);
  });

  it('are given a name each', async () => {
    const source = 'for (let i = 0; i < 3; i++) createthread((...names) => log(names));';
    assert.equal((await runProgram(source)).log, '["thread-1"]["thread-2"]["thread-3"]');
  });

  it('hold one event each while they run, and give it back however they end', async () => {
    const options = { restrictions: 'resource events 2' };
    assert.match(
      await runCaught('createthread(() => sleep(9e6)); createthread(() => {});', options),
      /^ResourceExhaustedError RESOURCE_EXHAUSTED expected at most 2 events/,
    );
    const source = `for (let i = 0; i < 20; i++) { let done; const end = new Promise((resolve) => { done = resolve; });
        createthread(() => { done(); }); await end; await null; await null; }
      log(getresources().usage.events);`;
    assert.equal(await runCaught(source, options), '1');
  });

  it('end the program by what they throw, at once or later', async () => {
    for (const body of [
      "() => { throw new TypeError('boom'); }",
      "async () => { await sleep(0); throw new TypeError('boom'); }",
    ]) {
      const { ending } = await runProgram(`createthread(${body}); await sleep(9e6);`);
      assert.match(ending.message, /^uncaught TypeError: boom at program\.js:1:/);
    }
  });

  it('do not keep a program that waits for what can never come', async () => {
    const { ending } = await runProgram('const l = createlock(); await l.acquire(); createthread(() => l.acquire());');
    assert.equal(ending.kind, 'finished');
  });
});

describe('randomness of a program', () => {
  after(removeRuntime);

  it('is 1024 bytes a call, which differ', async () => {
    const source = `const [a, b] = await Promise.all([randombytes(), randombytes()]);
      log(a instanceof Uint8Array, a.length, new Set(a).size > 200, a.every((x, i) => x === b[i]));`;
    assert.equal((await runProgram(source)).log, 'true 1024 true false');
  });

  it('is charged to random, by each of its calls', async () => {
    const none = { restrictions: 'resource random 0' };
    for (const call of ['await randombytes();', 'crypto.randomUUID();', 'crypto.getRandomValues(new Uint8Array(1));']) {
      assert.match(await runCaught(call, none), /^ResourceExhaustedError RESOURCE_EXHAUSTED/, call);
    }
    const source = `for (let i = 0; i < 5; i++) CALL; log(getruntime() >= 0.9 ? 'slow' : 'fast');`;
    for (const call of ['await randombytes()', 'crypto.getRandomValues(new Uint16Array(512))']) {
      const run = (rate: number) =>
        runCaught(source.replace('CALL', call), { restrictions: `resource random ${rate}` });
      assert.equal(await run(2048), 'slow', call);
    }
  });

  it('that is asked for without end grows nothing', async () => {
    const source = `let refused = 0; const all = [];
      for (let i = 0; i < 5000; i++) all.push(randombytes().catch((error) => { if (error.code === 'RESOURCE_EXHAUSTED') refused++; }));
      await sleep(0.05); log(refused > 1000);`;
    assert.equal(await runCaught(source, { restrictions: 'resource random 1024' }), 'true');
  });

  it('fills what it is given, and no more than that', async () => {
    const source = `const bytes = new Uint8Array(100);
      const part = bytes.subarray(40, 60);
      log(crypto.getRandomValues(part) === part, bytes.subarray(0, 40).every((x) => x === 0), bytes.subarray(60).every((x) => x === 0), part.some((x) => x > 0), '');
      for (const C of [Int8Array, Uint8ClampedArray, Int16Array, Uint32Array, BigUint64Array]) if (!crypto.getRandomValues(new C(64)).some((x) => x)) log(C.name);
      crypto.getRandomValues(new Uint8Array(65536)); crypto.getRandomValues(new Uint8Array(0));
      for (const wrong of [new Uint8Array(65537), new Float64Array(1), new Float32Array(1), new Float16Array(1), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8), [], {}, null, undefined, 'x', new Proxy(new Uint8Array(8), {}), Object.create(Uint8Array.prototype)])
        try { crypto.getRandomValues(wrong); log('accepted', wrong); } catch (error) { if (error.code !== 'ARGUMENT') log(error); }`;
    assert.equal((await runProgram(source, { restrictions: 'resource random 1e9' })).log, 'true true true true ');
  });

  it('makes version 4 UUIDs that differ', async () => {
    const source = `const all = Array.from({ length: 200 }, () => crypto.randomUUID());
      log(new Set(all).size, all.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)));`;
    assert.equal((await runProgram(source)).log, '200 true');
  });
});

describe('what a program learns about itself', () => {
  after(removeRuntime);

  it('is its limits and usage, as copies', async () => {
    const source = `settimer(9e6, log); const one = getresources(); one.limits.events = 5; one.limits.messport.push(1);
      const { limits, usage, stoptimes } = getresources();
      log(limits.events, limits.messport, limits.connport, limits.cpu, usage.events, usage.insockets, stoptimes, '');
      log(typeof usage.cpu, usage.memory > 0, Object.keys(limits).every((name) => name.endsWith('port') || name in usage)); exitall();`;
    const { log } = await runProgram(source, { restrictions: 'resource messport 5001\nresource connport 5002' });
    assert.equal(log, '100 [5001] [5002] 1 2 0 [] number true true');
  });

  it('is the last error of a call, and null before there was one', async () => {
    const source = `log(getlasterror(), ''); try { settimer(-1, log); } catch {} log(getlasterror().split('\\n')[0]);`;
    assert.match((await runProgram(source)).log, /^null RepyArgumentError: expected a delay/);
  });
});
