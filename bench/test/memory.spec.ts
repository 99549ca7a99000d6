import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectWalls, Governor, type RuntimeFiles, runtimeFiles } from '@potluck/vessel-runtime';
import { BOMBS } from '../src/bombs.ts';
import { explode } from '../src/explosion.ts';

const MEMORY_BYTES = 16 * 2 ** 20;
/** The kernel's bound lies at 8 % beyond; the rest is what the engine had reserved before and uses now. */
const MOST_BYTES = MEMORY_BYTES * 1.1;

describe('memory of a vessel', () => {
  let directory: string;
  let files: RuntimeFiles;
  before(async function () {
    if (!(await detectWalls()).up.includes('memory limit')) this.skip();
    directory = await mkdtemp(join(tmpdir(), 'bench-test-'));
    files = await runtimeFiles(directory);
  });
  after(() => directory && rm(directory, { recursive: true, force: true }));

  for (const bomb of BOMBS) {
    it(`is not passed by more than a tenth: ${bomb.name}`, async () => {
      await using governor = new Governor();
      await governor.start();
      const { ending, peakBytes } = await explode(files, governor, { bomb, memoryBytes: MEMORY_BYTES });
      assert.ok(peakBytes <= MOST_BYTES, `got ${peakBytes}`);
      if (bomb.held && ending.kind === 'exitall') return;
      assert.equal(ending.kind, 'limit', ending.message);
      assert.equal(ending.limit?.resource, 'memory');
      assert.match(ending.message, /memory/);
    });
  }
});
