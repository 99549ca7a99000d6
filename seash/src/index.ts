export { COMMANDS } from './commands/table.ts';
export type { ErrorFacts } from './errors.ts';
export { ClearinghouseError, CommandError, UsageError } from './errors.ts';
export type { Progress } from './session.ts';
export type { CommandResult, ExecuteOptions, ShellInit } from './shell.ts';
export { Shell } from './shell.ts';
export { quoteWord } from './words.ts';
