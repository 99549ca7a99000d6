import { basename, dirname, resolve } from 'node:path';
import type { BuildFailure, BuildResult, Plugin } from 'esbuild';
import { bundleProgram } from './bundler.ts';
import { ProgramError } from './errors.ts';
import { bundling, type Entry, partsOnly } from './parts.ts';
import { type Problem, problemOf } from './problem.ts';
import { Uses } from './uses.ts';

/** What is known of a program without running it. */
export interface CheckedProgram {
  /** Of the program's own file first, each file by place; no errors among them when it can be started. */
  readonly problems: readonly Problem[];
  /** Absolute paths of all that was looked at. */
  readonly files: readonly string[];
}

/** In how many files of a program at most broken syntax is gone around, to find what is wrong in the others. */
const MOST_BROKEN = 20;

/**
 * Looks for all that would keep a program from running: syntax, imports, and names that no vessel has. What a program
 * makes of texts while it runs cannot be seen before.
 */
export async function checkProgram(path: string): Promise<CheckedProgram> {
  const files = new Set<string>();
  const found: Problem[] = [];
  try {
    for (const file of (await bundleProgram(path)).files) files.add(file);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    for (const file of error.files) files.add(file);
    const whole = { severity: 'error', file: path, line: 0, column: 0, length: 0, lineText: '' } as const;
    found.push(...(error.problems.length > 0 ? error.problems : [{ ...whole, message: error.message }]));
    if (error.code === 'PROGRAM_MISSING') return { problems: found, files: [...files] };
  }
  const file = resolve(path);
  found.push(...(await usesIn({ file, path, name: 'program.js' }, files)));
  return { problems: sorted(found, basename(file)), files: [...files] };
}

/** The program's own file first, then its parts. */
function sorted(problems: readonly Problem[], first: string): Problem[] {
  const order = [...new Set([first, ...problems.map(({ file }) => file)])];
  return problems.toSorted(
    (a, b) => order.indexOf(a.file) - order.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

/** Bundles what can be bundled, and looks at the uses of names in it. */
async function usesIn(entry: Entry, files: Set<string>): Promise<Problem[]> {
  const uses = new Uses();
  const broken = new Set<string>();
  for (let round = 0; round < MOST_BROKEN; round++) {
    try {
      const { outputFiles = [], warnings } = await tolerantBuild(entry, { uses, broken, files });
      const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
      const warned = warnings.map((message) => problemOf(message, entry.path, 'warning'));
      return [...uses.find(textOf('.js'), textOf('.map')), ...warned];
    } catch (error) {
      const before = broken.size;
      for (const { location } of (error as BuildFailure).errors ?? []) {
        if (location !== null) broken.add(resolve(dirname(entry.file), location.file));
      }
      if (broken.size === before) return [];
    }
  }
  return [];
}

interface Looks {
  readonly uses: Uses;
  /** Files that do not parse. */
  readonly broken: ReadonlySet<string>;
  readonly files: Set<string>;
}

async function tolerantBuild(entry: Entry, { uses, broken, files }: Looks): Promise<BuildResult> {
  const esbuild = await import('esbuild');
  return await esbuild.build({
    ...bundling(entry),
    sourcemap: 'external',
    treeShaking: false,
    define: uses.define,
    // So that an import of what is not known before leaves a mark.
    supported: { 'dynamic-import': false },
    plugins: [outside, without(broken), await partsOnly(entry, files, () => EMPTY)],
  });
}

/** Whatever is imported from it is there. */
const EMPTY = { contents: 'module.exports = {};', loader: 'js' } as const;
const INNER = 'resolving';

/** What is no part of the program, or missing, stays outside: `bundleProgram` has said so. */
const outside: Plugin = {
  name: 'outside',
  setup(build) {
    build.onResolve({ filter: /.*/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === INNER) return undefined;
      if (!/^\.\.?\//.test(path)) return { path, external: true };
      const found = await build.resolve(path, { kind, resolveDir, pluginData: INNER });
      return found.errors.length === 0 ? undefined : { path, external: true };
    });
  },
};

function without(broken: ReadonlySet<string>): Plugin {
  return {
    name: 'without',
    setup(build) {
      build.onLoad({ filter: /.*/ }, ({ path }) => (broken.has(path) ? EMPTY : undefined));
    },
  };
}
