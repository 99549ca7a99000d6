/// A worker of its own: the bundler is 14 MB of WebAssembly, which no page's policy allows, but this script's does.
import { BUNDLING, CODE_LOADERS, DATA_LOADERS, relativeOnly } from '@potluck/repy-api';
import { build, initialize, type Message, type Plugin } from 'esbuild-wasm';
import { answerQuestions } from './asking.ts';
import type { BundleAnswer, BundleProblem, BundleRequest } from './bundle.ts';

const LOADERS = { ...CODE_LOADERS, ...DATA_LOADERS };
const DATA_ENDS: readonly string[] = Object.keys(DATA_LOADERS);
let ready: Promise<void> | undefined;

answerQuestions(bundle);

async function bundle({ entry, files, wasm }: BundleRequest): Promise<BundleAnswer> {
  const outfile = `/${entry.replace(/\.\w+$/, '')}.js`;
  try {
    ready ??= start(wasm);
    await ready;
    const { outputFiles } = await build({
      ...BUNDLING,
      entryPoints: [`/${entry}`],
      absWorkingDir: '/',
      outfile,
      loader: LOADERS,
      plugins: [relativeOnly, inMemory(files)],
    });
    return { source: outputFiles[0]?.text ?? '' };
  } catch (error) {
    const { errors, message } = error as { errors?: Message[]; message?: string };
    const problems = (errors ?? []).map((one) => problemOf(one, entry));
    const whole = { file: entry, line: 0, column: 0, length: 0, message: message ?? '' };
    return { problems: problems.length > 0 ? problems : [whole] };
  }
}

async function start(wasm: string): Promise<void> {
  await initialize({ wasmModule: await WebAssembly.compileStreaming(fetch(wasm)), worker: false });
}

/** The programs of the editor as one folder: what is beside a program can be imported from it. */
function inMemory(files: Readonly<Record<string, string>>): Plugin {
  const find = (name: string): string | undefined => {
    const candidates = [name, `${name}.js`, `${name}.ts`, name.replace(/\.js$/, '.ts'), name.replace(/\.mjs$/, '.mts')];
    return candidates.find((one) => Object.hasOwn(files, one));
  };
  return {
    name: 'in-memory',
    setup(own) {
      own.onResolve({ filter: /.*/ }, ({ path }) => {
        const name = find(path.replace(/^(\.\/|\/)/, ''));
        if (name !== undefined) return { path: `/${name}`, namespace: 'file' };
        return { errors: [{ text: `expected a program that is kept here beside this one, got "${path}"` }] };
      });
      own.onLoad({ filter: /.*/ }, ({ path, with: asked }) => {
        const name = path.slice(1);
        const end = /\.\w+$/.exec(name)?.[0] ?? '';
        const type = Object.entries(LOADERS).find(([one]) => one === end)?.[1];
        const isData = DATA_ENDS.includes(end);
        if (type === undefined || Object.values(asked).some((value) => !isData || value !== type)) {
          const known = Object.keys(LOADERS).join(' ');
          return { errors: [{ text: `expected an import of code or data (${known}), got "${name}"` }] };
        }
        return { contents: files[name] ?? '', loader: type };
      });
    },
  };
}

/** The bundler counts columns and lengths in bytes. */
function problemOf({ text, location }: Message, entry: string): BundleProblem {
  if (location === null) return { file: entry, line: 0, column: 0, length: 0, message: text };
  const bytes = new TextEncoder().encode(location.lineText);
  const units = (end: number): number => new TextDecoder().decode(bytes.subarray(0, end)).length;
  const column = units(location.column);
  const length = units(location.column + location.length) - column;
  return { file: location.file, line: location.line, column, length, message: text };
}
