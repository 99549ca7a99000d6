import assert from 'node:assert/strict';
import type { Ending } from '@potluck/protocol';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { hostileRuntime, startInit, temporaryDirectory } from './helper.ts';

const FINISHED = `{ type: 'ended', ending: { kind: 'finished', message: 'done', exitCode: 0 } }`;

/** @returns how a vessel process ended whose whole code is this script, and what it was heard to log. */
async function lifeOf(body: string, starts = true): Promise<{ ending: Ending; log: string }> {
  await using directory = await temporaryDirectory();
  await using vessel = VesselProcess.spawn(await hostileRuntime(directory.path, body));
  let log = '';
  vessel.onLog = (text) => {
    log += text;
  };
  if (starts) vessel.start(startInit(''));
  return { ending: await vessel.ended, log };
}

describe('a vessel process that was taken over', () => {
  const breaches: [name: string, body: string, told: RegExp][] = [
    ['garbage', "writeSync(3, 'not json\\n');", /at most 65536 bytes/],
    ['what kills a parent through the ipc channel', `raw('{"cmd":"NODE_HANDLE","type":"nope"}');`, /known shape/],
    ['a huge length', "raw('', 0xffffffff);", /at most 65536 bytes/],
    ['a frame of no JSON', "raw('{');", /in JSON/],
    ['a log text over its limit', "frame({ type: 'log', text: 'x'.repeat(20000) });", /known shape/],
    ['"ready" twice', "frame({ type: 'ready' }); frame({ type: 'ready' });", /"ready" once/],
    ['"started" before "ready"', "frame({ type: 'started' });", /got "started"/],
    ['"started" twice', "for (const type of ['ready', 'started', 'started']) frame({ type });", /"started" once/],
    [
      'an ending that only its node manager can know',
      `frame({ type: 'ready' }); frame({ type: 'ended', ending: { kind: 'stopped', message: '', exitCode: 0 } });`,
      /kind "stopped"/,
    ],
  ];
  for (const [name, body, told] of breaches) {
    it(`ends by ${name}, and nothing else does`, async () => {
      const { ending } = await lifeOf(`${body} setInterval(() => {}, 1000);`);
      assert.equal(ending.kind, 'crashed', ending.message);
      assert.match(ending.message, told);
    });
  }

  it('cannot speak of a program before it has one', async () => {
    const { ending, log } = await lifeOf(
      "frame({ type: 'ready' }); frame({ type: 'log', text: 'x' }); setInterval(() => {}, 1000);",
      false,
    );
    assert.equal(ending.kind, 'crashed');
    assert.match(ending.message, /before its program/);
    assert.equal(log, '');
  });

  it('is heard up to its bad frame and not after it', async () => {
    const { ending, log } = await lifeOf(`
      frame({ type: 'ready' });
      frame({ type: 'log', text: 'before' });
      raw('bad');
      frame({ type: 'log', text: 'after' });
      setInterval(() => {}, 1000);`);
    assert.equal(ending.kind, 'crashed');
    assert.equal(log, 'before');
  });

  it('is believed in the ending of its program, and ended when it stays after it', async () => {
    const { ending } = await lifeOf(`frame({ type: 'ready' }); frame(${FINISHED}); for (;;);`);
    assert.deepEqual(ending, { kind: 'finished', message: 'done', exitCode: 0 });
  });

  it('cannot call an error a success', async () => {
    const { ending } = await lifeOf(
      `frame({ type: 'ready' }); frame({ type: 'ended', ending: { kind: 'error', message: 'x', exitCode: 0 } });`,
    );
    assert.equal(ending.exitCode, 1);
  });

  it('is told as crashed when it goes without a word, with the end of what its engine wrote', async () => {
    const { ending } = await lifeOf("writeSync(2, 'x'.repeat(5000) + '\\nlast \\x1b[31mwords\\n'); process.exit(0);");
    assert.equal(ending.kind, 'crashed');
    assert.equal(ending.exitCode, 70);
    assert.match(ending.message, /exit code 0; it last wrote "last \?\[31mwords"/);
  });

  it('is told as out of memory when its engine says so', async () => {
    const { ending } = await lifeOf(`
      frame({ type: 'ready' });
      process.stdin.once('data', () => {
        writeSync(2, 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\\n');
        process.abort();
      });`);
    assert.equal(ending.kind, 'limit');
    assert.equal(ending.limit?.resource, 'memory');
    assert.equal(ending.limit?.limit, 100_000_000);
  });

  it('is told as crashed when its engine fails with memory to spare', async () => {
    const { ending } = await lifeOf("frame({ type: 'ready' }); process.stdin.once('data', () => process.abort());");
    assert.equal(ending.kind, 'crashed');
    // The first process of a namespace is not ended by its own SIGABRT; it goes on to the one that ends it.
    assert.match(ending.message, /SIGABRT|SIGSEGV/);
  });

  it('waits in its own writes when it floods us, and can be ended then', async () => {
    await using directory = await temporaryDirectory();
    const body = `
      frame({ type: 'ready' });
      const junk = 'x'.repeat(60000);
      process.stdin.once('data', () => { for (;;) { writeSync(1, junk); writeSync(2, junk); frame({ type: 'log', text: '' }); } });`;
    await using vessel = VesselProcess.spawn(await hostileRuntime(directory.path, body));
    let heard = 0;
    const enough = new Promise<void>((resolve) => {
      vessel.onLog = () => {
        heard++;
        if (heard === 5) resolve();
      };
    });
    vessel.start(startInit(''));
    await enough;
    vessel.kill({ kind: 'stopped', message: 'enough', exitCode: 143 });
    assert.equal((await vessel.ended).message, 'enough');
    // At 256 KiB/s the two pipes and what is buffered in them hold a few hundred rounds, not the thousands it tried.
    assert.ok(heard < 1000, `heard ${heard} rounds`);
  });
});
