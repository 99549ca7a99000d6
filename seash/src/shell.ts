import { hintFor } from '@potluck/protocol';
import { clearinghouseUrl } from './clearinghouse.ts';
import { type Command, lengthOf } from './command.ts';
import { COMMANDS } from './commands/table.ts';
import type { ConnectionsInit } from './connections.ts';
import { type ErrorFacts, factsOf, UsageError } from './errors.ts';

import { Context, type Progress, Session } from './session.ts';
import { parseStatements, type Statement, type Word } from './words.ts';

export interface ShellInit extends ConnectionsInit {
  /** An http or https URL; where `browse` looks. */
  readonly clearinghouse?: string | undefined;
  /** What relative file names are relative to; the process's own directory unless given. */
  readonly directory?: string;
  /** How many nodes are asked at once; 32 unless given. */
  readonly parallel?: number;
}

export interface ExecuteOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * What a command gave: the same object that `--json` prints. docs/seash-json.md lists the members that each command adds.
 * `ok` is false when the command failed (then `error` says why) or failed for some vessels (then `failed` says which).
 */
export interface CommandResult {
  readonly command: string;
  readonly ok: boolean;
  readonly error?: ErrorFacts;
  readonly [fact: string]: unknown;
}

/** A command that is understood and ready to be carried out. */
export interface Plan {
  readonly command: Command;
  readonly words: readonly Word[];
  readonly identityName: string | undefined;
  readonly targetName: string | undefined;
  /** Its line in the source, from 1. */
  readonly line: number;
}

/** A session with the nodes: what `seash` is on the command line, for programs. */
export class Shell implements AsyncDisposable {
  readonly session: Session;

  /** @throws UsageError USAGE: the clearinghouse is no http or https URL */
  constructor(init: ShellInit = {}) {
    const { clearinghouse, directory = process.cwd(), ...rest } = init;
    const url = clearinghouse === undefined ? undefined : clearinghouseUrl(clearinghouse);
    this.session = new Session({ ...rest, directory, clearinghouse: url });
  }

  /**
   * Understands all commands of a script before the first one is carried out.
   * @throws UsageError UNKNOWN_COMMAND, USAGE, BAD_QUOTING; `details.line` says where
   */
  plan(source: string): Plan[] {
    return parseStatements(source).map(planOf);
  }

  /** Never throws: what went wrong is in the result. */
  async run(plan: Plan, options: ExecuteOptions = {}): Promise<CommandResult> {
    const { command, words, identityName, targetName } = plan;
    const { session } = this;
    try {
      if (identityName !== undefined) session.identity(identityName);
      if (targetName !== undefined) session.targets.resolve(targetName);
      const { signal = new AbortController().signal, onProgress = () => undefined } = options;
      const { ok, facts } = await command.run(
        new Context({ session, signal, onProgress, identityName, targetName }),
        words,
      );
      return { command: command.name, ok, ...facts };
    } catch (error) {
      return { command: command.name, ok: false, error: factsOf(error) };
    }
  }

  /** Carries out one line with one command. Never throws: what went wrong is in the result. */
  async execute(line: string, options: ExecuteOptions = {}): Promise<CommandResult> {
    try {
      const [plan, ...more] = this.plan(line);
      if (plan !== undefined && more.length === 0) return await this.run(plan, options);
      throw new UsageError('USAGE', `expected one command, got ${plan === undefined ? 'none' : more.length + 1}`);
    } catch (error) {
      return { command: '', ok: false, error: factsOf(error) };
    }
  }

  /** `alice@%all !> ` */
  get prompt(): string {
    const { identityName, targetName } = this.session;
    const who =
      identityName === undefined && targetName === undefined ? '' : `${identityName ?? ''}@${targetName ?? ''} `;
    return `${who}!> `;
  }

  /** Closes the connections; programs in vessels go on. */
  async stop(): Promise<void> {
    await this.session.connections.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function planOf({ words, line }: Statement): Plan {
  try {
    return { ...resolvePrefixes(words), line };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, error.message, { details: { line } });
  }
}

function resolvePrefixes(all: readonly Word[]): Omit<Plan, 'line'> {
  const named: Record<'identity' | 'target', string | undefined> = { identity: undefined, target: undefined };
  let words = all;
  for (;;) {
    const { command, rest } = findCommand(words);
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

/** @throws UsageError UNKNOWN_COMMAND */
function findCommand(words: readonly Word[]): { command: Command; rest: readonly Word[] } {
  const command = matchCommand(words);
  if (command !== undefined) return { command, rest: words.slice(command.name.split(' ').length) };
  const [first, second] = words.map(({ text }) => text);
  const topics = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(
    ({ name }) => name.split(' ')[1] ?? '',
  );
  if (first === undefined || topics.length === 0) {
    const names = COMMANDS.map(({ name }) => name.split(' ')[0] ?? '');
    throw new UsageError('UNKNOWN_COMMAND', `expected a command, got "${first}"${hintFor(first ?? '', names)}`);
  }
  const got = second === undefined ? 'nothing' : `"${second}"${hintFor(second, topics)}`;
  throw new UsageError('UNKNOWN_COMMAND', `expected "${first}" and one of ${topics.join(', ')}, got ${got}`);
}

/** The command whose name the words begin with, or undefined. */
export function matchCommand(words: readonly Word[]): Command | undefined {
  return COMMANDS.find(({ name }) => name.split(' ').every((part, index) => words[index]?.text === part));
}

function textOf(words: readonly Word[]): string {
  return words.map(({ text }) => text).join(' ');
}
