import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Latest } from '../src/host/latest.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { hostileRuntime, startInit, temporaryDirectory } from './helper.ts';

const TOLD = 20_000;

describe('what a vessel is told of its usage', () => {
  it('goes one frame at a time, the last figure of each name, and none after a newer one', async () => {
    const sent: object[] = [];
    const taken: (() => void)[] = [];
    const latest = new Latest((figures) => {
      sent.push(figures);
      return new Promise((resolve) => taken.push(resolve));
    });
    latest.include({ a: 9 });
    latest.tell({ a: 1 });
    latest.tell({ a: 2, b: 2 });
    latest.tell({ a: 3 });
    latest.include({ a: 4 });
    latest.include(undefined);
    assert.deepEqual(sent, [{ a: 1 }]);
    taken[0]?.();
    await turn();
    assert.deepEqual(sent, [{ a: 1 }, { a: 4, b: 2 }]);
    taken[1]?.();
    await turn();
    latest.tell({ a: 5 });
    assert.deepEqual(sent.slice(2), [{ a: 5 }]);
  });

  it('does not pile up while the vessel does not read, which gets the last figure when it does', async () => {
    await using directory = await temporaryDirectory();
    const body = `import { readSync } from 'node:fs';
      const take = (length) => { const bytes = Buffer.alloc(length); for (let at = 0; at < length; ) at += readSync(0, bytes, at, length - at, null); return bytes; };
      const hear = () => JSON.parse(take(take(4).readUInt32BE()).toString());
      frame({ type: 'ready' }); hear();
      let heard = 1; while (hear().usage.diskused !== ${TOLD}) heard += 1;
      frame({ type: 'log', text: String(heard) }); frame({ type: 'ended', ending: { kind: 'finished', message: '', exitCode: 0 } });`;
    await using vessel = VesselProcess.spawn(await hostileRuntime(directory.path, body));
    let log = '';
    vessel.onLog = (text) => {
      log += text;
    };
    vessel.start(startInit(''));
    await vessel.ready;
    vessel.signal('SIGSTOP');
    for (let diskused = 1; diskused <= TOLD; diskused++) {
      vessel.tell({ diskused });
      await turn();
    }
    vessel.signal('SIGCONT');
    assert.equal((await vessel.ended).kind, 'finished');
    // No more than the system's own buffer holds, and one.
    assert.ok(Number(log) >= 1 && Number(log) < TOLD / 2, `got ${log} frames`);
  });
});
