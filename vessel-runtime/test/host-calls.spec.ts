import assert from 'node:assert/strict';
import type { Ending } from '@potluck/protocol';
import { z } from 'zod';
import { encodeFrame } from '../src/codec.ts';
import { LimitPassed } from '../src/errors.ts';
import { CallFailure } from '../src/failure.ts';
import { FRAME_LIMITS } from '../src/frames.ts';
import { type Service, type Services, service } from '../src/host/calls.ts';
import { Disk } from '../src/host/disk.ts';
import { FileSession } from '../src/host/file-session.ts';
import { FrameReader } from '../src/host/frame-reader.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { type Answer, Calls } from '../src/process/calls.ts';
import { hostileRuntime, startInit, temporaryDirectory } from './helper.ts';

/** What a process does that speaks the pipe by itself: `call` sends, `replies` gets, `log` says. */
const SPEAKS = `
import { readSync } from 'node:fs';
const call = (frame, attachment = Buffer.alloc(0)) => {
  raw(JSON.stringify({ type: 'call', id: 1, operation: 'echo', arguments: [], ...frame }));
  for (let at = 0; at < attachment.length; ) at += writeSync(3, attachment, at);
};
const log = (text) => frame({ type: 'log', text: String(text) });
const take = (length) => {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) at += readSync(0, bytes, at, length - at, null);
  return bytes;
};
const hear = () => {
  const frame = JSON.parse(take(take(4).readUInt32BE()).toString());
  return { ...frame, bytes: take(frame.attached ?? 0) };
};
const finish = () => frame({ type: 'ended', ending: { kind: 'finished', message: '', exitCode: 0 } });
frame({ type: 'ready' });
hear();
`;

async function lifeOf(body: string, services: Services = {}): Promise<{ ending: Ending; log: string }> {
  await using directory = await temporaryDirectory();
  await using vessel = VesselProcess.spawn(await hostileRuntime(directory.path, `${SPEAKS}${body}`));
  let log = '';
  vessel.onLog = (text) => {
    log += text;
  };
  vessel.start({ ...startInit(''), services });
  return { ending: await vessel.ended, log };
}

const takesBytes = { takesBytes: true };
const echo: Services = {
  echo: Object.assign<Service, object>(
    async (given, { attachment }) => ({ value: given.join(), attachment }),
    takesBytes,
  ),
};
const never = new Promise<never>(() => {});
const STAY = 'setInterval(() => {}, 1000);';

describe('calls of a vessel process', () => {
  it('are answered with a value and bytes, up to the limit of both', async () => {
    const body = `
      const most = Buffer.alloc(${FRAME_LIMITS.attachedBytes}, 'potluck');
      call({ arguments: ['a', 1, true, null], attached: most.length, room: most.length }, most);
      const { type, id, value, bytes } = hear();
      log([type, id, value, bytes.equals(most)].join(' '));
      call({ id: 2 });
      log(JSON.stringify(hear().attached ?? 'none'));
      finish();`;
    const { log, ending } = await lifeOf(body, echo);
    assert.deepEqual([log, ending.kind], ['reply 1 a,1,true, true"none"', 'finished']);
  });

  it('fail by name, and tell no more than that of what failed in the node manager', async () => {
    const services: Services = {
      fails: async () => {
        throw new CallFailure('TimeoutError', 'expected x');
      },
      breaks: async () => {
        throw new TypeError('a path of this machine');
      },
    };
    const body = `for (const operation of ['fails', 'breaks']) { call({ operation }); const { failure, message } = hear(); log(failure + ': ' + message + '\\n'); } finish();`;
    const { log } = await lifeOf(body, services);
    assert.deepEqual(log.trim().split('\n'), [
      'TimeoutError: expected x',
      'InternalError: expected the node manager to carry out breaks, it failed',
    ]);
  });

  it('may end the program: that one limit was passed is told with its figures', async () => {
    const services: Services = {
      fill: async () => {
        throw new LimitPassed('diskused', 10, 11);
      },
    };
    const { ending } = await lifeOf(`call({ operation: 'fill' }); ${STAY}`, services);
    assert.equal(ending.kind, 'limit');
    assert.deepEqual(ending.limit, { resource: 'diskused', limit: 10, used: 11 });
    assert.equal(ending.message, 'expected at most 10 bytes of diskused, got 11');
  });

  const silent: Services = {
    echo: Object.assign<Service, object>(() => never, takesBytes),
    long: async () => ({ attachment: Buffer.from('abc') }),
    checked: service(z.tuple([z.string()]), async () => ({})),
  };
  const { callsAtOnce, callsBytes, attachedBytes } = FRAME_LIMITS;
  const breaches: [name: string, body: string, told: RegExp][] = [
    ['the same call twice', 'call({}); call({});', /each call once, got 1 again/],
    [
      'one more than may be under way',
      `for (let id = 1; id <= ${callsAtOnce}; id++) call({ id }); log('so far '); call({ id: ${callsAtOnce + 1} });`,
      /at most 64 calls at once/,
    ],
    [
      'one byte more than may be under way',
      `for (let id = 1; id <= ${callsBytes / attachedBytes}; id++) call({ id, room: ${attachedBytes} }); log('so far '); call({ id: 9, attached: 1 }, Buffer.from('x'));`,
      /at most 2097152 bytes in calls at once, got 2097153/,
    ],
    [
      'an answer that is larger than the room for it',
      "call({ operation: 'long', room: 2 });",
      /room for 3 bytes, got one with room for 2/,
    ],
    ['an operation that is not offered', "call({ operation: 'toString' });", /that is offered, got toString/],
    ['a name of an operation that is none', "call({ operation: '\\x1b' });", /that is offered, got \?/],
    [
      'bytes for an operation that takes none',
      "call({ operation: 'long', attached: 1 }, Buffer.from('x'));",
      /nothing attached to long/,
    ],
    ['arguments of another shape', "call({ operation: 'checked', arguments: [1] });", /with other arguments/],
    ['an argument that is too long', `call({ arguments: ['x'.repeat(${FRAME_LIMITS.callTextLength + 1})] });`, /shape/],
    ['an argument of another type', 'call({ arguments: [{}] });', /shape/],
    ['too much room', `call({ room: ${attachedBytes + 1} });`, /shape/],
  ];
  for (const [name, body, told] of breaches) {
    it(`end it by ${name}, and nothing else`, async () => {
      const { ending, log } = await lifeOf(`${body} ${STAY}`, silent);
      assert.equal(ending.kind, 'crashed', ending.message);
      assert.match(ending.message, told);
      if (body.includes('so far')) assert.equal(log, 'so far ');
    });
  }

  it('stay counted until what was answered is read: one that does not read is ended by the next', async () => {
    const services: Services = { echo: async () => ({ attachment: Buffer.alloc(attachedBytes) }) };
    const deaf = `for (let id = 1; id <= 3; id++) call({ id, room: ${attachedBytes} });`;
    const { ending } = await lifeOf(`${deaf} ${STAY}`, services);
    assert.match(ending.message, /at most 2097152 bytes in calls at once, got 3145728/);
  });

  it('are not begun once it is to end, and keep none of what it was given in memory when it does not read', async () => {
    await using directory = await temporaryDirectory();
    const deaf = `for (let id = 1; id <= 2; id++) call({ id, room: ${attachedBytes} }); ${STAY}`;
    await using vessel = VesselProcess.spawn(await hostileRuntime(directory.path, `${SPEAKS}${deaf}`));
    const begun = Promise.withResolvers<void>();
    let calls = 0;
    const services: Services = {
      echo: async () => {
        calls += 1;
        if (calls === 2) begun.resolve();
        return { attachment: Buffer.alloc(attachedBytes) };
      },
    };
    vessel.start({ ...startInit(''), services });
    await begun.promise;
    vessel.kill({ kind: 'stopped', message: 'enough', exitCode: 143 });
    assert.equal((await vessel.ended).message, 'enough');
    assert.equal(calls, 2);
  });

  it('are held back at the pipe with what they attach, except for those whose service charges them', () => {
    const call = { type: 'call', id: 1, operation: 'x', arguments: [], attached: 1000 };
    const costOf = (isPaid: boolean) => {
      const reader = new FrameReader(() => isPaid);
      reader.expectProgram();
      const bytes = [encodeFrame({ type: 'ready' }, 99), encodeFrame(call, 999), Buffer.alloc(1000)];
      assert.equal(reader.read(Buffer.concat(bytes)).length, 2);
      return reader.cost;
    };
    assert.equal(costOf(false) - costOf(true), 1000);
    const rates = { fileread: 0, filewrite: 1 };
    const disk = new Disk({ directory: '/nowhere', limitBytes: 0 });
    const { services } = new FileSession(disk, { quantities: rates, tell: () => {} });
    const { filesize, readat, writeat, openfile } = services;
    assert.deepEqual(
      [filesize, readat, openfile, writeat].map((each) => each?.charged),
      [false, false, false, true],
    );
  });

  it('give back the memory of what was attached once they are answered, and none that others share', async () => {
    const shared = Buffer.alloc(8, 'shared');
    const held: Uint8Array[] = [];
    const services: Services = {
      copy: Object.assign<Service, object>(async (_, { attachment }) => {
        const copy = new Uint8Array(attachment);
        held.push(attachment, copy);
        return { attachment: copy };
      }, takesBytes),
      part: async () => ({ attachment: shared.subarray(0, 3) }),
    };
    const body = `
      call({ operation: 'copy', attached: ${attachedBytes}, room: ${attachedBytes} }, Buffer.alloc(${attachedBytes}, 'x'));
      log(hear().bytes.toString().replace(/x+/, 'same '));
      call({ id: 2, operation: 'part', room: 3 });
      log(hear().bytes);
      finish();`;
    const { log } = await lifeOf(body, services);
    assert.equal(log, 'same sha');
    assert.deepEqual([...held.map(({ byteLength }) => byteLength), shared.byteLength], [0, 0, 8]);
  });
});

describe('the calls that the runtime makes', () => {
  const made = () => {
    const written: { id: number; attached?: number | undefined }[] = [];
    return { written, calls: new Calls((frame) => void written.push(frame)) };
  };
  const call = { operation: 'x', arguments: [] };

  it('wait in their order where more would be under way than the node manager takes', async () => {
    const { written, calls } = made();
    const answers = Array.from({ length: FRAME_LIMITS.callsAtOnce + 2 }, () => calls.call(call));
    assert.equal(written.length, FRAME_LIMITS.callsAtOnce);
    calls.settle({ type: 'reply', id: 7, value: 'seven' });
    calls.settle({ type: 'reply', id: 7, value: 'again' });
    assert.equal(written.length, FRAME_LIMITS.callsAtOnce + 1);
    assert.deepEqual(await answers[6], { value: 'seven', attachment: new Uint8Array() } satisfies Answer);
  });

  it('count what they attach and what they ask for', async () => {
    const { written, calls } = made();
    const half = new Uint8Array(FRAME_LIMITS.attachedBytes);
    void calls.call({ ...call, attachment: half });
    const failing = calls.call({ ...call, room: FRAME_LIMITS.attachedBytes });
    void calls.call({ ...call, attachment: new Uint8Array(1) });
    void calls.call(call);
    assert.equal(written.length, 2);
    calls.settle({ type: 'reply', id: 2, failure: 'TimeoutError', message: 'late' });
    await assert.rejects(failing, { code: 'TimeoutError', message: 'late' });
    assert.deepEqual(
      written.map(({ attached }) => attached),
      [FRAME_LIMITS.attachedBytes, undefined, 1, undefined],
    );
  });
});
