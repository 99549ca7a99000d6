import { CommandError } from './errors.ts';
import type { Context } from './session.ts';
import { count, enumerate, type Style, visible } from './style.ts';
import { nameOf, type Target } from './targets.ts';

/** Of every command that asks. */
export const YES = { name: 'yes', summary: 'Do not ask.' } as const;

/** Asks at a terminal; a script, and who is nobody's terminal, has agreed. @throws CommandError CANCELLED */
export async function agreed(context: Context, question: (style: Style) => string): Promise<void> {
  if (await context.confirm(question)) return;
  throw new CommandError('CANCELLED', 'expected a yes, got another answer: nothing was done');
}

/** Asks before something is lost on more than one vessel. @param what `Reset`. @throws CommandError CANCELLED */
export async function sure(context: Context, targets: readonly Target[], what: string): Promise<void> {
  if (targets.length < 2) return;
  const names = enumerate(targets.map((target) => visible(nameOf(target))));
  await agreed(context, () => `${what} ${count(targets.length, 'vessel')}: ${names}? [y/N] `);
}
