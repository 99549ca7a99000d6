import { lstatSync, readdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Directories in which a program that got out would probably be able to write. */
const COMMON = ['/', '/tmp', '/var/tmp', '/dev/shm', '/run', homedir(), tmpdir(), process.cwd()];

/** What is in some directories, to see later whether anything has changed there. */
export type Places = ReadonlyMap<string, string>;

/** @param passes which paths are looked at; what a node manager itself writes all the time is not. */
export function look(directories: readonly string[], passes: (path: string) => boolean): Places {
  const found = new Map<string, string>();
  const walk = (directory: string): void => {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (!passes(path)) continue;
      const stat = lstatSync(path, { throwIfNoEntry: false });
      // Gone since it was listed: what was there before is missed.
      if (stat === undefined) continue;
      found.set(path, `${stat.ino} ${stat.mode} ${stat.size} ${stat.mtimeMs}`);
      if (stat.isDirectory()) walk(path);
    }
  };
  for (const directory of directories) walk(directory);
  return found;
}

/** @returns a sentence for each path that is new, gone or changed. */
export function changes(before: Places, after: Places): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path} ${before.has(path) ? (after.has(path) ? 'changed' : 'is gone') : 'is new'}`);
}

/** @returns the files in the usual places whose names hold the mark. */
export function marked(mark: string): string[] {
  return [...new Set(COMMON)].flatMap((directory) => {
    try {
      return readdirSync(directory)
        .filter((name) => name.includes(mark))
        .map((name) => join(directory, name));
    } catch {
      return [];
    }
  });
}
