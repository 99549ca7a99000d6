/**
 * What a vessel should be, written from the tables of Seattle's documentation and from `repy.d.ts`, and from nothing of
 * the vessel's own code: counts of what is held, handles and their states.
 */
export const KINDS = ['udp', 'udps', 'tcp', 'tcps', 'client', 'server', 'timer', 'web', 'lock', 'file'] as const;
export type Kind = (typeof KINDS)[number];

/** Errors that programs see, by name, with their stable codes. */
const CODES = {
  RepyArgumentError: 'ARGUMENT',
  ResourceExhaustedError: 'RESOURCE_EXHAUSTED',
  ResourceForbiddenError: 'RESOURCE_FORBIDDEN',
  NetworkAddressError: 'NETWORK_ADDRESS',
  AlreadyListeningError: 'ALREADY_LISTENING',
  DuplicateTupleError: 'DUPLICATE_TUPLE',
  AddressBindingError: 'ADDRESS_BINDING',
  ConnectionRefusedError: 'CONNECTION_REFUSED',
  SocketClosedLocalError: 'SOCKET_CLOSED_LOCAL',
  SocketClosedRemoteError: 'SOCKET_CLOSED_REMOTE',
  LockDoubleReleaseError: 'LOCK_DOUBLE_RELEASE',
  FileNotFoundError: 'FILE_NOT_FOUND',
  FileInUseError: 'FILE_IN_USE',
  SeekPastEndOfFileError: 'SEEK_PAST_END_OF_FILE',
  FileClosedError: 'FILE_CLOSED',
} as const;
export type ErrorName = keyof typeof CODES;

/** A call fails, in the model. */
export class Refusal {
  readonly text: string;
  constructor(name: ErrorName | 'Trap' | 'TypeError') {
    this.text = name in CODES ? `${name} ${CODES[name as ErrorName]}` : name;
  }
}

export function refuse(name: ErrorName | 'Trap' | 'TypeError'): never {
  throw new Refusal(name);
}

/** What a listener, connection, lock, timer or file is. */
export interface Handle {
  readonly kind: Kind;
  open: boolean;
  readonly ip?: string;
  readonly port?: number;
  readonly binary?: boolean;
  /** Whether a function of the program's gets what comes. */
  readonly called?: boolean;
  /** Whether that function writes down what came. */
  readonly counts?: boolean;
  /** Names of what came and was not taken. */
  readonly waiting: string[];
  /** Steps whose promises wait for something to come. */
  readonly readers: number[];
  /** The other end of a connection. */
  peer?: Handle;
  /** All bytes that came over a connection, and how many of them were received. */
  bytes?: Buffer;
  taken?: number;
  /** How much each of `readers` takes at most. */
  wanted?: number[];
  /** Connections that nobody took from a listener yet. */
  accepted?: Handle[];
  held?: boolean;
  /** Of a file. */
  readonly name?: string;
}

export interface Limits {
  readonly events: number;
  readonly insockets: number;
  readonly outsockets: number;
  readonly filesopened: number;
}

export class World {
  readonly limits: Limits;
  readonly own: string;
  readonly dead: string;
  readonly handles = Object.fromEntries(KINDS.map((kind) => [kind, []])) as unknown as Record<Kind, Handle[]>;
  events = 1;
  insockets = 0;
  outsockets = 0;
  filesopened = 0;
  /** What is on the disk, by name. */
  readonly files = new Map<string, Buffer>();
  /** The step that is carried out now. */
  place = 0;
  #late: string[] = [];
  #heard = '';

  constructor(limits: Limits, own: string, dead: string) {
    this.limits = limits;
    this.own = own;
    this.dead = dead;
  }

  make(kind: Kind, more: Partial<Handle> = {}): Handle {
    const handle = { kind, open: true, waiting: [], readers: [], ...more };
    this.handles[kind].push(handle);
    return handle;
  }

  take(resource: keyof Limits): void {
    if (this[resource] >= this.limits[resource]) refuse('ResourceExhaustedError');
    this[resource] += 1;
  }

  /** A promise of an earlier step settles now. */
  later(place: number, outcome: string): void {
    this.#late.push(`|${place} ${outcome}`);
  }
  takeLate(): string[] {
    return this.#late.splice(0);
  }

  hear(message: string): void {
    this.#heard += ` ${message}`;
  }
  takeHeard(): string {
    const heard = this.#heard;
    this.#heard = '';
    return heard;
  }

  /** How a value is written down. */
  name(value: unknown): string {
    return nameOf(value);
  }

  /** The open listener of one of these kinds. */
  listening(kinds: readonly Kind[], ip: string, port: number): Handle | undefined {
    const all = kinds.flatMap((kind) => this.handles[kind]);
    return all.find((handle) => handle.open && handle.ip === ip && handle.port === port);
  }
}

/** FNV-1a, as a short name for long data. */
function hash(value: string | Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < value.length; at++) {
    sum = Math.imul(sum ^ (typeof value === 'string' ? value.charCodeAt(at) : (value[at] ?? 0)), 0x01000193);
  }
  return sum >>> 0;
}

/** How a value is written down: the same way as inside. */
export function nameOf(value: unknown): string {
  if (typeof value === 'string') return `s${value.length}:${hash(value)}`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'symbol') return 'symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Uint8Array) return `b${value.length}:${hash(value)}`;
  return 'object';
}
