/** To and from the worker `bundler.ts`. */
export interface BundleRequest {
  readonly id: number;
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

export type BundleAnswer =
  | { readonly id: number; readonly source: string }
  | { readonly id: number; readonly problems: readonly BundleProblem[] };

/** Makes one file of a program, in this browser and by the bundler that the shell has, so that the site has no say in it. */
export class Bundler {
  readonly #scripts: { readonly worker: string; readonly wasm: string };
  #worker: Worker | undefined;
  #last = 0;
  readonly #waiting = new Map<number, (answer: BundleAnswer) => void>();

  /** @param scripts addresses of the worker and of the bundler; nothing is loaded before the first program. */
  constructor(scripts: { readonly worker: string; readonly wasm: string }) {
    this.#scripts = scripts;
  }

  async bundle(entry: string, files: Readonly<Record<string, string>>): Promise<BundleAnswer> {
    const worker = this.#worker ?? this.#start();
    this.#last += 1;
    const id = this.#last;
    const wasm = new URL(this.#scripts.wasm, location.href).href;
    const answered = new Promise<BundleAnswer>((resolve) => this.#waiting.set(id, resolve));
    worker.postMessage({ id, entry, files, wasm } satisfies BundleRequest);
    return await answered;
  }

  #start(): Worker {
    const worker = new Worker(this.#scripts.worker, { type: 'module' });
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<BundleAnswer>) => {
      this.#waiting.get(data.id)?.(data);
      this.#waiting.delete(data.id);
    });
    worker.addEventListener('error', ({ message }) => {
      const problems = [
        { file: '', line: 0, column: 0, length: 0, message: `expected the bundler to start, got: ${message}` },
      ];
      for (const [id, answer] of this.#waiting) answer({ id, problems });
      this.#waiting.clear();
      this.#worker = undefined;
    });
    return worker;
  }
}
