import assert from 'node:assert/strict';
import { LINE_LIMITS, Lines } from '../src/lines.ts';

describe('lines of a log that is followed', () => {
  const { lineLength } = LINE_LIMITS;

  it('are whole, however their bytes come', () => {
    const source = Buffer.from('one\nzwei ü€😀\n\nlast');
    for (let size = 1; size <= source.length; size += 1) {
      const lines = new Lines();
      const told: string[] = [];
      for (let at = 0; at < source.length; at += size) told.push(...lines.push(source.subarray(at, at + size)));
      assert.deepEqual(told, ['one', 'zwei ü€😀', '']);
      assert.deepEqual(lines.end(), ['last']);
      assert.deepEqual(lines.end(), []);
    }
  });

  it(`have up to ${lineLength} characters; longer ones are cut`, () => {
    const lines = new Lines();
    const most = 'x'.repeat(lineLength);
    assert.deepEqual(lines.push(Buffer.from(`${most}\n`)), [most]);
    assert.deepEqual(lines.push(Buffer.from(`${most}y\n`)), [most, 'y']);
    assert.deepEqual(lines.push(Buffer.from(`${most}${most}y`)), [most, most]);
    assert.deepEqual(lines.push(Buffer.from('\n')), ['y']);
  });
});
