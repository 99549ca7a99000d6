import assert from 'node:assert/strict';
import { removeRuntime } from '../helper.ts';
import { runCaught, runProgram } from '../process-helper.ts';

const FILE = {
  cpu: 0.5,
  memory: 90_000_000,
  diskused: 12_345,
  events: 7,
  filesopened: 3,
  insockets: 4,
  outsockets: 5,
  filewrite: 1001,
  fileread: 1002,
  netsend: 1003,
  netrecv: 1004,
  loopsend: 1005,
  looprecv: 1006,
  lograte: 100_007,
  random: 1008,
};
const LINES = Object.entries(FILE).map(([name, value]) => `resource ${name} ${value}`);
const restrictions = [...LINES, 'resource messport 12345', 'resource messport 12346', 'resource connport 12347'].join(
  '\n',
);

describe("Seattle's semantics of resources", () => {
  after(removeRuntime);

  it('Seattle 31: the limits are those of the file', async () => {
    const { log } = await runProgram('log(JSON.stringify(getresources().limits));', { restrictions });
    assert.deepEqual(JSON.parse(log), { ...FILE, messport: [12345, 12346], connport: [12347] });
  });

  it('Seattle 31: nothing is used at first but one event, what is measured, and what the log costs', async () => {
    const { log } = await runProgram('log(JSON.stringify(getresources()));', { restrictions });
    const { usage, stoptimes } = JSON.parse(log) as { usage: Record<string, number>; stoptimes: unknown[] };
    const { cpu = -1, memory = -1, ...held } = usage;
    assert.ok(cpu >= 0 && memory >= 0);
    const nothing = Object.keys(FILE).filter((name) => name !== 'cpu' && name !== 'memory');
    assert.deepEqual(held, { ...Object.fromEntries(nothing.map((name) => [name, 0])), events: 1 });
    assert.deepEqual(stoptimes, []);
  });

  it('Seattle 31: what is changed in the answer grants nothing', async () => {
    const source = `const got = getresources(); got.limits.messport.push(12399); got.limits.events = 1e6; got.usage.events = -1e6;
      log(getresources().limits.messport, getresources().limits.events, getresources().usage.events, '');
      try { recvmess(getmyip(), 12399, () => {}); log('accepted'); } catch (error) { log(error.code, ''); }
      for (let i = 0; i < 6; i++) settimer(9e6, log); settimer(9e6, log);`;
    assert.match(
      await runCaught(source, { restrictions }),
      /^\[12345, 12346\] 7 1 RESOURCE_FORBIDDEN ResourceExhaustedError RESOURCE_EXHAUSTED/,
    );
  });
});
