import { CommandError, factsOf } from '../errors.ts';
import type { Context } from '../session.ts';
import type { Declared } from './declared.ts';
import { type Deployer, type Outcome, pause } from './deployer.ts';

export interface WatchInit {
  readonly context: Context;
  readonly declared: Declared;
  /** What `apply` has come to. */
  readonly outcome: Outcome;
  /** Reads the declaration again. @param check whether to look for mistakes in the program, of types too */
  readonly load: (check: boolean) => Promise<Declared>;
}

/** Between two looks while something is under way. */
const BUSY_MS = 500;

/** Keeps a deployment as it is declared, until the context's signal; then it returns what was so at last. */
export async function watch(deployer: Deployer, init: WatchInit): Promise<[Declared, Outcome]> {
  const watcher = new Watcher(deployer, init);
  try {
    await watcher.run();
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 'CANCELLED') throw error;
  }
  return [watcher.declared, watcher.outcome];
}

class Watcher {
  declared: Declared;
  outcome: Outcome;
  readonly #deployer: Deployer;
  readonly #init: WatchInit;
  #said = '';

  constructor(deployer: Deployer, init: WatchInit) {
    this.#deployer = deployer;
    this.#init = init;
    this.declared = init.declared;
    this.outcome = init.outcome;
  }

  /** Ends by the signal alone. */
  async run(): Promise<never> {
    const { context } = this.#init;
    await this.#say(this.outcome.failed);
    for (;;) {
      const { every } = this.declared;
      await pause(every, context.signal);
      while (await this.#tick()) await pause(Math.min(every, BUSY_MS), context.signal);
    }
  }

  /** @returns whether there is more to do soon. */
  async #tick(): Promise<boolean> {
    const trouble: Outcome['failed'] = [];
    try {
      await this.#reload(trouble);
      const { outcome, busy } = await this.#deployer.tend(this.declared);
      this.outcome = outcome;
      await this.#say([...trouble, ...outcome.failed]);
      return busy;
    } catch (error) {
      if (error instanceof CommandError && error.code === 'CANCELLED') throw error;
      await this.#say([...trouble, { ...factsOf(error), affected: [this.declared.name] }]);
      return false;
    }
  }

  /** What cannot be read is not carried out: the last declaration stands. */
  async #reload(trouble: Outcome['failed']): Promise<void> {
    try {
      const read = await this.#init.load(false);
      const next = read.version === this.declared.version ? read : await this.#init.load(true);
      if (next.name !== this.declared.name) {
        throw new CommandError(
          'DEPLOYMENT_BROKEN',
          `expected the name ${this.declared.name} to stay, got ${next.name}`,
        );
      }
      this.declared = next;
    } catch (error) {
      trouble.push({ ...factsOf(error), affected: [this.declared.name] });
    }
  }

  /** What is wrong, once, and again when it is something else. */
  async #say(failed: Outcome['failed']): Promise<void> {
    const now = JSON.stringify(failed);
    if (now === this.#said) return;
    const isOver = failed.length === 0 && this.#said !== '' && this.#said !== '[]';
    this.#said = now;
    if (failed.length === 0 && !isOver) return;
    await this.#init.context.tell({ event: 'trouble', failed });
  }
}
