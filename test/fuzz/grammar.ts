import fc from 'fast-check';
import { makeValues } from './inside/values.js';
import type { Handle, Kind, World } from './world.ts';

/** What the model says of a step: its outcome, or a judge of outcomes where more than one is right. */
export type Answer = string | ((actual: string) => boolean);

/** One call of the API: how its arguments are made up, and what should become of it. */
export interface Call {
  readonly name: string;
  /** How often, beside the others; 2 unless said. */
  readonly weight?: number;
  /** Which handles it is a method of. */
  readonly on?: Kind;
  /** Which handle it makes. */
  readonly makes?: Kind;
  /** Whether what it refuses comes as a rejection. */
  readonly promises?: boolean;
  /** For each argument the names of values that are right for it. */
  readonly args: readonly (readonly string[])[];
  /** The least number of arguments that are always there and right. */
  readonly fixed?: number;
  /** Names of values that are left out of the hostile ones. */
  readonly never?: readonly string[];
  /** Seconds after which a promise is taken for one that waits, 5 unless said. */
  readonly patience?: number;
  /** The call as a text; `NAME(ARGUMENTS)` or `on.NAME(ARGUMENTS)` unless said. */
  readonly text?: (args: readonly string[]) => string;
  /** Whether a value's own code may run. */
  readonly touches?: boolean;
  /** @throws Refusal */
  readonly model: (world: World, args: readonly unknown[], on: Handle) => Answer;
}

export interface Step {
  readonly call: Call;
  readonly slot: number;
  /** Names of values. */
  readonly args: readonly string[];
}

export type Program = readonly Step[];

/** What the model looks at: its own copies of the values, and stand-ins for what only exists inside. */
export function valuesFor(own: string, dead: string): Readonly<Record<string, () => unknown>> {
  const mess = () => {};
  const conn = () => {};
  return { ...makeValues({ own, dead, touched: 0 }), mess: () => mess, conn: () => conn };
}

/** Big ones are rarer: they cost the most time. */
const HUGE = [
  'tcp1',
  'tcpwide1',
  'utcp1',
  'udp',
  'udp1',
  'udpwide',
  'udpwide1',
  'udplone1',
  'u65507',
  'u65508',
  'wide',
];
const NAMES = Object.keys(makeValues({ own: '', dead: '', touched: 0 })).filter((name) => !HUGE.includes(name));
/** Patience for calls that may wait for ever. */
export const BRIEF = 0.004;
const MOST_MAKERS = 4;
const MOST_STEPS = 8;

function argument(call: Call, right: readonly string[], index: number): fc.Arbitrary<string> {
  const good = fc.constantFrom(...right);
  if (index < (call.fixed ?? 0)) return good;
  const hostile = NAMES.filter((name) => !call.never?.includes(name));
  return fc.oneof({ weight: 12, arbitrary: good }, { weight: 2, arbitrary: fc.constantFrom(...hostile) });
}

/** All arguments, sometimes fewer or one more. */
function argumentsOf(call: Call): fc.Arbitrary<string[]> {
  const all = fc.tuple(...call.args.map((right, index) => argument(call, right, index)));
  const least = call.fixed ?? 0;
  const cut = fc.oneof(
    { weight: 9, arbitrary: fc.constant(call.args.length) },
    { weight: 1, arbitrary: fc.integer({ min: least, max: Math.max(least, call.args.length) }) },
  );
  return fc.tuple(all, cut).map(([args, count]) => args.slice(0, count));
}

function steps(calls: readonly Call[]): fc.Arbitrary<Step> {
  const weighted = calls.map((call) => ({
    weight: call.weight ?? 2,
    arbitrary: fc.record({ call: fc.constant(call), slot: fc.nat(3), args: argumentsOf(call) }),
  }));
  return fc.oneof(...weighted);
}

/** Programs of up to a dozen calls of a theme; most begin by making handles, so that there is something to call. */
export function programs(themes: readonly (readonly Call[])[]): fc.Arbitrary<Program> {
  return fc.oneof(...themes.map(theme));
}

function theme(calls: readonly Call[]): fc.Arbitrary<Program> {
  const makers = calls.filter(({ makes }) => makes !== undefined);
  const begin = makers.length === 0 ? fc.constant([]) : fc.array(steps(makers), { maxLength: MOST_MAKERS });
  const rest = fc.array(steps(calls), { maxLength: MOST_STEPS });
  return fc.tuple(begin, rest).map(([first, others]) => [...first, ...others]);
}

const isScoped = (name: string) => name === 'mess' || name === 'conn';
const valueText = (name: string) => (isScoped(name) ? `h.${name}` : `V.${name}()`);

/** A step as JavaScript: what runs inside. */
export function stepText({ call, slot, args }: Step): string {
  const values = args.map(valueText);
  const front = call.on === undefined ? 'API.' : `h.pick('${call.on}', ${slot}).`;
  const text = call.text?.(values) ?? `${front}${call.name}(${values.join(', ')})`;
  const run = call.on === undefined ? text : text.replaceAll('ON', `h.pick('${call.on}', ${slot})`);
  const about = `on: '${call.on ?? ''}', makes: '${call.makes ?? ''}', patience: ${call.patience ?? 5}`;
  return `{ run: (h) => ${run}, ${about} }`;
}

/** A program as an author would write it, for reports. */
export function programText(program: Program): string {
  return program
    .map(({ call, slot, args }) => {
      const text = call.text?.(args) ?? `${call.name}(${args.join(', ')})`;
      return `  ${call.on === undefined ? '' : `${call.on}[${slot}].`}${text}`;
    })
    .join('\n');
}
