import assert from 'node:assert/strict';
import fc from 'fast-check';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { hostileRuntime, realRuntime, removeRuntime, startInit, temporaryDirectory } from './helper.ts';

/** What a vessel process may say in its life; each is then bent. */
const FRAMES: readonly object[] = [
  { type: 'ready' },
  { type: 'started' },
  { type: 'onstop' },
  { type: 'log', text: 'hello' },
  { type: 'usage', usage: { events: 1 } },
  { type: 'call', id: 1, operation: 'listfiles', arguments: [] },
  { type: 'call', id: 2, operation: 'writeat', arguments: [1, 0], attached: 3 },
  { type: 'ended', ending: { kind: 'finished', message: 'done', exitCode: 0 } },
];

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(-1, 1e308, '__proto__', 'x'.repeat(70_000), null),
);
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...FRAMES).map((frame) => JSON.stringify(frame)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...FRAMES), fc.nat(), value)
      .map(([frame, at, other]) =>
        JSON.stringify({ ...frame, [Object.keys(frame)[at % Object.keys(frame).length] ?? '']: other }),
      ),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '{', '['.repeat(60_000), 'null', '{"__proto__":{"type":"ready"}}') },
  { weight: 1, arbitrary: fc.string({ maxLength: 100, unit: 'binary' }) },
);
/** With the length that it has, or another; then bytes that nobody announced. */
const frame = fc.record({
  body,
  length: fc.option(fc.oneof(fc.nat(200), fc.constantFrom(0x7fffffff, 0xffffffff)), { freq: 5 }),
  junk: fc.option(fc.uint8Array({ maxLength: 50 }), { freq: 5 }),
});

describe('the pipe from a vessel process under fuzz', function () {
  this.timeout(120_000);
  after(removeRuntime);

  it('ends that process, whatever comes over it, and the next one runs its program', async () => {
    await using directory = await temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 12 }), async (frames) => {
        const script = `
          for (const { body, length, junk } of ${JSON.stringify(frames)}) {
            raw(body, length ?? undefined);
            if (junk !== null) writeSync(3, Buffer.from(Object.values(junk)));
          }`;
        await using vessel = VesselProcess.spawn(await hostileRuntime(directory.path, script));
        vessel.start(startInit(''));
        const { kind, message, exitCode } = await vessel.ended;
        assert.ok(['crashed', 'finished'].includes(kind), `${kind}: ${message}`);
        assert.ok(Number.isInteger(exitCode) && message.length < 10_000);
      }),
      { numRuns: 15 },
    );
    await using vessel = VesselProcess.spawn(await realRuntime());
    vessel.start(startInit("log('fine');"));
    assert.equal((await vessel.ended).kind, 'finished');
  });
});
