import { LIMITS } from './limits.ts';

/** Whose fault an error is; it decides who is told and whether trying again can help. */
export type Fault = 'program' | 'caller' | 'config' | 'peer' | 'internal';

export interface ErrorInit {
  /** Facts for programs; never secrets. */
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/**
 * The root of every error that Potluck raises. `code` is stable and for programs, `message` is one sentence for
 * people: what was expected and what came.
 */
export class PotluckError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly fault: Fault;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(fault: Fault, code: Code, message: string, init: ErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = new.target.name;
    this.fault = fault;
    this.code = code;
    this.details = init.details ?? {};
  }
}

export type ConfigCode =
  | 'KEY_FILE_MISSING'
  | 'KEY_FILE_BROKEN'
  | 'KEY_FILE_EXPOSED'
  | 'KEY_FILE_EXISTS'
  | 'RESTRICTIONS_BROKEN'
  | 'CONFIG_BROKEN'
  | 'SEAL_BROKEN'
  | 'USAGE';

/** A file, flag or setting on this machine is wrong. */
export class ConfigError extends PotluckError<ConfigCode> {
  constructor(code: ConfigCode, message: string, init: ErrorInit = {}) {
    super('config', code, message, init);
  }
}

/** Codes of refused requests; the same on the wire as in the classes. */
export const REQUEST_CODES = [
  'BAD_MESSAGE',
  'BAD_SIGNATURE',
  'EXPIRED',
  'REPLAYED',
  'WRONG_NODE',
  'UNKNOWN_METHOD',
  'BAD_PARAMETERS',
  'BAD_ATTACHMENT',
  'NOT_PERMITTED',
  'NO_SUCH_VESSEL',
  'NO_SUCH_FILE',
  'BAD_STATE',
  'QUOTA_EXCEEDED',
  'DISK_FULL',
  'START_FAILED',
  'BUSY',
  'INTERNAL',
] as const;
export type RequestCode = (typeof REQUEST_CODES)[number];

/** A signed request that was refused, raised by the node and raised again by the caller's client. */
export class RequestError extends PotluckError<RequestCode> {
  constructor(code: RequestCode, message: string, init: ErrorInit = {}) {
    super(code === 'INTERNAL' ? 'internal' : 'caller', code, message, init);
  }
}

export type PeerCode = 'UNREACHABLE' | 'TIMEOUT' | 'WRONG_IDENTITY' | 'BAD_REPLY' | 'CLOSED';

/** The other side of a connection is away, or is not who it should be. */
export class PeerError extends PotluckError<PeerCode> {
  constructor(code: PeerCode, message: string, init: ErrorInit = {}) {
    super('peer', code, message, init);
  }
}

/** What a schema finds wrong, by its first few places: whoever has sent it may have made it wrong everywhere. */
export function describeIssues(issues: readonly Issue[]): string {
  const named = issues.slice(0, LIMITS.issuesNamed).map(({ path = [], message }) => {
    const text = path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
    return text.length > LIMITS.issueLength ? `${text.slice(0, LIMITS.issueLength)}…` : text;
  });
  const more = issues.length - named.length;
  return named.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

interface Issue {
  readonly path?: readonly PropertyKey[];
  readonly message: string;
}

/** Those of zod, whose own message has every issue: an empty element of a list becomes hundreds of characters. */
function issuesOf(error: Error): readonly Issue[] | undefined {
  return error.name === 'ZodError' && 'issues' in error ? (error.issues as readonly Issue[]) : undefined;
}

/** One sentence for people out of anything that was thrown; the causes follow in the same line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` (${describeError(error.cause)})`;
  const issues = issuesOf(error);
  return `${issues === undefined ? error.message : describeIssues(issues)}${cause}`;
}
