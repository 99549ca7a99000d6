import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleTypes } from './assemble.ts';
import { makeOperations } from './client.ts';
import { makeEditorApi, makeExamples } from './editor.ts';
import { makePage } from './page.ts';

/** @returns every file that is made of others, by its path below the repository `root`, with the text that it should have. */
export function generatedFiles(root: string): ReadonlyMap<string, string> {
  const types = assembleTypes(root);
  return new Map([
    ['repy-api/repy.d.ts', types],
    ['docs/repy-api.md', makePage(types)],
    ['clearinghouse/src/operations.ts', makeOperations()],
    ['clearinghouse-web/client/data/repy-api.json', makeEditorApi(types)],
    ['clearinghouse-web/client/data/examples.json', makeExamples(root)],
  ]);
}

/** Writes them all. */
export function writeGenerated(root: string): void {
  for (const [path, text] of generatedFiles(root)) writeFileSync(join(root, path), text);
}
