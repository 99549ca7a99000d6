import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, extname, resolve, sep } from 'node:path';
import { digest, type FileName, fileNameSchema, LIMITS } from '@potluck/protocol';
import type { BuildFailure, Plugin } from 'esbuild';
import { ProgramError } from './errors.ts';
import { problemOf, sentenceOf } from './problem.ts';

/** A program as it is uploaded: one file. */
export interface ProgramBundle {
  /** The program's name, ending in `.js` also when it was written in TypeScript. */
  readonly name: FileName;
  /** One ES module without imports, with its source map inline. */
  readonly source: string;
  /** Of `source`, in base64url as nodes tell it of their files. */
  readonly sha256: string;
  /** Absolute paths of all that it is made of. */
  readonly files: readonly string[];
}

/**
 * Makes one file of a program: relative imports are inlined, types are stripped, and a source map lets an error name the
 * author's own file and line.
 * @throws ProgramError PROGRAM_MISSING, PROGRAM_BROKEN (each problem as `file:line:column: sentence`), PROGRAM_TOO_LARGE;
 * its `problems` and the `files` that it looked at say the same to a program
 */
export async function bundleProgram(path: string): Promise<ProgramBundle> {
  const file = resolve(path);
  await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const message = `expected a program at ${path}, got ${reasonOf(cause)}`;
    throw new ProgramError('PROGRAM_MISSING', message, { cause, files: [file] });
  });
  const name = nameOf(file);
  const files = new Set([file]);
  const source = await build({ file, path, name }, files);
  const bytes = Buffer.byteLength(source);
  if (bytes > LIMITS.fileBytes) {
    const message = `expected a program of at most ${LIMITS.fileBytes} bytes as one file, got ${bytes} for ${path}`;
    throw new ProgramError('PROGRAM_TOO_LARGE', message, { details: { bytes, limitBytes: LIMITS.fileBytes }, files });
  }
  return { name, source, sha256: digest(Buffer.from(source)), files: [...files] };
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  if (code === 'EISDIR') return 'a directory';
  return message;
}

function nameOf(file: string): FileName {
  const name = fileNameSchema.safeParse(`${basename(file, extname(file))}.js`);
  if (name.success) return name.data;
  throw new ProgramError(
    'PROGRAM_BROKEN',
    `expected a program's name to be of letters, digits, ".", "_" and "-", got "${basename(file)}"`,
  );
}

interface Entry {
  /** Absolute. */
  readonly file: string;
  /** As its author named it. */
  readonly path: string;
  readonly name: string;
}

/** @param files is filled with what is looked at. */
async function build({ file, path, name }: Entry, files: Set<string>): Promise<string> {
  const esbuild = await import('esbuild');
  try {
    const result = await esbuild.build({
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
      plugins: [relativeOnly, partsOnly(await realpath(file), files)],
    });
    return result.outputFiles[0]?.text ?? '';
  } catch (error) {
    const { errors } = error as BuildFailure;
    if (!Array.isArray(errors)) throw error;
    const problems = errors.map((message) => problemOf(message, path, 'error'));
    throw new ProgramError('PROGRAM_BROKEN', problems.map(sentenceOf).join('\n'), { problems, files });
  }
}

const CODE_LOADERS = { '.js': 'js', '.mjs': 'js', '.ts': 'ts', '.mts': 'ts' } as const;
/** Also the `type` that an import of such a file may ask for. */
const DATA_LOADERS = { '.json': 'json', '.txt': 'text' } as const;

/** A vessel has no modules: only what lies beside the program can be inlined. */
const relativeOnly: Plugin = {
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
 * @param entry where the program really is, as links lead to it. @param files is filled with what is looked at.
 */
function partsOnly(entry: string, files: Set<string>): Plugin {
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
        const code = Object.keys(CODE_LOADERS).join(' ');
        const data = Object.keys(DATA_LOADERS).join(' ');
        const text = `expected an import of code (${code}) or of data (${data}) in the program's folder, got "${basename(path)}"`;
        return { errors: [{ text }] };
      });
    },
  };
}
