import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { collectLog, realRuntime, removeRuntime, startInit } from './helper.ts';

async function residentKiB(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

describe('a vessel process that waits', () => {
  after(removeRuntime);

  it('gives back what only its start needed, and the program finds nothing of how', async () => {
    await using vessel = VesselProcess.spawn(await realRuntime());
    await vessel.ready;
    const before = await residentKiB(vessel.pid);
    while ((await residentKiB(vessel.pid)) > before - 1024) await wait(5);
    const log = collectLog(vessel);
    vessel.start(startInit('log(typeof gc, typeof globalThis.gc);'));
    assert.equal((await vessel.ended).kind, 'finished');
    assert.equal(log.text(), 'undefined undefined');
  });
});
