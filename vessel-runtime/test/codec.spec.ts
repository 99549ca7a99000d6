import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder } from '../src/codec.ts';
import { VesselError } from '../src/errors.ts';
import { FRAME_LIMITS, type VesselFrame, vesselFrameSchema } from '../src/frames.ts';

const LIMIT = 1000;
const decoder = () => new FrameDecoder<VesselFrame>(vesselFrameSchema, LIMIT);
const log = (text: string): VesselFrame => ({ type: 'log', text });

function raw(body: string | Uint8Array, length = Buffer.byteLength(body)): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  return Buffer.concat([header, Buffer.from(body)]);
}

function refuses(bytes: Uint8Array, pattern: RegExp): void {
  const check = (error: unknown) =>
    error instanceof VesselError && error.code === 'BAD_FRAME' && pattern.test(error.message);
  assert.throws(() => [...decoder().push(bytes)], check);
}

describe('frame codec', () => {
  it('gives back what was encoded, also several frames in one chunk', () => {
    const frames = [{ type: 'ready' } as const, log('ä\n'), log(''), log('€'.repeat(100))];
    const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, LIMIT)));
    assert.deepEqual([...decoder().push(bytes)], frames);
  });

  it('gives the same frames wherever the bytes are split', () => {
    const frames = [log('one'), log('zwö€')];
    const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, LIMIT)));
    for (let at = 0; at <= bytes.length; at++) {
      const split = decoder();
      const got = [...split.push(bytes.subarray(0, at)), ...split.push(bytes.subarray(at))];
      assert.deepEqual(got, frames, `split at ${at}`);
      assert.equal(split.midFrame, false);
    }
    const single = decoder();
    assert.deepEqual(
      [...bytes].flatMap((byte) => [...single.push(Buffer.of(byte))]),
      frames,
    );
  });

  it('gives the bytes that a frame announces with it, wherever they are split, and goes on with the next frame', () => {
    const call = { type: 'call' as const, id: 1, operation: 'x', arguments: [], attached: 5 };
    const attachment = Buffer.of(0xff, 0, 1, 2, 0x7b);
    const bytes = Buffer.concat([encodeFrame(call, LIMIT), attachment, encodeFrame(log('next'), LIMIT)]);
    for (let at = 0; at <= bytes.length; at++) {
      const split = new FrameDecoder<VesselFrame>(vesselFrameSchema, LIMIT, (frame) => frame.type === 'call');
      const got = [...split.push(bytes.subarray(0, at)), ...split.push(bytes.subarray(at))];
      assert.deepEqual(got, [{ ...call, attachment }, log('next')], `split at ${at}`);
      assert.equal(split.paidBytes, 5);
      assert.equal(split.midFrame, false);
    }
    const cut = decoder();
    assert.deepEqual([...cut.push(bytes.subarray(0, encodeFrame(call, LIMIT).length + 4))], []);
    assert.equal(cut.midFrame, true);
  });

  it('takes as many announced bytes as a call may attach, and refuses the announcement of one more', () => {
    const announced = (attached: number) =>
      encodeFrame({ type: 'call', id: 1, operation: 'x', arguments: [], attached }, LIMIT);
    const full = decoder();
    assert.deepEqual([...full.push(announced(FRAME_LIMITS.attachedBytes))], []);
    const [frame] = [...full.push(Buffer.alloc(FRAME_LIMITS.attachedBytes))];
    assert.equal(frame?.attachment?.byteLength, FRAME_LIMITS.attachedBytes);
    refuses(announced(FRAME_LIMITS.attachedBytes + 1), /known shape/);
    refuses(announced(-1), /known shape/);
    refuses(announced(0.5), /known shape/);
    refuses(encodeFrame({ ...log('x'), attached: 1 }, LIMIT), /known shape/);
  });

  it('tells a frame that was cut off from the end of one', () => {
    const bytes = encodeFrame(log('cut'), LIMIT);
    for (let length = 1; length < bytes.length; length++) {
      const cut = decoder();
      assert.deepEqual([...cut.push(bytes.subarray(0, length))], []);
      assert.equal(cut.midFrame, true, `after ${length} bytes`);
    }
  });

  it('refuses a length over the limit at its header, before any of it has come', () => {
    refuses(raw('', LIMIT + 1), /at most 1000 bytes, got 1001/);
    refuses(raw('', 0xffffffff), /at most 1000 bytes, got 4294967295/);
  });

  it('refuses what is no JSON, no UTF-8, or empty', () => {
    refuses(raw('not json'), /in JSON/);
    refuses(raw('{"type":"ready"'), /in JSON/);
    refuses(raw(Buffer.from('{"type":"log","text":"\xff"}', 'latin1')), /in JSON/);
    refuses(raw('\ufeff{"type":"ready"}'), /in JSON/);
    refuses(raw(''), /in JSON/);
  });

  it('refuses JSON of another shape', () => {
    const shapes = [
      'null',
      '[]',
      '{}',
      '"ready"',
      '{"type":"other"}',
      '{"type":"ready","more":1}',
      '{"type":"log"}',
      '{"type":"log","text":1}',
      '{"type":"usage","usage":{"cpu":"1"}}',
      '{"type":"usage","usage":{"cpu":null}}',
      '{"type":"ended","ending":{"kind":"other","message":"","exitCode":0}}',
      '{"type":"ended","ending":{"kind":"error","message":"","exitCode":256}}',
    ];
    for (const shape of shapes) refuses(raw(shape), /known shape/);
  });

  it('gives the frames before a bad one, and nothing after it', () => {
    const broken = decoder();
    const seen: VesselFrame[] = [];
    const good = encodeFrame(log('before'), LIMIT);
    assert.throws(() => {
      for (const frame of broken.push(Buffer.concat([good, raw('bad'), good]))) seen.push(frame);
    });
    assert.deepEqual(seen, [log('before')]);
    assert.throws(() => [...broken.push(good)], { code: 'BAD_FRAME' });
  });

  it('never throws anything else and never gives anything else, whatever comes', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((json) => raw(json)),
      fc.string().map((text) => encodeFrame(log(text), LIMIT)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (chunks) => {
        const fuzzed = decoder();
        try {
          for (const chunk of chunks) {
            for (const frame of fuzzed.push(chunk)) assert.ok(vesselFrameSchema.safeParse(frame).success);
          }
        } catch (error) {
          assert.ok(error instanceof VesselError && error.code === 'BAD_FRAME', String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not encode a frame over the limit', () => {
    assert.throws(() => encodeFrame(log('x'.repeat(LIMIT)), LIMIT), { code: 'FRAME_TOO_LARGE' });
  });
});
