import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { collectLog, realRuntime, removeRuntime, startInit } from './helper.ts';

/** What is resident, and the most that ever was. */
async function residentKiB(pid: number): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  return { now: field('VmRSS'), most: field('VmHWM') };
}

describe('a vessel process that waits', () => {
  after(removeRuntime);

  it('gives back what only its start needed, and the program finds nothing of how', async () => {
    await using vessel = VesselProcess.spawn(await realRuntime(), { waits: true });
    await vessel.ready;
    const { now, most } = await residentKiB(vessel.pid);
    assert.ok(now < most - 1024, `${now} KiB of ${most}`);
    const log = collectLog(vessel);
    vessel.start(startInit('log(typeof gc, typeof globalThis.gc);'));
    assert.equal((await vessel.ended).kind, 'finished');
    assert.equal(log.text(), 'undefined undefined');
  });
});
