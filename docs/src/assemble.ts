import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The subjects of `repy.d.ts` in its order: each is a file of `repy-api/types`. */
const SUBJECTS = [
  'program',
  'messages',
  'connections',
  'files',
  'time',
  'tasks',
  'resources',
  'namespaces',
  'layers',
  'errors',
  'web',
  'urls',
];

const HEADER = `// Made of types/*.d.ts by \`npm run docs\`: change those.

/**
 * The Repy API: everything that a program in a vessel may call beside the language itself, for editors and type checkers.
 * In a program's folder: \`/// <reference path="../repy-api/repy.d.ts" />\`, or name this file in \`include\` of a
 * tsconfig.json. docs/repy-api.md has the same for reading.
 *
 * In the examples 198.51.100.7 is another node, on which a program sends back each message that comes to port 54321 and
 * all that comes over a connection to port 63100. \`// logs:\` says what is in the log after it.
 */
`;

/** @returns the text of `repy.d.ts`. A file of `repy-api/types` that is no subject is put at the end, so that none is lost. */
export function assembleTypes(root: string): string {
  const folder = join(root, 'repy-api/types');
  const present = readdirSync(folder).map((name) => name.replace(/\.d\.ts$/, ''));
  const others = present.filter((name) => !SUBJECTS.includes(name)).sort();
  const names = [...SUBJECTS.filter((name) => present.includes(name)), ...others];
  return [HEADER, ...names.map((name) => readFileSync(join(folder, `${name}.d.ts`), 'utf8'))].join('\n');
}
