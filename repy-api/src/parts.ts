import { realpath } from 'node:fs/promises';
import { basename, dirname, extname, resolve, sep } from 'node:path';
import type { BuildOptions, OnLoadResult, Plugin } from 'esbuild';
import { BUNDLING, CODE_LOADERS, DATA_LOADERS } from './bundling.ts';

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
    ...BUNDLING,
    loader: { ...CODE_LOADERS, ...DATA_LOADERS },
  } as const satisfies BuildOptions;
}

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
