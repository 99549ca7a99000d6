import type { Plugin } from 'esbuild';

/** What the bundler does to a program, wherever it runs: the same program gives the same bytes on a machine and in a browser. */
export const BUNDLING = {
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
} as const;

export const CODE_LOADERS = { '.js': 'js', '.mjs': 'js', '.ts': 'ts', '.mts': 'ts' } as const;
/** Also the `type` that an import of such a file may ask for. */
export const DATA_LOADERS = { '.json': 'json', '.txt': 'text' } as const;

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
