import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository. */
export const root = dirname(dirname(import.meta.dirname));

export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
}

export function manifestOf(room: string): Manifest {
  return JSON.parse(readText(join(room, 'package.json')));
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every workspace, by the name of its folder. */
export const ROOMS = [
  'protocol',
  'clearinghouse',
  'repy-api',
  'vessel-runtime',
  'nodemanager',
  'clearinghouse-web',
  'seash',
  'installer',
  'examples',
  'bench',
  'docs',
  'test',
] as const;

/** Paths below the repository that match, sorted; what is installed or made by a run is never among them. */
export function filesOf(...patterns: string[]): string[] {
  return globSync(patterns, {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|\.potluck|coverage|test-results|playwright-report)$/.test(path),
  }).sort();
}

/** Our own TypeScript: programs, libraries and tests. */
export function sourceFiles(): string[] {
  return filesOf('{bench,examples,test}/**/*.ts', '*/{src,bin,client,test}/**/*.ts').filter(
    (path, index, all) => !path.endsWith('.d.ts') && all.indexOf(path) === index,
  );
}

/** What a TypeScript file imports, by the text between the quotes. */
export function importsOf(path: string): string[] {
  const matches = readText(path).matchAll(
    /(?:^|[\s;}])(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  );
  return [...matches].map((match) => match[1] ?? match[2] ?? '');
}
