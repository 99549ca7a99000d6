import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '@potluck/protocol';
import { detectWalls, runtimeFiles } from '@potluck/vessel-runtime';
import { fuzzFrames } from './frames/main.ts';
import { fuzz, type Report } from './fuzzer.ts';
import { startNeighbour } from './neighbour.ts';

const USAGE = 'usage: npm run fuzz [-- --seed N (--minutes M --programs N | --frames N)]';

/** Exit code 1 when something disagreed, 2 for a wrong command line. */
process.exitCode = await main();

async function main(): Promise<number> {
  const given = read();
  if (typeof given === 'number') return given;
  if (given.frames > 0) return await fuzzFrames(given.seed, given.frames);
  const directory = await mkdtemp(join(tmpdir(), 'potluck-fuzz-'));
  try {
    return await run(directory, given);
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Given {
  readonly seed: number;
  readonly minutes: number;
  readonly programs: number;
  /** At a node manager, in the place of programs; 0 for none. */
  readonly frames: number;
}

/** @returns what the command line asks for, or an exit code when there is nothing to run. */
function read(): Given | number {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string', default: `${Date.now() % 2 ** 31}` },
        minutes: { type: 'string', default: '1' },
        programs: { type: 'string', default: 'Infinity' },
        frames: { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const given = {
      seed: Number(values.seed),
      minutes: Number(values.minutes),
      programs: Number(values.programs),
      frames: Number(values.frames),
    };
    const wrong = Object.entries(given).find(([, value]) => Number.isNaN(value));
    if (wrong === undefined) return given;
    console.error(`fuzz: expected a number after --${wrong[0]}\n${USAGE}`);
  } catch (error) {
    console.error(`fuzz: ${describeError(error).split('. ')[0]}\n${USAGE}`);
  }
  return 2;
}

async function run(path: string, { seed, minutes: most, programs: mostPrograms }: Given): Promise<number> {
  const files = await runtimeFiles(path);
  await using neighbour = await startNeighbour(files);
  const walls = (await detectWalls()).up.includes('bubblewrap');
  console.log(`seed ${seed}, ${walls ? 'with and without outer walls' : 'without outer walls: there are none here'}`);
  const from = performance.now();
  const minutes = () => (performance.now() - from) / 60_000;
  const more = ({ programs }: Report) => minutes() < most && programs < mostPrograms;
  const report = await fuzz({ files, neighbour, seed, walls, more });
  const rate = Math.round(report.programs / minutes());
  console.log(`${report.programs} programs, ${rate} a minute, ${report.disagreements.length} disagreements`);
  for (const { what, setting, program } of report.disagreements)
    console.log(`\n${what}\n${JSON.stringify(setting)}\n${program}`);
  for (const one of report.unsteady) console.log(`\nseen once and not again: ${one}`);
  return report.disagreements.length === 0 ? 0 : 1;
}
