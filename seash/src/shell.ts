import { parseDirectory } from './address.ts';
import { clearinghouseUrl } from './clearinghouse.ts';
import { MODULES, OWN } from './commands/table.ts';
import type { ConnectionsInit } from './connections.ts';
import { type ErrorFacts, factsOf, UsageError } from './errors.ts';
import { type Module, Modules } from './modules.ts';
import { type Parsed, type Plan, parse, parsedText, planOf } from './plan.ts';
import { again, remember } from './retry.ts';
import { type CommandEvent, type Confirm, Context, type Progress, Session } from './session.ts';
import { Autosave } from './state.ts';
import { parseStatements } from './words.ts';

export interface ShellInit extends ConnectionsInit {
  /** An http or https URL; where `browse` looks. */
  readonly clearinghouse?: string | undefined;
  /** The name of the account at the clearinghouse; needed when several have the identity's key. */
  readonly account?: string | undefined;
  /** Nodes that `browse` asks as well: `HOST:PORT` or `KEY@HOST:PORT`. */
  readonly directories?: readonly string[];
  /** What relative file names are relative to; the process's own directory unless given. */
  readonly directory?: string;
  /** How many nodes are asked at once; 32 unless given. */
  readonly parallel?: number;
  /** Modules beside the shell's own. */
  readonly modules?: readonly Module[];
  /** Where the shell keeps what it remembers from one time to the next; nothing is remembered unless given. */
  readonly home?: string | undefined;
}

export interface ExecuteOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Lines of logs that are followed, problems of a program; the command goes on when it returns. */
  readonly onEvent?: (event: SaidEvent) => Promise<void>;
  /** Asked before what cannot be taken back; unless given, the answer is yes. */
  readonly confirm?: Confirm | undefined;
}

/** What a command says before its result; docs/seash-json.md lists the kinds. */
export type SaidEvent = { readonly command: string } & CommandEvent;

/**
 * What a command gave: the same object that `--json` prints. docs/seash-json.md lists the members that each command adds.
 * `ok` is false when the command failed (then `error` says why) or failed for some vessels (then `failed` says which).
 */
export interface CommandResult {
  readonly command: string;
  readonly ok: boolean;
  readonly error?: ErrorFacts;
  /** How the line was understood, after `set showparse on`. */
  readonly parsed?: string;
  /** What went wrong beside the command. */
  readonly warning?: string;
  readonly [fact: string]: unknown;
}

/** A session with the nodes: what `seash` is on the command line, for programs. */
export class Shell implements AsyncDisposable {
  readonly session: Session;
  readonly #autosave: Autosave;

  /** @throws UsageError USAGE: the clearinghouse is no http or https URL, or a directory no address */
  constructor(init: ShellInit = {}) {
    const { clearinghouse, directories = [], directory = process.cwd(), modules = [], ...rest } = init;
    const url = clearinghouse === undefined ? undefined : clearinghouseUrl(clearinghouse);
    const commands = new Modules(OWN, [...MODULES, ...modules]);
    const nodes = directories.map(parseDirectory);
    this.session = new Session({ ...rest, directory, clearinghouse: url, directories: nodes, modules: commands });
    this.#autosave = new Autosave(this.session);
  }

  /** Reads what the shell remembers. @throws CommandError FILE_BROKEN */
  async start(): Promise<void> {
    await this.session.home?.restore(this.session.modules);
  }

  /**
   * Understands all commands of a script before the first one is carried out.
   * @throws UsageError UNKNOWN_COMMAND, USAGE, BAD_QUOTING; `details.line` says where
   */
  plan(source: string): Plan[] {
    return parseStatements(source).map((statement) => planOf(statement, this.session.modules));
  }

  /** Never throws: what went wrong is in the result. */
  async run(plan: Plan, options: ExecuteOptions = {}): Promise<CommandResult> {
    const result = await this.#attempt(plan, options);
    try {
      await this.#autosave.keep();
      return result;
    } catch (error) {
      this.session.autosave = false;
      return { ...result, warning: `autosave is off now: ${factsOf(error).message}` };
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

  async #attempt({ statement }: Plan, options: ExecuteOptions): Promise<CommandResult> {
    let parsed: Parsed | undefined;
    try {
      parsed = this.#parse(statement.words);
      parsed = again(parsed, this.session);
      return { command: parsed.command.name, ...(await this.#carryOut(parsed, options)) };
    } catch (error) {
      return { command: parsed?.command.name ?? '', ok: false, error: factsOf(error) };
    }
  }

  /** Once more, and with what modules make of it: what came before may have changed what the words mean. */
  #parse(words: Plan['statement']['words']): Parsed {
    const { session } = this;
    const { modules } = session;
    const parsed = parse(modules.preprocessor?.rewrite(words, session) ?? words, modules);
    modules.checkEnabled(parsed.command);
    return parsed;
  }

  async #carryOut(parsed: Parsed, options: ExecuteOptions): Promise<{ ok: boolean }> {
    const { session } = this;
    const { command, words, identityName, targetName } = parsed;
    if (identityName !== undefined) session.identity(identityName);
    if (targetName !== undefined) session.targets.resolve(targetName);
    const { signal = new AbortController().signal, onProgress = () => undefined, onEvent, confirm } = options;
    const told = async (event: CommandEvent): Promise<void> => await onEvent?.({ command: command.name, ...event });
    const context = new Context({
      session,
      signal,
      onProgress,
      onEvent: told,
      confirm,
      identityName,
      targetName,
      leaves: command.leaves,
    });
    const shown = session.showparse ? { parsed: parsedText(parsed, session) } : {};
    const { ok, facts } = await command.run(context, words);
    remember(session, parsed);
    return { ok, ...shown, ...facts };
  }
}
