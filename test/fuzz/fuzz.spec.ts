import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectWalls, type RuntimeFiles, runtimeFiles } from '@potluck/vessel-runtime';
import { places, runSource } from './batch.ts';
import { fuzz, type Report } from './fuzzer.ts';
import type { Call } from './grammar.ts';
import { judge } from './judge.ts';
import { type Neighbour, startNeighbour } from './neighbour.ts';

const FIXED_SEED = 20_091_022;
const FOUND = join(import.meta.dirname, 'found');

describe('fuzzing the Repy API', () => {
  let directory: string;
  let files: RuntimeFiles;
  let neighbour: Neighbour;
  let walls = false;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-fuzz-'));
    files = await runtimeFiles(directory);
    neighbour = await startNeighbour(files);
    walls = (await detectWalls()).up.includes('bubblewrap');
  });
  after(async () => {
    await neighbour[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const agree = async (seed: number, programs: number): Promise<void> => {
    const report = await fuzz({ files, neighbour, seed, walls, more: (so: Report) => so.programs < programs });
    assert.deepEqual(report.disagreements, [], `seed ${seed}`);
  };

  it('programs of a fixed seed do what the model says, with outer walls and without, however they spoil their realm', async () => {
    await agree(FIXED_SEED, 800);
  }).timeout(180_000);

  const seed = Date.now() % 2 ** 31;
  it(`programs of the random seed ${seed} do what the model says`, async () => {
    await agree(seed, 300);
  }).timeout(180_000);

  it('the judge sees another error, another count, a missing line, and what a call left behind', () => {
    const call: Call = { name: 'call', args: [], model: () => '= undefined' };
    const program = [{ call, slot: 0, args: [] }];
    const step = ['0', '0', '= undefined', '1 0 0', '', '', '0.001'];
    const end = ['0', 'end', '1 0 0', '0', ''];
    const verdict = (...lines: string[][]) => judge(program, lines, { profile: 'usual' }, places());
    assert.equal(verdict(step, end), undefined);
    assert.match(`${verdict(step.with(2, '! RepyArgumentError ARGUMENT'), end)}`, /expected "= undefined"/);
    assert.match(`${verdict(step.with(2, '= undefined touched'), end)}`, /got "= undefined touched"/);
    assert.match(`${verdict(step.with(3, '2 0 0'), end)}`, /events, insockets and files 1 0 0, got 2 0 0/);
    assert.match(`${verdict(step.with(4, '|0 ~ 1'), end)}`, /expected later/);
    assert.match(`${verdict(step.with(6, '6'), end)}`, /took 6 s/);
    assert.match(`${verdict(step, end.with(3, '1'))}`, /nothing held at the end/);
    assert.match(`${verdict(step)}`, /expected a last line/);
  });

  describe('what it found stays mended', () => {
    it('each finding says what it logs now', async () => {
      for (const name of await readdir(FOUND)) {
        const source = await readFile(join(FOUND, name), 'utf8');
        const expected = /^\/\/ Logs: (.*)$/m.exec(source)?.[1];
        const setting = { profile: 'usual', walls } as const;
        const { text, ending } = await runSource(files, source, setting, places());
        assert.deepEqual([text, ending.kind], [expected, 'exitall'], `${name}: ${ending.message}`);
      }
    });
  });
});
