import { type ErrorInit, PotluckError } from '@potluck/protocol';

export type InstallCode =
  | 'USAGE'
  | 'WRONG_PLATFORM'
  | 'PAYLOAD_BROKEN'
  | 'DONATION_BROKEN'
  | 'DIRECTORY_TAKEN'
  | 'NOT_AN_INSTALLATION'
  | 'NO_PERMISSION'
  | 'DISK_FULL'
  | 'PORT_IN_USE'
  | 'ADDRESS_UNKNOWN'
  | 'START_FAILED'
  | 'STOP_FAILED'
  | 'NOT_CONFIRMED';

/** Something on the donor's machine, or in what the donor asked for, keeps an installation from its work. */
export class InstallError extends PotluckError<InstallCode> {
  constructor(code: InstallCode, message: string, init: ErrorInit = {}) {
    super('config', code, message, init);
  }
}

export type BuildCode = 'BUNDLE_FAILED' | 'PART_MISSING' | 'WRITE_FAILED' | 'NAME_TOO_LONG';

/** The archive could not be built. */
export class BuildError extends PotluckError<BuildCode> {
  constructor(code: BuildCode, message: string, init: ErrorInit = {}) {
    super('internal', code, message, init);
  }
}

const SENTENCES: Readonly<Record<string, [InstallCode, string]>> = {
  ENOSPC: ['DISK_FULL', 'expected room for the installation, got a full disk'],
  EDQUOT: ['DISK_FULL', 'expected room for the installation, got a used-up disk quota'],
  EACCES: ['NO_PERMISSION', 'expected permission to write there, got none'],
  EPERM: ['NO_PERMISSION', 'expected permission to write there, got none'],
  EROFS: ['NO_PERMISSION', 'expected a disk that can be written, got a read-only one'],
  ENOTDIR: ['DIRECTORY_TAKEN', 'expected a directory, got a file there'],
};

/** Turns what the file system refuses into one sentence of ours that names the place; everything else is returned as it is. */
export function fileError(error: unknown, path: string): unknown {
  const known = SENTENCES[(error as NodeJS.ErrnoException | undefined)?.code ?? ''];
  return known === undefined ? error : new InstallError(known[0], `${known[1]}: ${path}`, { cause: error });
}
