import { z } from 'zod';
import { command } from './command.ts';
import { CommandError, UsageError } from './errors.ts';
import type { Parsed } from './plan.ts';
import type { Session } from './session.ts';

/** Stands in the table for its words and its help; `again` puts another command in its place. */
export const retryCommand = command({
  name: 'retry',
  summary: 'Repeat the last command that failed on some vessels, on those only. "on" cannot stand before it.',
  slots: [],
  example: 'retry',
  result: z.object({}),
  run: async () => {
    throw new UsageError('USAGE', 'expected a shell that repeats commands, got none');
  },
  render: () => '',
});

/** What is carried out: the command itself, or the one that `retry` stands for. @throws CommandError, UsageError */
export function again(parsed: Parsed, session: Session): Parsed {
  if (parsed.command !== retryCommand) return parsed;
  if (parsed.targetName !== undefined) {
    throw new UsageError('USAGE', `expected "retry" without "on", got "on ${parsed.targetName}" before it`);
  }
  const { failed } = session;
  if (failed === undefined) {
    throw new CommandError('NO_TARGET', 'expected a command that failed on some vessels to be repeated, got none');
  }
  const targetName = `${failed.command.leaves}fail`;
  return { ...failed, targetName, identityName: parsed.identityName ?? failed.identityName };
}

/** Keeps a command that failed on some vessels, until it goes well on all or another one fails. */
export function remember(session: Session, parsed: Parsed): void {
  const { leaves } = parsed.command;
  // Before the first time that a command goes to its vessels there are no groups of it.
  if (leaves === undefined || !session.targets.groupNames.includes(`${leaves}fail`)) return;
  if (session.targets.resolve(`${leaves}fail`).length > 0) session.failed = parsed;
  else if (session.failed?.command === parsed.command) session.failed = undefined;
}
