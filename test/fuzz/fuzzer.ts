import type { RuntimeFiles } from '@potluck/vessel-runtime';
import fc from 'fast-check';
import { type Logged, type Places, places, runBatch, type Setting } from './batch.ts';
import { THEMES } from './calls.ts';
import { type Call, type Program, programs, programText } from './grammar.ts';
import { judge, linesOf } from './judge.ts';
import type { Neighbour } from './neighbour.ts';
import { POLLUTIONS } from './pollution.ts';

const BATCH = 150;
/** In one round a realm is spoiled in so many ways, with the same programs. */
const SPOILED_WAYS = 6;
const SPOILED_BATCH = 20;
const SHRINK_MS = 40_000;
/** How often a disagreement has to come again, alone in a process, to count: a busy machine loses the odd packet. */
const TRIES = 3;

export interface Disagreement {
  readonly what: string;
  readonly setting: Setting;
  readonly program: string;
}

export interface Report {
  programs: number;
  readonly disagreements: Disagreement[];
  /** What was seen once and never again. */
  readonly unsteady: string[];
  /** Kinds of disagreements: each is looked into once. */
  readonly seen: Set<string>;
}

export interface FuzzInit {
  readonly files: RuntimeFiles;
  readonly neighbour: Neighbour;
  readonly seed: number;
  /** Whether to go on, asked before each round. */
  readonly more: (report: Report) => boolean;
  /** Walls to compare with none, where they stand. */
  readonly walls: boolean;
}

interface Round {
  readonly seed: number;
  readonly count: number;
  readonly themes: readonly (readonly Call[])[];
  readonly settings: readonly Setting[];
}

/** In turn: with and without outer walls, little of everything, and a spoiled realm. */
function rounds(seed: number, index: number, walls: boolean): Round {
  const at = (seed + index * 7919) >>> 0;
  const about = { seed: at % 0x7fffffff, count: BATCH, themes: THEMES.usual };
  if (index % 3 === 0) {
    const both = walls ? [true, false] : [false];
    return { ...about, settings: both.map((up) => ({ profile: 'usual', walls: up })) };
  }
  if (index % 3 === 1) return { ...about, settings: [{ profile: 'scarce', walls }] };
  const names = Object.keys(POLLUTIONS);
  const first = seed + ((index - 2) / 3) * SPOILED_WAYS;
  const ways = Array.from({ length: SPOILED_WAYS }, (_, way) => names[(first + way) % names.length]);
  const settings = ways.map((pollution) => ({ profile: 'usual', walls, pollution }) as const);
  return { ...about, count: SPOILED_BATCH, themes: THEMES.spoiled, settings };
}

/** Runs programs until `more` says no. */
export async function fuzz(init: FuzzInit): Promise<Report> {
  const report: Report = { programs: 0, disagreements: [], unsteady: [], seen: new Set() };
  for (let index = 0; init.more(report); index++) {
    const round = rounds(init.seed, index, init.walls);
    await runRound(init, round, report);
    if (!(await init.neighbour.answers())) {
      note(
        report,
        round.settings[0] as Setting,
        'expected the neighbour vessel to answer, it did not',
        `seed ${round.seed}`,
      );
    }
  }
  return report;
}

function note(report: Report, setting: Setting, what: string, program: string): void {
  report.disagreements.push({ what, setting, program });
}

async function runRound({ files }: FuzzInit, round: Round, report: Report): Promise<void> {
  const { seed, count, settings } = round;
  const batch = fc.sample(programs(round.themes), { seed, numRuns: count });
  const where = places();
  const runs: Looked[] = [];
  for (const setting of settings) {
    runs.push({ round, batch, setting, where, logged: await runBatch(files, batch, setting, where) });
  }
  report.programs += settings.some(({ pollution }) => pollution) ? count * settings.length : count;
  for (const run of runs) await look(files, run, report);
  const [first, second] = runs;
  if (first?.setting.walls !== second?.setting.walls && first && second) await compare(files, [first, second], report);
}

/** With all walls and without the outer ones a program says the same. */
async function compare(files: RuntimeFiles, [first, second]: [Looked, Looked], report: Report): Promise<void> {
  for (const [index, program] of first.batch.entries()) {
    if (told(first.logged, index) === told(second.logged, index)) continue;
    const one = await runBatch(files, [program], first.setting, first.where);
    const other = await runBatch(files, [program], second.setting, second.where);
    const what = `with outer walls:\n${told(one, 0)}\nwithout:\n${told(other, 0)}`;
    if (told(one, 0) !== told(other, 0)) note(report, first.setting, what, programText(program));
    else report.unsteady.push(`walls made a difference (seed ${first.round.seed}, program ${index})`);
  }
}

/** What a run said of one program, without times. */
function told(logged: Logged, index: number): string {
  return linesOf(logged)
    .of(index)
    .map((line) =>
      line
        .slice(0, 6)
        .join('\t')
        .replace(/b1024:\d+/, 'random'),
    )
    .join('\n');
}

interface Looked {
  readonly round: Round;
  readonly batch: readonly Program[];
  readonly setting: Setting;
  readonly where: Places;
  readonly logged: Logged;
}

async function look(files: RuntimeFiles, looked: Looked, report: Report): Promise<void> {
  const { batch, setting, where, logged, round } = looked;
  const lines = linesOf(logged);
  const { kind, message } = logged.ending;
  if (kind !== 'exitall') {
    const at = batch.findIndex((_, index) => !lines.of(index).some(([, word]) => word === 'end'));
    const last = at === -1 ? 'all had ended' : programText(batch[at] as Program);
    note(report, setting, `expected the process to end by exitall, got ${kind}: ${message} (seed ${round.seed})`, last);
  } else if (logged.stderr !== '') {
    note(report, setting, `expected nothing on stderr, got ${logged.stderr}`, `seed ${round.seed}`);
  } else if (!lines.whole) {
    note(report, setting, 'expected the globals unchanged and nothing of another realm', `seed ${round.seed}`);
  }
  for (const [index, program] of batch.entries()) {
    if (index >= lines.ran || (kind !== 'exitall' && lines.of(index).length <= program.length)) continue;
    const what = judge(program, lines.of(index), setting, where);
    const sort = what?.replace(/step \d+|\d+/g, '');
    if (sort === undefined || report.seen.has(sort)) continue;
    report.seen.add(sort);
    const steady = await again(files, program, setting);
    if (steady === undefined) report.unsteady.push(`${what} (seed ${round.seed}, program ${index})`);
    else note(report, setting, ...(await shrink(files, looked, index)));
  }
}

/** Runs one program alone. @returns the difference, undefined when there is none. */
async function alone(files: RuntimeFiles, program: Program, setting: Setting): Promise<string | undefined> {
  const where = places();
  const logged = await runBatch(files, [program], setting, where);
  const { kind, message } = logged.ending;
  if (kind !== 'exitall') return `expected an end by exitall, got ${kind}: ${message}`;
  return judge(program, linesOf(logged).of(0), setting, where);
}

async function again(files: RuntimeFiles, program: Program, setting: Setting): Promise<string | undefined> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const what = await alone(files, program, setting);
    if (what !== undefined) return what;
  }
  return undefined;
}

/** Makes the program as small as still disagrees. @returns what differs, and the program. */
async function shrink(files: RuntimeFiles, { round, setting }: Looked, index: number): Promise<[string, string]> {
  let last: [string, string] = ['', ''];
  const property = fc.asyncProperty(programs(round.themes), async (program) => {
    const what = await alone(files, program, setting);
    if (what === undefined) return;
    last = [what, `seed ${round.seed}, program ${index}, smallest:\n${programText(program)}`];
    throw new RangeError(what);
  });
  const limits = { interruptAfterTimeLimit: SHRINK_MS, markInterruptAsFailure: false };
  await fc.check(property, { seed: round.seed, path: `${index}`, numRuns: 1, ...limits });
  return last;
}
