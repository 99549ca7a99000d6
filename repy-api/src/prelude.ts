import { resolve } from 'node:path';

/**
 * @returns the code inside the isolate as one script. It defines `prelude`; `prelude.install(operation)` builds the
 * program's world, see `inside/main.ts`. Compiled from this room's sources, so it needs the bundler.
 * @param files is filled with what it is made of
 */
export async function preludeSource(files: Set<string>): Promise<string> {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: ['inside/main.ts'],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    globalName: 'prelude',
    platform: 'neutral',
    target: 'node26',
    legalComments: 'none',
    logLevel: 'silent',
  });
  for (const path of [import.meta.filename, ...Object.keys(result.metafile.inputs)]) {
    files.add(resolve(import.meta.dirname, path));
  }
  return `'use strict';\n${result.outputFiles[0]?.text ?? ''}`;
}
