import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { access, mkdir, readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { VesselError } from './errors.ts';
import { KEPT_DIRECTORY, kept, type Made, writeAtomically } from './kept.ts';

/** What a vessel process is made of; absolute paths without symbolic links, as the permission model wants them. */
export interface RuntimeFiles {
  /** One bundled ES module. */
  readonly entry: string;
  /** isolated-vm's binary part. */
  readonly native: string;
}

/** The names that `prebuiltRuntime` looks for; whoever packs a payload writes these. */
export const PREBUILT_NAMES = { entry: 'vessel.mjs', native: 'isolated-vm.node' } as const;

/**
 * Bundles the vessel process into `directory`, under a name that holds its hash; a file of that name is used as it is.
 * @throws VesselError RUNTIME_BROKEN, RUNTIME_MISSING
 */
export async function runtimeFiles(directory: string): Promise<RuntimeFiles> {
  const text = await vesselText();
  await mkdir(directory, { recursive: true });
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const entry = join(await realpath(directory), `vessel-${hash}.mjs`);
  const present = await access(entry).then(
    () => true,
    () => false,
  );
  if (!present) await writeAtomically(entry, text);
  return { entry, native: nativePath() };
}

/**
 * The same files, made beforehand: what an installed node manager runs, where there is no bundler.
 * @throws VesselError RUNTIME_MISSING
 */
export function prebuiltRuntime(directory: string): RuntimeFiles {
  return {
    entry: present(join(directory, PREBUILT_NAMES.entry)),
    native: present(join(directory, PREBUILT_NAMES.native)),
  };
}

/**
 * @returns the text of the vessel process: one ES module for this Node, which imports nothing but `node:` modules. It is
 * bundled when one of its sources has changed: bundling takes longer than all else of a node manager's start.
 * @throws VesselError RUNTIME_BROKEN
 */
async function vesselText(): Promise<string> {
  return await kept(join(KEPT_DIRECTORY, 'vessel.json'), bundleVessel);
}

async function bundleVessel(): Promise<Made> {
  // Both imports are late: an installed node manager has neither the bundler nor a need for it.
  const [{ build }, { preludeSource }] = await Promise.all([import('esbuild'), import('@potluck/repy-api')]);
  const files = new Set([import.meta.filename, createRequire(import.meta.url).resolve('esbuild/package.json')]);
  const prelude = await preludeSource(files);
  const result = await build({
    entryPoints: ['process/main.ts'],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    logLevel: 'silent',
    legalComments: 'none',
    plugins: [preludeAsText(prelude), sparingZod],
  }).catch((cause: unknown) => {
    throw new VesselError('RUNTIME_BROKEN', 'expected the vessel process to bundle, it did not', { cause });
  });
  for (const path of Object.keys(result.metafile.inputs)) {
    if (!path.startsWith('prelude:')) files.add(resolve(import.meta.dirname, path));
  }
  const text = result.outputFiles[0]?.text;
  if (text === undefined)
    throw new VesselError('RUNTIME_BROKEN', 'expected one bundle of the vessel process, got none');
  return { text, files: [...files] };
}

/** `import prelude from 'potluck:prelude'` gives the code inside the isolate as text. */
function preludeAsText(prelude: string): Plugin {
  return {
    name: 'prelude',
    setup(bundler) {
      bundler.onResolve({ filter: /^potluck:prelude$/ }, ({ path }) => ({ path, namespace: 'prelude' }));
      bundler.onLoad({ filter: /.*/, namespace: 'prelude' }, () => ({ contents: prelude, loader: 'text' }));
    },
  };
}

/**
 * The bundler drops unused parts of a module imported as `*` but not of zod's own namespace object `z`. The difference
 * is 7 MiB and 25 ms in each vessel process.
 */
const sparingZod: Plugin = {
  name: 'sparing-zod',
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/](protocol|vessel-runtime)[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace("import { z } from 'zod';", "import * as z from 'zod';"), loader: 'ts' };
    });
  },
};

/**
 * @returns isolated-vm's binary for this Node and this machine. It is found, never loaded: this process must not hold
 * a second engine instance.
 * @throws VesselError RUNTIME_MISSING
 */
export function nativePath(): string {
  const require = createRequire(import.meta.url);
  try {
    const find: { path(directory: string): string } = require('node-gyp-build');
    return realpathSync(find.path(dirname(require.resolve('isolated-vm/package.json'))));
  } catch (cause) {
    const machine = `${process.platform}-${process.arch}`;
    throw new VesselError('RUNTIME_MISSING', `expected a binary of isolated-vm for ${machine}, found none`, { cause });
  }
}

function present(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new VesselError('RUNTIME_MISSING', `expected the file ${path}, found none`, { cause });
  }
}
