import { fileURLToPath } from 'node:url';

/**
 * @returns the code inside the isolate as one script. It defines `prelude`; `prelude.install(operation)` builds the
 * program's world, see `inside/main.ts`. Compiled from this room's sources, so it needs the bundler.
 */
export async function preludeSource(): Promise<string> {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./inside/main.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'prelude',
    platform: 'neutral',
    target: 'node26',
    legalComments: 'none',
    logLevel: 'silent',
  });
  return `'use strict';\n${result.outputFiles[0]?.text ?? ''}`;
}
