import { WorkerClient } from './asking.ts';
import type { CheckProblem } from './types.ts';

/** To the worker `checker.ts`. */
export interface CheckRequest {
  /** The name of the program, which is one of the files. */
  readonly entry: string;
  readonly files: Readonly<Record<string, string>>;
  /** Where the compiler is. */
  readonly compiler: string;
}

/** `broken`: why nothing is known. */
export type CheckAnswer = { readonly problems: readonly CheckProblem[] } | { readonly broken: string };

/** Checks the types of programs, in this browser; nothing is loaded before the first. */
export class Checker {
  readonly #worker: WorkerClient<CheckRequest, CheckAnswer>;
  readonly #compiler: string;

  /** @param scripts addresses of the worker and of the compiler */
  constructor({ worker, compiler }: { readonly worker: string; readonly compiler: string }) {
    this.#compiler = new URL(compiler, location.href).href;
    this.#worker = new WorkerClient<CheckRequest, CheckAnswer>({ url: worker, broken: (why) => ({ broken: why }) });
  }

  async check(entry: string, files: Readonly<Record<string, string>>): Promise<CheckAnswer> {
    return await this.#worker.ask({ entry, files, compiler: this.#compiler });
  }
}
