import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { BuildError } from './errors.ts';

const room = dirname(import.meta.dirname);

/** The programs of an installation, by the name of their file in `lib/`. */
const ENTRIES = {
  'nodemanager.mjs': () => join(roomOf('@potluck/nodemanager'), 'bin/nodemanager.ts'),
  'installer.mjs': () => join(room, 'bin/potluck.ts'),
} as const;

/** Packages written as CommonJS ask for `require` and `__dirname`, which an ES module does not have. */
const BANNER = `import { createRequire as potluckCreateRequire } from 'node:module';
const require = potluckCreateRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** Stays beside the bundles as a package, since it loads native code by its own path. */
export const SHIPPED_PACKAGE = 'better-sqlite3';

function roomOf(name: string): string {
  return dirname(dirname(fileURLToPath(import.meta.resolve(name))));
}

/**
 * esbuild is for building only and is not shipped. What imports it in a bundle does so to build what a payload already
 * holds, late or not at all: `sideEffects: false` lets an import go that nothing uses, and the late ones stay imports
 * that never run.
 */
const leaveOut: Plugin = {
  name: 'leave-out',
  setup(context) {
    const external = { external: true, sideEffects: false };
    context.onResolve({ filter: /^(esbuild|isolated-vm)$/ }, ({ path }) => ({ path, ...external }));
    context.onResolve({ filter: new RegExp(`^${SHIPPED_PACKAGE}$`) }, ({ path }) => ({ path, external: true }));
    context.onResolve({ filter: /^@potluck\/repy-api$/ }, ({ path, kind }) => {
      return kind === 'dynamic-import' ? { path, ...external } : undefined;
    });
  },
};

/**
 * Bundles each program of an installation into one ES module for the Node that is shipped with it.
 * @throws BuildError BUNDLE_FAILED with the places in the sources
 */
export async function bundlePrograms(): Promise<ReadonlyMap<string, Buffer>> {
  const bundles = await Promise.all(
    Object.entries(ENTRIES).map(async ([name, entry]) => [name, await bundle(entry())] as const),
  );
  return new Map(bundles);
}

async function bundle(entry: string): Promise<Buffer> {
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: dirname(room), // Comments in the bundle name files relative to it, so that no path of this machine leaks.
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node.split('.')[0]}`,
    banner: { js: BANNER },
    plugins: [leaveOut],
    logLevel: 'silent',
  }).catch((cause: unknown) => {
    throw new BuildError('BUNDLE_FAILED', `expected ${entry} to bundle, it did not`, { cause });
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new BuildError('BUNDLE_FAILED', `expected a bundle of ${entry}, got nothing`);
  return Buffer.from(output.contents);
}
