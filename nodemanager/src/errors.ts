import { type ErrorInit, type Fault, PotluckError, RequestError } from '@potluck/protocol';

export type NodeManagerCode =
  | 'PORT_IN_USE'
  | 'ALREADY_RUNNING'
  | 'STATE_UNUSABLE'
  | 'NOT_RUNNING'
  | 'PROCESS_NOT_READY'
  | 'NO_SUCH_USER'
  | 'MAPPING_FAILED';

const FAULTS: Record<NodeManagerCode, Fault> = {
  PORT_IN_USE: 'config',
  ALREADY_RUNNING: 'config',
  STATE_UNUSABLE: 'config',
  NOT_RUNNING: 'config',
  PROCESS_NOT_READY: 'internal',
  NO_SUCH_USER: 'config',
  MAPPING_FAILED: 'peer',
};

/** The node manager cannot start or go on as it is set up on this machine. */
export class NodeManagerError extends PotluckError<NodeManagerCode> {
  constructor(code: NodeManagerCode, message: string, init: ErrorInit = {}) {
    super(FAULTS[code], code, message, init);
  }
}

/** `SQLITE_FULL` is SQLite's word for it; the others are the kernel's. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/** @returns the system's or SQLite's code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** @returns whether the disk, or its owner's share of it, had no room left. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(codeOf(error) ?? '');
}

/** The donor's disk is full, which is not the vessel's own quota. */
export function diskFull(cause: unknown): RequestError {
  return new RequestError('DISK_FULL', "expected room on the node's disk, got none: the donor's disk is full", {
    cause,
  });
}
