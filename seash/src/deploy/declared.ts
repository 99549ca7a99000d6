import { basename, dirname, resolve } from 'node:path';
import { digest, type FileName } from '@potluck/protocol';
import { CommandError } from '../errors.ts';
import { bundled } from '../program.ts';
import type { Context } from '../session.ts';
import { readLocal, remoteName, UPLOAD_LIMITS, type Upload } from '../upload.ts';
import { MARK_FILE, versionOf } from './mark.ts';
import type { Deployment } from './schema.ts';
import { readDeployment } from './yaml.ts';

/** A file that a version brings with it. */
export interface DeclaredFile extends Upload {
  readonly sha256: string;
  /** The program's to change, once it has run. */
  readonly seed: boolean;
}

/** A deployment with all that it names on this machine. */
export interface Declared extends Deployment {
  readonly version: string;
  /** The program comes last. */
  readonly uploads: readonly DeclaredFile[];
  readonly programName: FileName;
  /** Absolute. */
  readonly path: string;
}

export interface LoadInit {
  /** Absolute. */
  readonly path: string;
  /** What the file is called in messages. */
  readonly shown: string;
  /** Whether to look for mistakes in the program, of types too. */
  readonly check: boolean;
}

/**
 * Reads the declaration, bundles its program and reads its files, which are relative to its own folder.
 * @throws CommandError DEPLOYMENT_BROKEN, FILE_MISSING, FILE_BROKEN, FILE_TOO_LARGE, BAD_NAME @throws ProgramError
 */
export async function loadDeclared(context: Context, { path, shown, check }: LoadInit): Promise<Declared> {
  const deployment = await readDeployment(path, shown);
  const program = await bundled(context, resolve(dirname(path), deployment.program), { check });
  const files = await readFiles(path, deployment);
  const uploads = [...files, { ...program, sha256: digest(program.bytes), seed: false }];
  checkNames(
    uploads.map(({ name }) => name),
    shown,
  );
  const { args } = deployment;
  const facts = uploads.map(({ name, sha256, seed }) => [name, sha256, seed]);
  return { ...deployment, path, uploads, programName: program.name, version: versionOf([facts, args]) };
}

/** Without the program and the files, which may be gone by now. @throws CommandError DEPLOYMENT_BROKEN, FILE_MISSING */
export async function loadForDestruction(path: string, shown: string): Promise<Declared> {
  const deployment = await readDeployment(path, shown);
  return { ...deployment, path, uploads: [], programName: remoteName('none'), version: '' };
}

async function readFiles(path: string, { files }: Deployment): Promise<DeclaredFile[]> {
  const read: DeclaredFile[] = [];
  let total = 0;
  for (const { from, as, seed } of files) {
    const bytes = await readLocal(resolve(dirname(path), from));
    total += bytes.byteLength;
    if (total > UPLOAD_LIMITS.bytes) {
      throw new CommandError(
        'FILE_TOO_LARGE',
        `expected files of at most ${UPLOAD_LIMITS.bytes} bytes together, got more`,
      );
    }
    read.push({ name: as ?? remoteName(basename(from)), bytes, sha256: digest(bytes), seed });
  }
  return read;
}

/** @throws CommandError DEPLOYMENT_BROKEN */
function checkNames(names: readonly FileName[], shown: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index || name === MARK_FILE);
  if (twice === undefined) return;
  const expected = `expected files of different names, none of them ${MARK_FILE}`;
  throw new CommandError('DEPLOYMENT_BROKEN', `${shown}:1:1: ${expected}, got ${twice} twice or as one of them`);
}
