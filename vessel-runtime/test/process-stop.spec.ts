import assert from 'node:assert/strict';
import type { Ending } from '@potluck/protocol';
import { FRAME_LIMITS } from '../src/frames.ts';
import { Governor } from '../src/host/governor.ts';
import { removeRuntime } from './helper.ts';
import { type RunOptions, startProgram } from './process-helper.ts';

const STOPPED: Ending = { kind: 'stopped', message: 'a user stopped it', exitCode: 143 };
const RESTART: Ending = { kind: 'restart', message: 'the node manager was stopped while it ran', exitCode: 143 };
/** Longer than any test may take: who waits for it fails. */
const FOR_EVER_MS = 2 ** 30;
const GOES_ON = 'setInterval(() => {}, 1000);';

describe('a program that is stopped', () => {
  after(removeRuntime);

  /** Stops it when it has logged `ready`. @returns log and ending. */
  const stopped = async (source: string, how: RunOptions & { ending?: Ending; graceMs?: number } = {}) => {
    const { ending = STOPPED, graceMs = FOR_EVER_MS, ...options } = how;
    const { vessel, log } = await startProgram(`${source};log('ready ');`, options);
    await log.until('ready');
    vessel.stop(ending, graceMs);
    return { ending: await vessel.ended, log: log.text().replace('ready ', '') };
  };

  it('is told why, and ends as soon as what its function returns is settled', async () => {
    const source = `${GOES_ON} onstop(async (reason) => { await sleep(0.01); log(reason); })`;
    assert.deepEqual(await stopped(source), { log: 'stopped', ending: STOPPED });
    assert.deepEqual(await stopped(source, { ending: RESTART }), { log: 'node stops', ending: RESTART });
  });

  it('has all of its functions called in their order', async () => {
    const source = `${GOES_ON} for (const n of [1, 2, 3]) onstop(() => { log(n); })`;
    assert.equal((await stopped(source)).log, '123');
  });

  it('goes on meanwhile, and is ended when its time is over', async () => {
    const source =
      "let told; onstop(() => { told = true; return new Promise(() => {}); }); setInterval(() => told && log('.'), 10)";
    const { ending, log } = await stopped(source, { graceMs: FRAME_LIMITS.stopMs });
    assert.deepEqual(ending, STOPPED);
    assert.match(log, /^\.+$/);
  });

  it('is ended at once when it did not ask, looping or not', async () => {
    for (const source of [GOES_ON, "log('ready '); for (;;)"]) {
      assert.deepEqual((await stopped(source)).ending, STOPPED);
    }
  });

  it('is ended at once when it is stopped a second time, and by a kill', async () => {
    for (const again of ['stop', 'kill'] as const) {
      const source = `${GOES_ON} onstop(() => { log('told'); return new Promise(() => {}); }); log('ready')`;
      const { vessel, log } = await startProgram(source);
      await log.until('ready');
      vessel.stop(STOPPED, FOR_EVER_MS);
      await log.until('told');
      if (again === 'stop') vessel.stop(RESTART, FOR_EVER_MS);
      else vessel.kill(RESTART);
      assert.deepEqual(await vessel.ended, STOPPED);
    }
  });

  it('is ended after its time however busy it is, and paused as it may be', async () => {
    await using governor = new Governor();
    await governor.start();
    const source = 'onstop(() => { for (;;); }); setInterval(() => {}, 1)';
    const restrictions = 'resource cpu 0.05';
    const { ending } = await stopped(source, { graceMs: 100, governor, restrictions });
    assert.deepEqual(ending, STOPPED);
  });

  it('has stopped, whatever it does in its time: end, throw, take memory', async () => {
    const last = [
      'exitall()',
      "throw new Error('no')",
      "Promise.reject(new Error('no'))",
      'for (const all = [];;) all.push(new Array(1e6).fill(1))',
    ];
    for (const code of last) {
      assert.deepEqual((await stopped(`${GOES_ON} onstop(() => { ${code}; })`)).ending, STOPPED, code);
    }
  });

  it('gains no memory by it', async () => {
    await using governor = new Governor();
    await governor.start();
    const source = `${GOES_ON} onstop(() => { for (const all = [];;) all.push(new Array(1e6).fill(1)); })`;
    assert.deepEqual((await stopped(source, { governor })).ending, STOPPED);
  });

  it('is not kept alive by its wish to be told', async () => {
    const { vessel } = await startProgram('onstop(() => {});');
    assert.equal((await vessel.ended).kind, 'finished');
  });

  it('is told under layers too, the layers first, and a layer can take the call away', async () => {
    const layers = ["onstop(() => { log('layer '); });"];
    const source = `${GOES_ON} onstop((reason) => { log(reason); })`;
    assert.equal((await stopped(source, { layers })).log, 'layer stopped');
    const refused = `${GOES_ON} try { onstop(() => {}); } catch (error) { log(error.name); }`;
    assert.equal((await stopped(refused, { layers: ["layer.forbid('onstop');"] })).log, 'ResourceForbiddenError');
  });

  it('says what is no function', async () => {
    const { vessel, log } = await startProgram(
      "for (const each of [undefined, 'exit', {}]) try { onstop(each); } catch (error) { log(error.code, ''); }",
    );
    await vessel.ended;
    assert.equal(log.text(), 'ARGUMENT ARGUMENT ARGUMENT ');
  });
});
