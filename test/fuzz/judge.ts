import type { Logged, Places, Profile } from './batch.ts';
import { PROFILES } from './batch.ts';
import { type Answer, type Program, type Step, valuesFor } from './grammar.ts';
import { type Handle, Refusal, World } from './world.ts';

/** No call keeps the program for longer, on however busy a machine. */
const MOST_BUSY_SECONDS = 5;

interface Expected {
  readonly answer: Answer;
  readonly usage: string;
}

/** What the model says of a whole program. */
interface Story {
  readonly steps: readonly Expected[];
  readonly late: string;
  readonly heard: string;
}

function answer(world: World, step: Step, values: ReturnType<typeof valuesFor>): Answer {
  const { call, args, slot } = step;
  const all = call.on === undefined ? [] : world.handles[call.on];
  if (call.on !== undefined && all.length === 0) return 'skip';
  try {
    const given = args.map((name) => values[name]?.());
    return call.model(world, given, all[slot % all.length] as Handle);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${call.promises ? '~!' : '!'} ${error.text}`;
  }
}

function tell(program: Program, profile: Profile, { own, dead }: Places): Story {
  const world = new World(PROFILES[profile], own, dead);
  const values = valuesFor(own, dead);
  const steps = program.map((step, place) => {
    world.place = place;
    return { answer: answer(world, step, values), usage: `${world.events} ${world.insockets} ${world.filesopened}` };
  });
  return { steps, late: world.takeLate().join(''), heard: world.takeHeard() };
}

/** A value's own code ran: right where the call has to look into it. */
function withoutTouch(actual: string, { call }: Step): string {
  return call.touches || / Trap/.test(actual) ? actual.replace(/ touched$/, '') : actual;
}

/** Options that throw when they are looked into may do so before or after another argument is refused. */
function trapped(expected: Answer, actual: string, { args }: Step): boolean {
  const traps = args.some((name) => ['encodingtrap', 'thrower', 'revoked'].includes(name));
  return (
    traps &&
    typeof expected === 'string' &&
    /! (RepyArg|Trap|TypeE)/.test(expected) &&
    /! (RepyArg|Trap|TypeE)/.test(actual)
  );
}

const sorted = (late: string): string => late.split('|').sort().join('|');

/** @returns undefined when the vessel did what the model says, else the first difference. */
export function judge(
  program: Program,
  lines: readonly string[][],
  setting: { profile: Profile },
  where: Places,
): string | undefined {
  const story = tell(program, setting.profile, where);
  let late = '';
  let heard = '';
  for (const [place, step] of program.entries()) {
    const [, , actual = 'nothing', usage = '', later = '', messages = '', busy = ''] = lines[place] ?? [];
    const { answer: expected, usage: held } = story.steps[place] as Expected;
    const said = withoutTouch(actual, step);
    const right = typeof expected === 'string' ? expected === said || trapped(expected, said, step) : expected(said);
    const what = `step ${place} (${step.call.name})`;
    if (!right) return `${what}: expected "${typeof expected === 'string' ? expected : 'another'}", got "${actual}"`;
    if (usage !== held) return `${what}: expected events, insockets and files ${held}, got ${usage}`;
    if (Number(busy) > MOST_BUSY_SECONDS) return `${what}: took ${busy} s`;
    late += later;
    heard += messages;
  }
  const [, end, usage, outsockets, later = '', messages = ''] = lines[program.length] ?? [];
  late += later;
  heard += messages;
  if (end !== 'end') return 'expected a last line, got none';
  if (sorted(late) !== sorted(story.late)) return `expected later "${story.late}", got "${late}"`;
  if (heard !== story.heard) return `expected messages "${story.heard}", got "${heard}"`;
  if (usage !== '1 0 0' || outsockets !== '0') return `expected nothing held at the end, got ${usage} ${outsockets}`;
  return undefined;
}

export interface Lines {
  readonly of: (program: number) => string[][];
  /** Whether the globals are what they were, and nothing of another realm came by. */
  readonly whole: boolean;
  /** How many programs ran: the last of them may have left something behind. */
  readonly ran: number;
}

/** The harness's lines of each program; anything else is what programs logged. */
export function linesOf({ text }: Logged): Lines {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('@ '))
    .map((line) => line.slice(2).split('\t'));
  const byProgram = Map.groupBy(lines, ([program]) => program ?? '');
  const [, whole, ran] = byProgram.get('all')?.[0] ?? [];
  return { of: (program) => byProgram.get(`${program}`) ?? [], whole: whole === 'same', ran: Number(ran) };
}
