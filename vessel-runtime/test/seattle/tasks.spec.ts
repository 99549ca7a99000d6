import assert from 'node:assert/strict';
import { removeRuntime } from '../helper.ts';
import { runCaught, runProgram } from '../process-helper.ts';

// Seattle's threads are tasks here: they take turns where they await. What blocks there is a promise here.

const few = { restrictions: 'resource events 3' };

describe("Seattle's semantics of threads, locks and time", () => {
  after(removeRuntime);

  it('Seattle 26: createthread beyond events raises ResourceExhaustedError', async () => {
    const source = 'createthread(() => sleep(9e6)); for (let i = 0; i < 9; i++) { createthread(() => {}); }';
    assert.match(await runCaught(source, few), /^ResourceExhaustedError RESOURCE_EXHAUSTED expected at most 3 events/);
  });

  it('Seattle 26: the count comes back when threads end', async () => {
    const source = `let ended = 0;
      for (let round = 0; round < 10; round++) {
        createthread(async () => { await sleep(0.001); ended += 1; });
        createthread(() => { ended += 1; });
        while (getresources().usage.events > 1) await sleep(0.001);
      }
      log(ended, getresources().usage.events);`;
    assert.equal(await runCaught(source, { restrictions: 'resource events 5' }), '20 1');
  });

  it('Seattle 26: createthread of anything but a function raises RepyArgumentError', async () => {
    const source = `for (const wrong of [undefined, null, 1, 'log()', {}, [log], Symbol('x')])
        try { createthread(wrong); log('accepted'); } catch (error) { log(error.code, ''); }
      log(getresources().usage.events);`;
    assert.equal(await runCaught(source), `${'ARGUMENT '.repeat(7)}1`);
  });

  for (const [what, body] of [
    ['a thread', "createthread(async () => { await sleep(0.001); throw new TypeError('boom'); });"],
    ['a timer', "settimer(0.001, () => { throw new TypeError('boom'); });"],
    [
      'a listener',
      "recvmess(getmyip(), 12345, () => { throw new TypeError('boom'); }); sendmess(getmyip(), 12345, 'x');",
    ],
  ] as const) {
    it(`Seattle 27: an uncaught error in ${what} ends the program`, async () => {
      const address = `127.99.${process.pid % 250}.${(process.pid >> 8) % 250}`;
      const { log, ending } = await runProgram(`${body}\nawait sleep(9e6); log('never');`, {
        address,
        restrictions: 'resource messport 12345',
      });
      assert.match(ending.message, /^uncaught TypeError: boom at program\.js:1:\d+$/);
      assert.match(log, /^Uncaught TypeError: boom\n/);
      assert.deepEqual([ending.kind, ending.exitCode], ['error', 1]);
    });
  }

  it('Seattle 27: exitall in any thread ends the program before later output', async () => {
    const source = `createthread(async () => { await sleep(0.001); log('here'); exitall(); log('never'); });
      settimer(9e6, log); await sleep(9e6); log('never');`;
    const { log, ending } = await runProgram(source);
    assert.deepEqual([log, ending.kind, ending.exitCode], ['here', 'exitall', 0]);
    const inside = await runProgram("try { exitall(); } finally { log('never'); } log('never');");
    assert.deepEqual([inside.log, inside.ending.kind], ['', 'exitall']);
  });

  it('Seattle 28: a second acquire that does not wait returns false', async () => {
    const source = `for (const lock of [createlock(), getlock()])
        log(await lock.acquire(true), await lock.acquire(false), await lock.acquire(false), lock.release(), await lock.acquire(false), '');`;
    assert.equal(await runCaught(source), 'true false false undefined true true false false undefined true ');
  });

  it('Seattle 28: a double release raises LockDoubleReleaseError', async () => {
    assert.match(await runCaught('createlock().release();'), /^LockDoubleReleaseError LOCK_DOUBLE_RELEASE/);
    const twice = 'const lock = createlock(); await lock.acquire(); lock.release(); lock.release();';
    assert.match(await runCaught(twice), /^LockDoubleReleaseError LOCK_DOUBLE_RELEASE/);
  });

  it('Seattle 28: an acquire that waits wakes on release, in the order of asking', async () => {
    const source = `const lock = createlock(); await lock.acquire(); let done = 0;
      for (const name of ['a', 'b', 'c']) createthread(async () => { log('wait', name, ''); await lock.acquire(); log(name, ''); await sleep(0.001); lock.release(); done += 1; });
      await sleep(0.005); log('release '); lock.release(); while (done < 3) await sleep(0.001);`;
    assert.equal(await runCaught(source), 'wait a wait b wait c release a b c ');
  });

  it('Seattle 29: sleep never returns before its time', async () => {
    const source = `let early = 0;
      for (const seconds of [0, 0.0001, 0.001, 0.0015, 0.0123, 0.05]) { const start = getruntime(); await sleep(seconds); if (getruntime() - start < seconds - 1e-4) early += 1; }
      log(early); for (const wrong of [-1, NaN, Infinity, '1', null, undefined]) await sleep(wrong).catch((error) => log('', error.code));`;
    // The clock has steps of 0.1 ms: one of them may be cut off at the start.
    assert.equal(await runCaught(source), `0${' ARGUMENT'.repeat(6)}`);
  });

  it('Seattle 29: getruntime never decreases', async () => {
    const source = `let last = 0, back = 0; for (let i = 0; i < 100000; i++) { const now = getruntime(); if (now < last) back += 1; last = now; }
      await sleep(0.01); log(back, getruntime() >= last + 0.01 - 1e-4);`;
    assert.equal(await runCaught(source), '0 true');
  });
});
