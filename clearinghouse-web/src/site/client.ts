import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ASSETS } from './render.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'client');
/** Of workers, which have the policy that their script came with: the bundler compiles WebAssembly. */
const POLICIES: Readonly<Record<string, string>> = {
  bundler: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  checker: "default-src 'none'; script-src 'self'",
};
/** Scripts that pages load; what two of them share is a file of its own. */
const PAGES = ['vessel', 'vessels', 'run', 'bundler', 'checker'] as const;
export type ClientPage = (typeof PAGES)[number];

const built = kept(build);

/**
 * The address of a page's script. All are bundled when the first is asked for, which takes a moment, and kept: what they
 * are made of does not change while this process runs, and their names change with their content.
 */
export async function clientUrl(page: ClientPage): Promise<string> {
  return (await built()).get(page) ?? '';
}

/** The address of the bundler for browsers. */
export const wasmUrl = kept(async () => {
  const bytes = await readFile(createRequire(import.meta.url).resolve('esbuild-wasm/esbuild.wasm'));
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  return ASSETS.add(`client/esbuild-${name}.wasm`, bytes);
});

/** @returns what makes it when it is asked for first, and again when that failed */
export function kept<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | undefined;
  return async () => {
    making ??= make().catch((error: unknown) => {
      making = undefined;
      throw error;
    });
    return await making;
  };
}

async function build(): Promise<ReadonlyMap<string, string>> {
  const esbuild = await import('esbuild');
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: PAGES.map((page) => join(FOLDER, `${page}.ts`)),
    absWorkingDir: FOLDER,
    outdir: FOLDER,
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    legalComments: 'eof',
    logLevel: 'silent',
  });
  const pages = new Map<string, string>();
  for (const { path, contents } of outputFiles) {
    const name = path.slice(FOLDER.length + 1);
    const page = metafile.outputs[name]?.entryPoint?.replace(/\.ts$/, '');
    const url = ASSETS.add(`client/${name}`, Buffer.from(contents), POLICIES[page ?? '']);
    if (page !== undefined) pages.set(page, url);
  }
  return pages;
}
