import type { Failure } from '../bulk.ts';
import type { Style } from '../style.ts';
import { count, enumerate } from '../style.ts';
import { nameOf, type Target } from '../targets.ts';
import type { Step } from './plan.ts';

/** One thing that is to be done, or was done, in the names that people know. */
export interface Change {
  readonly change: Step['do'];
  /** The vessel's name; nothing for what is acquired. */
  readonly name?: string | undefined;
  /** How many are acquired. */
  readonly count?: number | undefined;
  readonly index?: number | undefined;
  readonly why: string;
}

/** What `apply --watch` says: what it did, and what is wrong when that is something else than before. */
export type DeployEvent =
  | ({ readonly event: 'change' } & Change)
  | { readonly event: 'trouble'; readonly failed: readonly Failure[] };

interface Named {
  readonly targets: ReadonlyMap<string, Target>;
}

export function namesOf({ targets }: Named, key: string): string {
  const target = targets.get(key);
  return target === undefined ? key : nameOf(target);
}

export function changeOf(step: Step, named: Named): Change {
  if (step.do === 'acquire') return { change: step.do, count: step.count, why: step.why };
  const facts = { change: step.do, name: namesOf(named, step.key), why: step.why };
  return 'index' in step ? { ...facts, index: step.index } : facts;
}

const SIGNS: Readonly<Record<Step['do'], string>> = {
  acquire: '+',
  create: '+',
  update: '~',
  start: '>',
  renew: '>',
  remove: '-',
  release: '-',
};

/** `+ create  10.0.0.7:1224:v1  it is free`. */
export function changeText({ change, name, count: many, why }: Change, style: Style): string {
  const sign = SIGNS[change];
  const paint = sign === '+' ? style.good : sign === '-' ? style.bad : style.warning;
  const what = name ?? count(many ?? 0, 'vessel');
  return `${paint(`${sign} ${change.padEnd(7)}`)} ${what}  ${style.faint(why)}`;
}

/** The lines of a plan. */
export function planText(
  changes: readonly Change[],
  notes: readonly { name: string; why: string }[],
  style: Style,
): string {
  const lines = changes.map((change) => changeText(change, style));
  const left = notes.map(({ name, why }) => style.faint(`  left alone: ${name} ${why}`));
  return [...lines, ...left].join('\n');
}

/** `2 created, 1 renewed`. */
export function doneText(changes: readonly Change[]): string {
  const past = {
    acquire: 'acquired',
    create: 'created',
    update: 'updated',
    start: 'started',
    renew: 'renewed',
  } as const;
  const more = { ...past, remove: 'removed', release: 'released' } as const;
  const numbers = Map.groupBy(changes, ({ change }) => more[change]);
  return enumerate(
    [...numbers].map(([word, group]) => `${group.reduce((sum, one) => sum + (one.count ?? 1), 0)} ${word}`),
  );
}
