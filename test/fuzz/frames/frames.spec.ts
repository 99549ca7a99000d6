import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VolleyReport, volley, wrongIn } from './volley.ts';

const FIXED_SEED = 20_091_122;
const MIB = 2 ** 20;
/** What code that was compiled meanwhile may keep; a thousandth of what a kilobyte a frame would be in a long run. */
const GROWTH_BYTES = 8 * MIB;

describe('frames at a node manager that are no requests, or not those of who may ask', () => {
  const fire = async (seed: number, frames: number): Promise<VolleyReport> => {
    const state = await mkdtemp(join(tmpdir(), 'potluck-frames-'));
    try {
      const report = await volley({ state, seed, frames });
      assert.deepEqual(report.findings, [], `seed ${seed}`);
      return report;
    } finally {
      await rm(state, { recursive: true });
    }
  };

  it('of a fixed seed are each refused with a reason, harm nobody, and leave no memory and no descriptor behind', async () => {
    const { echoes, before, after } = await fire(FIXED_SEED, 2000);
    assert.equal(after.descriptors, before.descriptors);
    assert.ok(after.heapBytes + after.externalBytes < before.heapBytes + before.externalBytes + GROWTH_BYTES);
    for (const met of [
      'ok',
      'BAD_MESSAGE',
      'BAD_SIGNATURE',
      'BAD_PARAMETERS',
      'NOT_PERMITTED',
      'EXPIRED',
      'closed 4400',
    ]) {
      assert.ok(echoes.has(met), `expected some frames to be answered with ${met}`);
    }
  }).timeout(120_000);

  const seed = Date.now() % 2 ** 31;
  it(`of the random seed ${seed} too`, async () => {
    await fire(seed, 1000);
  }).timeout(120_000);

  it('what would be wrong is seen', () => {
    assert.equal(wrongIn({ reply: 'BAD_MESSAGE' }), undefined);
    assert.equal(wrongIn({ closed: 4400 }), undefined);
    assert.match(`${wrongIn({ reply: 'INTERNAL' })}`, /got INTERNAL/);
    assert.match(`${wrongIn({ closed: 1006 })}`, /close code 1006/);
    assert.match(`${wrongIn('expected an answer, got none')}`, /got none/);
  });
});
