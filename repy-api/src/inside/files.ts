import { base64Length, CALL_LIMITS, OP } from '../ops.ts';
import { awaitRequest, invoke, type Primitive, promised } from './bridge.ts';
import { fromBase64, isBytes, lengthOf, needEncoding } from './data.ts';
import { argumentError } from './errors.ts';
import { charCodeAt, isInteger, parseJson, slice, toBase64 } from './primordials.ts';

const MOST_NAME = 120;
const HIDDEN = 'private_';
const ALL = -1;
const RULE = `a file name of 1 to ${MOST_NAME} of a-z, 0-9, ".", "_" and "-", not starting with "." or "${HIDDEN}"`;

/** Small letters, digits, `.`, `_`, `-`: the same on every system, and no way out of the vessel's directory. */
function isNameUnit(unit: number, first: boolean): boolean {
  if (unit >= 0x61 && unit <= 0x7a) return true;
  if (unit >= 0x30 && unit <= 0x39) return true;
  return unit === 0x5f || unit === 0x2d || (unit === 0x2e && !first);
}

export function needFileName(value: unknown): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > MOST_NAME) throw argumentError(RULE, value);
  for (let at = 0; at < value.length; at++) {
    if (!isNameUnit(charCodeAt(value, at), at === 0)) throw argumentError(RULE, value);
  }
  if (slice(value, 0, HIDDEN.length) === HIDDEN) throw argumentError(RULE, value);
  return value;
}

/**
 * What is to be written, as one string for the bridge: a text as it is, bytes in base64. How many bytes a text makes is
 * counted on the other side.
 */
export interface Content {
  readonly text: string;
  readonly binary: boolean;
}

export function needContent(value: unknown): Content {
  if (typeof value === 'string') return needSmall({ text: value, binary: false });
  if (!isBytes(value)) throw argumentError('what to write as a string or a Uint8Array', value);
  if (lengthOf(value) > CALL_LIMITS.fileBytes) throw tooMuch(lengthOf(value));
  return { text: toBase64(value), binary: true };
}

export function needSmall(content: Content): Content {
  const most = content.binary ? base64Length(CALL_LIMITS.fileBytes) : CALL_LIMITS.fileBytes;
  if (content.text.length > most) throw tooMuch(content.text.length);
  return content;
}

function tooMuch(length: number): Error {
  return argumentError(`at most ${CALL_LIMITS.fileBytes} bytes in one write`, length);
}

export function needWhole(value: unknown, what: string): number {
  if (typeof value === 'number' && isInteger(value) && value >= 0 && value <= 2 ** 53 - 1) return value;
  throw argumentError(`${what} as a whole number that is not negative`, value);
}

/** @returns a promise for what an operation on a handle answers. */
export function later<T = unknown>(request: Primitive, map?: (value: Primitive) => unknown): Promise<T> {
  return awaitRequest(request as number, map) as Promise<T>;
}

export const bytesOrText = (binary: boolean): ((value: Primitive) => unknown) | undefined =>
  binary ? (data) => fromBase64(data as string) : undefined;

const nothing = () => undefined;

/** What `openfile` resolves with. */
class RepyFile {
  readonly #handle: number;
  readonly #binary: boolean;

  constructor(handle: number, binary: boolean) {
    this.#handle = handle;
    this.#binary = binary;
  }

  readat(sizelimit: unknown, offset: unknown): Promise<string | Uint8Array> {
    return promised(() => {
      const most = sizelimit === null ? ALL : needWhole(sizelimit, 'null or the most bytes to read');
      const from = needWhole(offset, 'an offset');
      const request = invoke(OP.readat, this.#handle, most, from, this.#binary);
      return later(request, bytesOrText(this.#binary));
    });
  }

  writeat(data: unknown, offset: unknown): Promise<void> {
    return promised(() => {
      const { text, binary } = needContent(data);
      const to = needWhole(offset, 'an offset');
      return later(invoke(OP.writeat, this.#handle, text, binary, to), nothing);
    });
  }

  close(): Promise<void> {
    return promised(() => later(invoke(OP.closefile, this.#handle), nothing));
  }
}

export function openfile(name: unknown, create: unknown, options?: unknown): Promise<RepyFile> {
  return promised(() => {
    const file = needFileName(name);
    if (typeof create !== 'boolean') throw argumentError('true to make the file if it is not there, or false', create);
    const binary = needEncoding(options);
    return later(invoke(OP.openfile, file, create), (handle) => new RepyFile(handle as number, binary));
  });
}

export function listfiles(): Promise<string[]> {
  return promised(() => later(invoke(OP.listfiles), (names) => parseJson(names as string)));
}

export function removefile(name: unknown): Promise<void> {
  return promised(() => later(invoke(OP.removefile, needFileName(name)), nothing));
}
