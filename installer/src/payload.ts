import { mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { PREBUILT_NAMES, runtimeFiles } from '@potluck/vessel-runtime';
import type { ArchiveFile } from './archive.ts';
import { bundlePrograms, SHIPPED_PACKAGE } from './bundle.ts';
import { BuildError } from './errors.ts';
import { installScript, PLATFORM } from './scripts.ts';

const TOP = 'potluck';

/**
 * Everything that a donor's archive holds, except for what is the donor's own (`donation.json`).
 * Throws BuildError BUNDLE_FAILED or PART_MISSING.
 */
export async function collectPayload(): Promise<ArchiveFile[]> {
  const [programs, runtime, database, node] = await Promise.all([
    bundlePrograms(),
    collectRuntime(),
    collectPackage(),
    realpath(process.execPath),
  ]);
  return [
    inMemory('install.sh', Buffer.from(installScript()), 0o755),
    inMemory('lib/package.json', Buffer.from('{ "type": "module", "private": true }\n')),
    ...[...programs].map(([name, content]) => inMemory(`lib/${name}`, content)),
    ...runtime,
    ...database,
    { path: `${TOP}/bin/node`, mode: 0o755, content: { file: node, size: (await stat(node)).size } },
  ];
}

function inMemory(path: string, content: Buffer, mode = 0o644): ArchiveFile {
  return { path: `${TOP}/${path}`, mode, content };
}

async function collectRuntime(): Promise<ArchiveFile[]> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-runtime-'));
  try {
    const { entry, native } = await runtimeFiles(directory);
    return [
      inMemory(`lib/${PREBUILT_NAMES.entry}`, await readFile(entry)),
      inMemory(`lib/${PREBUILT_NAMES.native}`, await readFile(native)),
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Of the database package: its code, its description, and its native part for this platform only. */
async function collectPackage(): Promise<ArchiveFile[]> {
  const requireFrom = createRequire(import.meta.resolve('@potluck/nodemanager'));
  const root = dirname(requireFrom.resolve(`${SHIPPED_PACKAGE}/package.json`));
  const names = await readdir(join(root, 'lib'), { recursive: true, withFileTypes: true });
  const code = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = [
    ...code.sort(),
    ...['package.json', 'LICENSE', `prebuilds/${PLATFORM}.node`].map((p) => join(root, p)),
  ];
  return await Promise.all(
    paths.map(async (path) => {
      const content = await readFile(path).catch((cause: unknown) => {
        throw new BuildError('PART_MISSING', `expected ${SHIPPED_PACKAGE} to hold ${path}, it does not`, { cause });
      });
      const inside = relative(root, path).split(sep).join('/');
      return inMemory(`lib/node_modules/${SHIPPED_PACKAGE}/${inside}`, content);
    }),
  );
}
