import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { hintFor, type Identity, type PublicJwk } from '@potluck/protocol';
import type { DirectoryAddress } from './address.ts';
import { Connections, type ConnectionsInit } from './connections.ts';
import type { DeployEvent } from './deploy/words.ts';
import { CommandError } from './errors.ts';
import type { FollowEvent } from './follow.ts';
import { Home } from './home.ts';
import { checkedIdentityName } from './keys.ts';
import type { Modules } from './modules.ts';
import type { Parsed } from './plan.ts';
import type { ProblemEvent } from './program.ts';
import type { Style } from './style.ts';
import { type Target, Targets } from './targets.ts';

export interface SessionInit extends ConnectionsInit {
  /** Where `browse` looks; undefined if none was named. */
  readonly clearinghouse?: URL | undefined;
  /** Which account there is meant, when one key is that of several. */
  readonly account?: string | undefined;
  /** Nodes that `browse` asks as well. */
  readonly directories?: readonly DirectoryAddress[];
  /** What relative file names are relative to. */
  readonly directory: string;
  /** How many nodes are asked at once. */
  readonly parallel?: number;
  readonly modules: Modules;
  /** Where it keeps what it remembers from one time to the next. */
  readonly home?: string | undefined;
}

/** What a shell remembers from command to command. */
export class Session {
  readonly clearinghouse: URL | undefined;
  readonly account: string | undefined;
  readonly directories: readonly DirectoryAddress[];
  readonly directory: string;
  readonly parallel: number;
  readonly modules: Modules;
  readonly home: Home | undefined;
  readonly identities = new Map<string, Identity>();
  readonly targets = new Targets();
  /** Of those whose private part is not known: they own and use vessels, and sign nothing. */
  readonly publicKeys = new Map<string, PublicJwk>();
  readonly variables = new Map<string, string>();
  readonly connections: Connections;
  /** The defaults that `as` and `on` set. */
  identityName: string | undefined;
  targetName: string | undefined;
  /** Whether each result says how its line was understood. */
  showparse = false;
  /** Whether the state is kept after each command. */
  autosave = false;
  /** The last command that failed on some vessels, for `retry`. */
  failed: Parsed | undefined;
  /** Set by `exit`. */
  done = false;

  constructor(init: SessionInit) {
    this.clearinghouse = init.clearinghouse;
    this.account = init.account;
    this.directories = init.directories ?? [];
    this.directory = init.directory;
    this.parallel = init.parallel ?? 32;
    this.modules = init.modules;
    this.home = init.home === undefined ? undefined : new Home(init.home);
    this.connections = new Connections(init);
  }

  /** A file's absolute path; `~/` is the user's home. */
  path(file: string): string {
    return resolve(
      this.directory,
      file.replace(/^~(?=\/|$)/, () => homedir()),
    );
  }

  /** Also makes it the default when there is none. @throws CommandError BAD_NAME */
  addIdentity(name: string, identity: Identity): void {
    this.identities.set(checkedIdentityName(name), identity);
    this.publicKeys.delete(name);
    this.identityName ??= name;
  }

  /** @throws CommandError UNKNOWN_IDENTITY */
  identity(name: string): Identity {
    const identity = this.identities.get(name);
    if (identity !== undefined) return identity;
    if (this.publicKeys.has(name)) {
      const message = `expected an identity that can sign, got ${name}, of which only the public key is loaded`;
      throw new CommandError('UNKNOWN_IDENTITY', `${message}: say "loadpriv ${name}"`);
    }
    const names = [...this.identities.keys()];
    const expected = names.length === 0 ? 'one that loadkeys or genkeys has loaded' : `one of ${names.join(', ')}`;
    throw new CommandError(
      'UNKNOWN_IDENTITY',
      `expected an identity, ${expected}, got "${name}"${hintFor(name, names)}`,
    );
  }
}

/** What a command says before its result. */
export type CommandEvent = FollowEvent | ProblemEvent | DeployEvent;

/** Asks a yes or no; the question's words may be painted. */
export type Confirm = (question: (style: Style) => string) => Promise<boolean>;

/** How far a command is that works on many vessels. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
}

export interface ContextInit {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly onEvent?: ((event: CommandEvent) => Promise<void>) | undefined;
  /** Asks whoever sits at the terminal; yes unless given. */
  readonly confirm?: Confirm | undefined;
  /** Names given by the prefixes `as` and `on`; they go before the session's. */
  readonly identityName: string | undefined;
  readonly targetName: string | undefined;
  /** What the groups that the command leaves begin with. */
  readonly leaves?: string | undefined;
  /** For programs, which have vessels and not a name for them. */
  readonly targets?: readonly Target[];
}

/** What one command sees while it runs. */
export class Context {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly #init: ContextInit;

  constructor(init: ContextInit) {
    this.session = init.session;
    this.signal = init.signal;
    this.onProgress = init.onProgress;
    this.#init = init;
  }

  get leaves(): string | undefined {
    return this.#init.leaves;
  }

  /** Says something while the command is carried out; returns when it may say more. */
  async tell(event: CommandEvent): Promise<void> {
    await this.#init.onEvent?.(event);
  }

  /** Asks before what cannot be taken back. */
  async confirm(question: (style: Style) => string): Promise<boolean> {
    return (await this.#init.confirm?.(question)) ?? true;
  }

  /** The same, but for what is given. */
  with(init: Partial<ContextInit>): Context {
    return new Context({ ...this.#init, ...init });
  }

  /** @throws CommandError NO_IDENTITY */
  get identityName(): string {
    const name = this.#init.identityName ?? this.session.identityName;
    if (name !== undefined) return name;
    throw new CommandError(
      'NO_IDENTITY',
      'expected an identity, got none: say "loadkeys NAME" or "genkeys NAME" first',
    );
  }

  /** @throws CommandError NO_IDENTITY, UNKNOWN_IDENTITY */
  get identity(): Identity {
    return this.session.identity(this.identityName);
  }

  /** What `on` or the default says, if either does. */
  get targetName(): string | undefined {
    return this.#init.targetName ?? this.session.targetName;
  }

  /**
   * The vessels that the command works on; at least one.
   * @param fallback the target where neither `on` nor the default says one; only for commands that change nothing.
   * @throws CommandError NO_TARGET, UNKNOWN_TARGET
   */
  vessels(fallback?: '%all'): Target[] {
    const { targets: given } = this.#init;
    if (given !== undefined) {
      if (given.length > 0) return [...given];
      throw new CommandError('NO_TARGET', 'expected at least one vessel, got none');
    }
    const name = this.targetName ?? fallback;
    if (name === undefined) {
      throw new CommandError('NO_TARGET', 'expected a target, got none: say "on TARGET" first, for example "on %all"');
    }
    const targets = this.session.targets.resolve(name);
    if (targets.length > 0) return targets;
    const remedy = name === '%all' ? ': say "browse" or "contact HOST:PORT" first' : '';
    throw new CommandError('NO_TARGET', `expected at least one vessel in ${name}, got none${remedy}`);
  }

  /** The group that `on` names. @throws CommandError NO_TARGET: it names none, or something else */
  get group(): string {
    const name = this.#init.targetName ?? this.session.targetName;
    if (name !== undefined && this.session.targets.groupNames.includes(name)) return name;
    const got = name === undefined ? 'none' : `"${name}"`;
    throw new CommandError('NO_TARGET', `expected a group to be named by "on", got ${got}: say "on GROUP" first`);
  }

  /** @throws CommandError NO_CLEARINGHOUSE */
  get clearinghouse(): URL {
    const url = this.session.clearinghouse;
    if (url !== undefined) return url;
    throw new CommandError(
      'NO_CLEARINGHOUSE',
      'expected a clearinghouse to ask, got none: start seash with --clearinghouse URL, or say "contact HOST:PORT"',
    );
  }
}
