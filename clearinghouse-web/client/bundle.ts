import { WorkerClient } from './asking.ts';

/** To the worker `bundler.ts`. */
export interface BundleRequest {
  /** The name of the program, which is one of the files. */
  readonly entry: string;
  readonly files: Readonly<Record<string, string>>;
  /** Where the bundler itself is. */
  readonly wasm: string;
}

/** Line from 1, column from 0, length in UTF-16 units; line 0 when no place is known. */
export interface BundleProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly message: string;
}

export type BundleAnswer = { readonly source: string } | { readonly problems: readonly BundleProblem[] };

/** Makes one file of a program, in this browser and by the bundler that the shell has, so that the site has no say in it. */
export class Bundler {
  readonly #worker: WorkerClient<BundleRequest, BundleAnswer>;
  readonly #wasm: string;

  /** @param scripts addresses of the worker and of the bundler; nothing is loaded before the first program. */
  constructor({ worker, wasm }: { readonly worker: string; readonly wasm: string }) {
    this.#wasm = new URL(wasm, location.href).href;
    this.#worker = new WorkerClient<BundleRequest, BundleAnswer>({
      url: worker,
      broken: (why) => ({ problems: [nowhere(why)] }),
    });
  }

  async bundle(entry: string, files: Readonly<Record<string, string>>): Promise<BundleAnswer> {
    return await this.#worker.ask({ entry, files, wasm: this.#wasm });
  }
}

function nowhere(why: string): BundleProblem {
  return { file: '', line: 0, column: 0, length: 0, message: `expected the bundler to start, got: ${why}` };
}
