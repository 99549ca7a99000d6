import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleTypes } from './assemble.ts';

/** @returns every file that is made of others, by its path below the repository `root`, with the text that it should have. */
export function generatedFiles(root: string): ReadonlyMap<string, string> {
  return new Map([['repy-api/repy.d.ts', assembleTypes(root)]]);
}

/** Writes them all. */
export function writeGenerated(root: string): void {
  for (const [path, text] of generatedFiles(root)) writeFileSync(join(root, path), text);
}
