import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectWalls, OUTER_WALLS, type OuterWall, PREBUILT_NAMES, runtimeFiles } from '@potluck/vessel-runtime';
import { beneathRuntime, hasCompiler } from './beneath.ts';
import { type Attack, catalogue } from './catalogue.ts';
import { type Outcome, runAttack } from './run.ts';
import { World } from './world.ts';

/** Two worlds at once: as many as the smallest machine that the tests run on has processors. */
const AT_ONCE = 2;

export interface SuiteInit {
  readonly attacks: readonly Attack[];
  /** Tries a missing wall only with attacks that name it and are not slow; else all but the slow that do not name it. */
  readonly quick: boolean;
  readonly onOutcome?: (outcome: Outcome) => void;
}

interface Task {
  readonly attacks: readonly Attack[];
  readonly without: readonly OuterWall[];
  readonly runtime: string;
}

/** @returns attacks with these numbers, or all. */
export function chosen(numbers: readonly number[]): Attack[] {
  return catalogue().filter(({ number }) => numbers.length === 0 || numbers.includes(number));
}

/** Runs attacks with all walls that this machine has, and with each of them taken away in turn. */
export async function runSuite(init: SuiteInit): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const tell = (outcome: Outcome) => {
    outcomes.push(outcome);
    init.onOutcome?.(outcome);
  };
  const directory = await mkdtemp(join(tmpdir(), 'potluck-attacks-'));
  try {
    const tasks = await tasksOf(init, directory, tell);
    await Promise.all(Array.from({ length: AT_ONCE }, async () => await work(tasks, tell)));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return outcomes;
}

/** Walls that can be taken away here, because they stand. */
async function standingWalls(): Promise<OuterWall[]> {
  const { up } = await detectWalls();
  return OUTER_WALLS.filter((wall) => up.includes(wall));
}

async function tasksOf({ attacks, quick }: SuiteInit, directory: string, tell: (o: Outcome) => void): Promise<Task[]> {
  const beneath = attacks.filter(({ kind }) => kind === 'beneath');
  const compiled = beneath.length > 0 && hasCompiler();
  const standing = await standingWalls();
  const missing = OUTER_WALLS.filter((wall) => !standing.includes(wall));
  for (const attack of compiled ? [] : beneath) {
    tell({ attack, missing, without: [], told: 'not run: no compiler', verdict: 'not run', ms: 0, detail: '' });
  }
  const runtimes = {
    vessel: await vesselRuntime(join(directory, 'vessel')),
    beneath: compiled ? await beneathRuntime(await made(join(directory, 'beneath'))) : '',
  };
  const columns: (readonly OuterWall[])[] = [[], ...standing.map((wall) => [wall])];
  return columns.flatMap((without): Task[] => {
    const [wall] = without;
    const wanted = attacks.filter((attack) => wall === undefined || isTried(attack, wall, quick));
    const native = wanted.filter(({ kind }) => kind === 'beneath');
    const others = wanted.filter(({ kind }) => kind !== 'beneath');
    const shares = Array.from({ length: AT_ONCE }, (_, at) => others.filter((_, index) => index % AT_ONCE === at));
    const tasks = shares.map((share) => ({ attacks: share, without, runtime: runtimes.vessel }));
    if (compiled) tasks.push({ attacks: native, without, runtime: runtimes.beneath });
    return tasks.filter((task) => task.attacks.length > 0);
  });
}

function isTried(attack: Attack, wall: OuterWall, quick: boolean): boolean {
  const named = attack.walls.includes(wall) || attack.without.has(wall);
  return quick ? named && !attack.slow : named || !attack.slow;
}

async function work(tasks: Task[], tell: (outcome: Outcome) => void): Promise<void> {
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
    await using world = await World.start(task);
    for (const attack of task.attacks) tell(await runAttack(world, attack));
  }
}

async function made(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  return directory;
}

async function vesselRuntime(directory: string): Promise<string> {
  const { entry, native } = await runtimeFiles(await made(join(directory, 'built')));
  await copyFile(entry, join(directory, PREBUILT_NAMES.entry));
  await copyFile(native, join(directory, PREBUILT_NAMES.native));
  return directory;
}
