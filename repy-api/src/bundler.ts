import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { digest, type FileName, fileNameSchema, LIMITS } from '@potluck/protocol';
import type { BuildFailure } from 'esbuild';
import { relativeOnly } from './bundling.ts';
import { ProgramError } from './errors.ts';
import { LAYER_LIMITS } from './ops.ts';
import { bundling, type Entry, partsOnly } from './parts.ts';
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
export function bundleProgram(path: string): Promise<ProgramBundle> {
  return bundle(path, 'program');
}

async function bundle(path: string, what: 'program' | 'layer'): Promise<ProgramBundle> {
  const file = resolve(path);
  await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const message = `expected a ${what} at ${path}, got ${reasonOf(cause)}`;
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

/**
 * Makes one file of a security layer, as `bundleProgram` does of a program.
 * @throws ProgramError as `bundleProgram`; PROGRAM_TOO_LARGE from `LAYER_LIMITS` on, without its source map
 */
export async function bundleLayer(path: string): Promise<ProgramBundle> {
  const made = await bundle(path, 'layer');
  const bytes = Buffer.byteLength(made.source.replace(/\n\/\/# sourceMappingURL=\S*\s*$/, ''));
  const most = LAYER_LIMITS.layerBytes;
  if (bytes <= most) return made;
  const message = `expected a layer of at most ${most} bytes as one file, got ${bytes} for ${path}`;
  throw new ProgramError('PROGRAM_TOO_LARGE', message, { details: { bytes, limitBytes: most } });
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

/** @param files is filled with what is looked at. */
async function build(entry: Entry, files: Set<string>): Promise<string> {
  const esbuild = await import('esbuild');
  try {
    const result = await esbuild.build({ ...bundling(entry), plugins: [relativeOnly, await partsOnly(entry, files)] });
    return result.outputFiles[0]?.text ?? '';
  } catch (error) {
    const { errors } = error as BuildFailure;
    if (!Array.isArray(errors)) throw error;
    const problems = errors.map((message) => problemOf(message, entry.path, 'error'));
    throw new ProgramError('PROGRAM_BROKEN', problems.map(sentenceOf).join('\n'), { problems, files });
  }
}
