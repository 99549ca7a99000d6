import assert from 'node:assert/strict';
import { Disk } from '../../src/host/disk.ts';
import { Governor } from '../../src/host/governor.ts';
import { removeRuntime, temporaryDirectory } from '../helper.ts';
import { runProgram } from '../process-helper.ts';

/** An address that no other test of these uses. */
const ADDRESS = '127.32.33.34';
const PORTS = `resource messport 3233\nresource messport 3234\ndestination allow ${ADDRESS}\n`;
const CODES = 'const used = (name) => getresources().usage[name];\n';

describe("limits as in Seattle's semantics", () => {
  let governor: Governor;
  before(async () => {
    governor = new Governor();
    await governor.start();
  });
  after(async () => {
    await governor.stop();
    await removeRuntime();
  });

  // Seattle's two seconds at a tenth are 1.8 s of stops. Here the loop goes on until it was stopped for as long, since a
  // busy machine lets it run less, and so stops it less; a vessel learns of its stops while it waits.
  it('Seattle 32: at 10 % CPU a busy loop is stopped, getresources lists when and for how long, and it uses a tenth', async () => {
    const source = `const stopped = () => getresources().stoptimes.reduce((sum, [, seconds]) => sum + seconds, 0);
      while (stopped() < 1.6) { for (const end = getruntime() + 0.5; getruntime() < end; ); await sleep(0.05); }
      log(JSON.stringify([getruntime(), getresources().usage.cpu, getresources().stoptimes]));`;
    const { log, ending } = await runProgram(source, { governor, restrictions: 'resource cpu 0.1' });
    assert.equal(ending.kind, 'finished', ending.message);
    const [elapsed, cpu, stops] = JSON.parse(log) as [number, number, [number, number][]];
    assert.ok(stops.length > 10 && stops.length <= 100, `got ${stops.length}`);
    const times = stops.map(([time]) => time);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    for (const [time, seconds] of stops) assert.ok(time >= 0 && time + seconds <= elapsed + 0.01 && seconds > 0);
    // A tenth, the burst that it begins with, and what a tick of the clock may hide.
    assert.ok(cpu <= elapsed * 0.11 + 0.1, `got ${cpu} s of CPU in ${elapsed} s`);
  });

  it('Seattle 33: more memory than its limit ends the vessel with the reason and the figure, whatever it catches', async () => {
    const source = `const all = []; for (;;) try { for (;;) all.push(new Array(1000).fill(1.5)); } catch { log('caught'); }`;
    const { ending } = await runProgram(source, { governor, restrictions: 'resource memory 20000000' });
    assert.equal(ending.kind, 'limit', ending.message);
    assert.equal(ending.limit?.resource, 'memory');
    assert.match(ending.message, /20000000 bytes/);
  });

  for (const [rate, body] of [
    ['loopsend', `await sendmess('${ADDRESS}', 3234, 'x'.repeat(936), '${ADDRESS}', 3233);`],
    ['random', 'await randombytes();'],
    ['lograte', "log('x'.repeat(1000));"],
  ] as const) {
    it(`Seattle 34: a slow ${rate} slows the call and fails none`, async () => {
      const source = `const from = getruntime(); for (let i = 0; i < 6; i++) { ${body} } log('', getruntime() - from);`;
      const restrictions = `${PORTS}resource ${rate} 2000`;
      const { log, ending } = await runProgram(source, { address: ADDRESS, restrictions });
      assert.equal(ending.kind, 'finished', ending.message);
      // The sixth begins when no more than a second's worth of the five before is left.
      const seconds = Number(log.split(' ').at(-1));
      assert.ok(seconds >= 1.45, `got ${seconds} s`);
    });
  }

  it('Seattle 34: a slow filewrite and fileread slow the call and fail none', async () => {
    await using directory = await temporaryDirectory();
    const disk = new Disk({ directory: directory.path, limitBytes: 1_000_000 });
    await disk.count();
    const source = `const from = getruntime(); const file = await openfile('a', true);
      for (let i = 0; i < 4; i++) await file.writeat('x', 0);
      for (let i = 0; i < 4; i++) log(await file.readat(1, 0));
      await file.close(); log('', getruntime() - from);`;
    const restrictions = 'resource filesopened 1\nresource filewrite 10000\nresource fileread 10000';
    const { log, ending } = await runProgram(source, { disk, restrictions });
    await disk.rest();
    assert.equal(ending.kind, 'finished', ending.message);
    assert.match(log, /^xxxx /);
    // Each is charged a block of 4096 bytes, and opening with creation both; one second's worth is free.
    const seconds = Number(log.split(' ').at(-1));
    assert.ok(seconds >= 0.8, `got ${seconds} s`);
  });

  it('Seattle 34: loopback is metered apart from the network', async () => {
    const source = `${CODES}await recvmess('${ADDRESS}', 3234, () => {});
      let most = 0;
      for (let i = 0; i < 50; i++) {
        await sendmess('${ADDRESS}', 3234, 'x'.repeat(1000), '${ADDRESS}', 3233);
        most = Math.max(most, used('loopsend'));
      }
      log(most > 0, used('netsend'), used('netrecv'), ''); log(getruntime() < 10); exitall();`;
    const restrictions = `${PORTS}resource netsend 1\nresource netrecv 1\nresource loopsend 100000`;
    const { log, ending } = await runProgram(source, { address: ADDRESS, restrictions });
    assert.equal(ending.kind, 'exitall', ending.message);
    assert.equal(log, 'true 0 0 true');
  });
});
