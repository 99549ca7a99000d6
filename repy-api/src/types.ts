import { fileURLToPath } from 'node:url';

/** @returns the path of `repy.d.ts`: the types of all that a program may call. */
export function typesFile(): string {
  return fileURLToPath(new URL('../repy.d.ts', import.meta.url));
}
