import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { detectWalls, runtimeFiles } from '@potluck/vessel-runtime';
import { fuzz, type Report } from './fuzzer.ts';
import { startNeighbour } from './neighbour.ts';

/** `npm run fuzz [-- --seed N --minutes M --programs N]`: exit code 1 when something disagreed. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Date.now() % 2 ** 31}` },
    minutes: { type: 'string', default: '1' },
    programs: { type: 'string', default: 'Infinity' },
  },
});
const directory = await mkdtemp(join(tmpdir(), 'potluck-fuzz-'));
try {
  process.exitCode = await run(directory);
} finally {
  await rm(directory, { recursive: true });
}

async function run(path: string): Promise<number> {
  const files = await runtimeFiles(path);
  await using neighbour = await startNeighbour(files);
  const walls = (await detectWalls()).up.includes('bubblewrap');
  const seed = Number(values.seed);
  console.log(`seed ${seed}, ${walls ? 'with and without outer walls' : 'without outer walls: there are none here'}`);
  const from = performance.now();
  const minutes = () => (performance.now() - from) / 60_000;
  const more = ({ programs }: Report) => minutes() < Number(values.minutes) && programs < Number(values.programs);
  const report = await fuzz({ files, neighbour, seed, walls, more });
  const rate = Math.round(report.programs / minutes());
  console.log(`${report.programs} programs, ${rate} a minute, ${report.disagreements.length} disagreements`);
  for (const { what, setting, program } of report.disagreements)
    console.log(`\n${what}\n${JSON.stringify(setting)}\n${program}`);
  for (const one of report.unsteady) console.log(`\nseen once and not again: ${one}`);
  return report.disagreements.length === 0 ? 0 : 1;
}
