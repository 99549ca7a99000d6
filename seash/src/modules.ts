import { hintFor } from '@potluck/protocol';
import type { Command } from './command.ts';
import { CommandError } from './errors.ts';
import type { Session } from './session.ts';
import { enumerate } from './style.ts';
import type { Word } from './words.ts';

/** Rewrites lines before they are understood. */
export interface Preprocessor {
  /** What it looks for, in conflicts: `"$" in lines`. */
  readonly sign: string;
  /** Whether it would change these words; then they are understood only when their turn comes. */
  applies(words: readonly Word[]): boolean;
  /** @throws CommandError */
  rewrite(words: readonly Word[], session: Session): Word[];
}

/** Commands that are switched on and off together. */
export interface Module {
  /** Lower-case letters, digits and `-`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What `modulehelp` says beside the commands. */
  readonly help: string;
  readonly commands: readonly Command[];
  readonly preprocessor?: Preprocessor;
}

/** The commands of a shell: its own, and those of the modules that are enabled. */
export class Modules {
  readonly #own: readonly Command[];
  readonly #all: ReadonlyMap<string, Module>;
  readonly #enabled = new Set<Module>();

  /** All are enabled that are in no conflict with those before them. */
  constructor(own: readonly Command[], modules: readonly Module[]) {
    this.#own = own;
    this.#all = new Map(modules.map((module) => [module.name, module]));
    for (const module of this.#all.values()) if (this.#conflictsOf(module).length === 0) this.#enabled.add(module);
  }

  /** The enabled ones and the others. */
  get all(): Module[] {
    return [...this.#all.values()];
  }

  get enabled(): Module[] {
    return this.all.filter((module) => this.#enabled.has(module));
  }

  /** What can be carried out now. */
  get commands(): Command[] {
    return [...this.#own, ...this.enabled.flatMap(({ commands }) => commands)];
  }

  /** Also the commands of modules that are not enabled, last. */
  get known(): Command[] {
    const others = this.all.filter((module) => !this.#enabled.has(module));
    return [...this.commands, ...others.flatMap(({ commands }) => commands)];
  }

  get preprocessor(): Preprocessor | undefined {
    return this.enabled.find(({ preprocessor }) => preprocessor !== undefined)?.preprocessor;
  }

  /** @throws CommandError UNKNOWN_MODULE */
  named(name: string): Module {
    const module = this.#all.get(name);
    if (module !== undefined) return module;
    const names = [...this.#all.keys()];
    throw new CommandError(
      'UNKNOWN_MODULE',
      `expected a module, one of ${names.join(', ')}, got "${name}"${hintFor(name, names)}`,
    );
  }

  /** @throws CommandError UNKNOWN_MODULE, MODULE_STATE, MODULE_CONFLICT: its list names each command and whose it is */
  enable(name: string): Module {
    const module = this.named(name);
    if (this.#enabled.has(module)) {
      throw new CommandError(
        'MODULE_STATE',
        `expected a module that is disabled, got ${name}, which is enabled already`,
      );
    }
    const conflicts = this.#conflictsOf(module);
    if (conflicts.length > 0) {
      const list = enumerate(conflicts.map(({ what, whose }) => `${what} (of ${whose})`));
      const others = [...new Set(conflicts.flatMap(({ other }) => other?.name ?? []))];
      const remedy = others.length === 0 ? '' : `: say "${others.map((other) => `disable ${other}`).join('; ')}" first`;
      throw new CommandError(
        'MODULE_CONFLICT',
        `expected a module that brings nothing twice, got ${name} with ${list}${remedy}`,
      );
    }
    this.#enabled.add(module);
    return module;
  }

  /** @throws CommandError UNKNOWN_MODULE, MODULE_STATE */
  disable(name: string): Module {
    const module = this.named(name);
    if (this.#enabled.delete(module)) return module;
    throw new CommandError('MODULE_STATE', `expected a module that is enabled, got ${name}, which is disabled already`);
  }

  /** @throws CommandError MODULE_DISABLED */
  checkEnabled(command: Command): void {
    if (this.commands.includes(command)) return;
    const names = this.all.filter(({ commands }) => commands.includes(command)).map(({ name }) => name);
    throw new CommandError(
      'MODULE_DISABLED',
      `expected a command of an enabled module, got "${command.name}" of ${names[0]}, which is disabled: say "enable ${names[0]}" first`,
    );
  }

  #conflictsOf(module: Module): { what: string; whose: string; other?: Module }[] {
    const names = new Set(module.commands.map(({ name }) => name));
    const own = this.#own
      .filter(({ name }) => names.has(name))
      .map(({ name }) => ({ what: `"${name}"`, whose: 'the shell' }));
    const theirs = this.enabled.flatMap((other) => {
      const shared = other.commands.filter(({ name }) => names.has(name)).map(({ name }) => `"${name}"`);
      const signs = module.preprocessor && other.preprocessor ? [other.preprocessor.sign] : [];
      return [...shared, ...signs].map((what) => ({ what, whose: other.name, other }));
    });
    return [...own, ...theirs];
  }
}
