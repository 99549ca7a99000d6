import { realpath } from 'node:fs/promises';
import { basename, dirname, extname, resolve, sep } from 'node:path';
import type { BuildOptions, OnLoadResult, Plugin } from 'esbuild';

/** A program that is to become one file. */
export interface Entry {
  /** Absolute. */
  readonly file: string;
  /** As its author named it. */
  readonly path: string;
  /** Of the bundle. */
  readonly name: string;
}

/** How the bundler is asked, whatever for. */
export function bundling({ file, name }: Entry) {
  return {
    entryPoints: [file],
    absWorkingDir: dirname(file),
    outfile: resolve(dirname(file), name),
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'esnext',
    sourcemap: 'inline',
    sourcesContent: true,
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    loader: { ...CODE_LOADERS, ...DATA_LOADERS },
  } as const satisfies BuildOptions;
}

const CODE_LOADERS = { '.js': 'js', '.mjs': 'js', '.ts': 'ts', '.mts': 'ts' } as const;
/** Also the `type` that an import of such a file may ask for. */
const DATA_LOADERS = { '.json': 'json', '.txt': 'text' } as const;

/** A vessel has no modules: only what lies beside the program can be inlined. */
export const relativeOnly: Plugin = {
  name: 'relative-only',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (kind === 'entry-point' || /^\.\.?\//.test(path)) return undefined;
      const what = path.startsWith('node:') ? 'a module of Node' : 'a package or an absolute path';
      const text = `expected an import of a file beside the program such as "./part.js", got ${what}: "${path}"`;
      return { errors: [{ text }] };
    });
  },
};

/**
 * What is bundled leaves this machine for strangers' ones. So an import takes in nothing but code, and data of the
 * program's own folder: never the author's key, whatever a program that somebody else wrote asks for.
 * The program itself is where links lead to.
 * @param files is filled with what is looked at @param refuse what becomes of all else
 */
export async function partsOnly(
  { file }: Entry,
  files: Set<string>,
  refuse: (path: string) => OnLoadResult = refusal,
): Promise<Plugin> {
  const entry = await realpath(file);
  const folder = `${dirname(entry)}${sep}`;
  const isPart = (path: string, asked: Readonly<Record<string, string>>): boolean => {
    const extension = extname(path);
    if (path === entry || Object.hasOwn(CODE_LOADERS, extension)) return Object.keys(asked).length === 0;
    const type = new Map<string, string>(Object.entries(DATA_LOADERS)).get(extension);
    return type !== undefined && path.startsWith(folder) && Object.values(asked).every((value) => value === type);
  };
  return {
    name: 'parts-only',
    setup(build) {
      build.onLoad({ filter: /.*/ }, ({ path, with: asked }) => {
        files.add(path);
        if (isPart(path, asked)) return undefined;
        return refuse(path);
      });
    },
  };
}

function refusal(path: string): OnLoadResult {
  const code = Object.keys(CODE_LOADERS).join(' ');
  const data = Object.keys(DATA_LOADERS).join(' ');
  const text = `expected an import of code (${code}) or of data (${data}) in the program's folder, got "${basename(path)}"`;
  return { errors: [{ text }] };
}
