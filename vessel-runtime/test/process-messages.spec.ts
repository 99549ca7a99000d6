import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { removeRuntime } from './helper.ts';
import { runProgram, startProgram } from './process-helper.ts';

const OWN = '127.0.2.2';
const PORTS = ['messport 5001', 'messport 5002'].map((port) => `resource ${port}`);
const withLines = (...lines: string[]) => ({ address: OWN, restrictions: [...PORTS, ...lines].join('\n') });
const MIB = 2 ** 20;

describe('many messages of a program', () => {
  after(removeRuntime);

  it('each go where they were sent, from where it was said, as what they were', async () => {
    const source = `const me = getmyip(); const got = []; let left = 12; let done; const all = new Promise((resolve) => { done = resolve; });
      const take = (to) => (ip, from, mess) => { got.push(to + ' from ' + (from === 5001 || from === 5002 ? from : 'any') + ' ' + mess); if (--left === 0) done(); };
      recvmess(me, 5001, take('first')); recvmess(me, 5002, take('second'));
      for (let i = 0; i < 3; i++) {
        await sendmess(me, 5001, '\u20ac' + i, me, 5002);
        await sendmess(me, 5002, Uint8Array.of(195, 169, 48 + i), me, 5001);
        await sendmess(me, 5001, 'x' + i);
        await sendmess('127.0.0.1', 5002, 'never').catch(() => {});
        await sendmess(me, 5002, 'y' + i);
      }
      await all; log(got.sort().join()); exitall();`;
    const expected = [0, 1, 2].flatMap((i) => [
      `first from 5002 \u20ac${i}`,
      `second from 5001 \u00e9${i}`,
      `first from any x${i}`,
      `second from any y${i}`,
    ]);
    const { log } = await runProgram(source, withLines('destination deny 127.0.0.1/32'));
    assert.equal(log, expected.sort().join());
  });

  it('are refused every time when the system refuses them, and the next destination is not', async () => {
    const source = `for (let i = 0; i < 3; i++) {
        try { await sendmess('255.255.255.255', 5001, 'x'); log('sent'); } catch (error) { log(error.code, ''); }
        log(await sendmess(getmyip(), 5001, 'own'), '');
      }`;
    const { log } = await runProgram(source, withLines('destination allow 255.255.255.255/32'));
    assert.equal(log, 'ADDRESS_BINDING 3 '.repeat(3));
  });

  it('go on from a port whose listener was closed, and fail alone when it closes while they wait', async () => {
    const source = `const me = getmyip();
      recvmess(me, 5002, (ip, port, mess, handle) => { log(mess, port, ''); if (mess === 'b') stopcomm(handle); });
      for (const text of ['a', 'b']) { const own = recvmess(me, 5001, () => {}); await sendmess(me, 5002, text, me, 5001); own.close(); }
      const own = recvmess(me, 5001, () => {});
      const sends = []; for (let i = 0; i < 4; i++) sends.push(sendmess(me, 5002, 'x'.repeat(936), me, 5001).catch((error) => error.code));
      own.close(); await sends[0]; log((await Promise.all(sends)).slice(-1));`;
    const { log, ending } = await runProgram(source, withLines('resource loopsend 2000'));
    assert.match(log, /a 5001 b 5001 \["SOCKET_CLOSED_LOCAL"\]$/);
    assert.equal(ending.kind, 'finished');
  });

  it('that nobody awaits keep no memory, however many they are', async () => {
    const source = `recvmess(getmyip(), 5002, () => {});
      const text = 'x'.repeat(60000);
      sendmess(getmyip(), 5001, text); log('first');
      const until = getruntime() + 1.5;
      for (let i = 0; i < 8000 || getruntime() < until; i++) sendmess(getmyip(), 5001, text);
      log('sent');`;
    const { vessel, log } = await startProgram(source, withLines('resource loopsend 1e12'));
    await log.until('first');
    const before = await peakBytes(vessel.pid);
    await log.until('sent');
    const grown = (await peakBytes(vessel.pid)) - before;
    vessel.kill({ kind: 'stopped', message: 'end of test', exitCode: 1 });
    await vessel.ended;
    // They are 458 MiB together or more, and no answer of the system comes in all that time.
    assert.ok(grown < 150 * MIB, `grew by ${Math.round(grown / MIB)} MiB`);
  });
});

/** The most that a process has had in memory so far. */
async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
