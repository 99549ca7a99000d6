import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** An editor writes a file in several steps: they are one change. */
const QUIET_MS = 50;

/** Tells when files change. Folders are watched, because editors put a new file in the place of the old one. */
export class Changes implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  #files: ReadonlySet<string> = new Set();
  /** Whether any file of the folders counts: what was missing may come. */
  #all = false;
  #changed: string | undefined;
  #wake = (): void => {};

  /** @param files absolute paths. @param all also others in their folders */
  follow(files: readonly string[], all: boolean): void {
    this.#files = new Set(files);
    this.#all = all;
    const folders = new Set(files.map((file) => dirname(file)));
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
  }

  /** Waits for a change since the last one that was told. @returns the path. @throws the signal's reason */
  async next(signal: AbortSignal): Promise<string> {
    while (this.#changed === undefined) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      signal.addEventListener('abort', this.#wake, { once: true });
      await promise;
      signal.removeEventListener('abort', this.#wake);
    }
    await wait(QUIET_MS);
    const path = this.#changed;
    this.#changed = undefined;
    return path;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, (_, name) => {
        const path = name === null ? folder : join(folder, name);
        if (!this.#all && name !== null && !this.#files.has(path)) return;
        if (this.#changed === undefined || this.#files.has(path)) this.#changed = path;
        this.#wake();
      });
      // A folder that goes away is missed when the program is bundled again.
      watcher.on('error', () => watcher.close());
      this.#watchers.set(folder, watcher);
    } catch {
      // It is not there: as above.
    }
  }
}
