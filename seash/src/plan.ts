import { hintFor } from '@potluck/protocol';
import { type Command, lengthOf } from './command.ts';
import { UsageError } from './errors.ts';
import type { Modules } from './modules.ts';
import { quoteWord, type Statement, type Word } from './words.ts';

/** A command that is understood and ready to be carried out. */
export interface Parsed {
  readonly command: Command;
  readonly words: readonly Word[];
  readonly identityName: string | undefined;
  readonly targetName: string | undefined;
}

/** One command of a script. */
export interface Plan {
  /** As they were written. */
  readonly statement: Statement;
  /** Its line in the source, from 1. */
  readonly line: number;
  /** Undefined where a module rewrites the line, as for variables: then it is understood when its turn comes. */
  readonly parsed: Parsed | undefined;
}

/** @throws UsageError UNKNOWN_COMMAND, USAGE; `details.line` says where */
export function planOf(statement: Statement, modules: Modules): Plan {
  const { words, line } = statement;
  if (modules.preprocessor?.applies(words)) return { statement, line, parsed: undefined };
  try {
    return { statement, line, parsed: parse(words, modules) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, error.message, { details: { line } });
  }
}

/**
 * Finds the command behind its prefixes; also one of a module that is not enabled, for a line before it may enable it.
 * @throws UsageError UNKNOWN_COMMAND, USAGE
 */
export function parse(all: readonly Word[], modules: Modules): Parsed {
  const named: Record<'identity' | 'target', string | undefined> = { identity: undefined, target: undefined };
  let words = all;
  for (;;) {
    const { command, rest } = findCommand(words, modules);
    const [slot] = command.slots;
    const length = slot === undefined ? 0 : lengthOf(slot, rest);
    const isLast = rest.length <= length;
    if (command.prefix === undefined || rest.length === 0 || (isLast && words === all)) {
      command.check(rest);
      return { command, words: rest, identityName: named.identity, targetName: named.target };
    }
    if (isLast) throw new UsageError('USAGE', `expected a command after "${textOf(all)}", got its end`);
    named[command.prefix] = textOf(rest.slice(0, length));
    words = rest.slice(length);
  }
}

/** How a line was understood, with the defaults that were in force: `as alice on %all run hello.js 'a b'`. */
export function parsedText(
  { command, words, identityName, targetName }: Parsed,
  defaults: Partial<Pick<Parsed, 'identityName' | 'targetName'>>,
): string {
  const identity = identityName ?? defaults.identityName;
  const target = targetName ?? defaults.targetName;
  return [
    ...(identity === undefined ? [] : ['as', quoteWord(identity)]),
    ...(target === undefined ? [] : ['on', target]),
    command.name,
    ...words.map(sourceOf),
  ].join(' ');
}

/** A word that stood in quotes is shown in some, though it may not need them: it is no keyword. */
function sourceOf({ text, quoted }: Word): string {
  const source = quoteWord(text);
  return quoted && source === text ? `'${text}'` : source;
}

/** The command whose name the words begin with: of `set` and `set owner` the longer one; or undefined. */
export function matchCommand(words: readonly Word[], commands: readonly Command[]): Command | undefined {
  const fitting = commands.filter(({ name }) => partsOf(name).every((part, index) => words[index]?.text === part));
  return fitting.find(({ name }) => partsOf(name).length > 1) ?? fitting[0];
}

/** @throws UsageError UNKNOWN_COMMAND */
function findCommand(words: readonly Word[], modules: Modules): { command: Command; rest: readonly Word[] } {
  const command = matchCommand(words, modules.commands) ?? matchCommand(words, modules.known);
  if (command !== undefined) return { command, rest: words.slice(partsOf(command.name).length) };
  const [first, second] = words.map(({ text }) => text);
  const { commands } = modules;
  const topics = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => partsOf(name)[1] ?? '');
  if (first === undefined) throw new UsageError('USAGE', 'expected a command, got nothing');
  if (topics.length === 0) {
    const names = commands.map(({ name }) => partsOf(name)[0] ?? '');
    throw new UsageError('UNKNOWN_COMMAND', `expected a command, got "${first}"${hintFor(first, names)}`);
  }
  const got = second === undefined ? 'nothing' : `"${second}"${hintFor(second, topics)}`;
  throw new UsageError('UNKNOWN_COMMAND', `expected "${first}" and one of ${topics.join(', ')}, got ${got}`);
}

function partsOf(name: string): string[] {
  return name.split(' ');
}

function textOf(words: readonly Word[]): string {
  return words.map(({ text }) => text).join(' ');
}
