import { styleText } from 'node:util';
import { describeError } from '@potluck/protocol';
import { DemoError } from './errors.ts';

export interface Step {
  readonly title: string;
  readonly seconds: number;
}

/** Says what happens, one line a step, and how long each took. */
export class Narrator {
  readonly #total: number;
  readonly #signal: AbortSignal;
  readonly #steps: Step[] = [];

  constructor(total: number, signal: AbortSignal) {
    this.#total = total;
    this.#signal = signal;
  }

  /**
   * Runs one step and prints its line when it is done; a few words returned by the step stand behind the title.
   * @throws the step's error, named after the step
   */
  async step<T>(title: string, run: () => Promise<T>, say: (result: T) => string = () => ''): Promise<T> {
    const number = `${this.#steps.length + 1}`.padStart(2);
    const startedAt = performance.now();
    try {
      this.#signal.throwIfAborted();
      const result = await run();
      const seconds = (performance.now() - startedAt) / 1000;
      this.#steps.push({ title, seconds });
      const words = say(result);
      const detail = words === '' ? '' : `: ${words}`;
      console.log(`[${number}/${this.#total}] ${title}${detail} ${styleText('dim', `(${seconds.toFixed(1)} s)`)}`);
      return result;
    } catch (cause) {
      if (this.#signal.aborted) throw new DemoError('INTERRUPTED', `stopped at step ${number.trim()}, "${title}"`);
      const why = describeError(cause);
      throw new DemoError('PROGRAM_FAILED', `step ${number.trim()}, "${title}", failed: ${why}`);
    }
  }

  get totalSeconds(): number {
    return this.#steps.reduce((sum, { seconds }) => sum + seconds, 0);
  }
}
