import { argumentError } from './errors.ts';
import {
  apply,
  bufferBytes,
  charCodeAt,
  finite,
  fromCharCode,
  isInteger,
  SafeUint8Array,
  setFromBase64,
  takes,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayLength,
  typedArrayName,
  typedArrayOffset,
  viewBuffer,
  viewBytes,
  viewOffset,
} from './primordials.ts';

const CHUNK = 8192;
/** `=` */
const PAD = 0x3d;

export function needText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw argumentError(`${what} as a string`, value);
  return value;
}

/** Addresses are short; a long text is refused before it is copied across. */
export function needAddress(value: unknown, what: string): string {
  const text = needText(value, what);
  if (text.length > 255) throw argumentError(`${what} of at most 255 characters`, value);
  return text;
}

export function needPort(value: unknown, what: string): number {
  if (typeof value !== 'number' || !isInteger(value) || value < 1 || value > 65535) {
    throw argumentError(`${what} from 1 to 65535`, value);
  }
  return value;
}

const MOST_SECONDS = 1e9;

export function needSeconds(value: unknown, what: string): number {
  if (typeof value !== 'number' || !finite(value) || value < 0 || value > MOST_SECONDS) {
    throw argumentError(`${what} as a number of seconds from 0 to ${MOST_SECONDS}`, value);
  }
  return value;
}

/** @param most seconds; above it nobody waits for the answer any more. */
export function needTimeout(value: unknown, most: number): number {
  if (typeof value !== 'number' || !finite(value) || value <= 0 || value > most) {
    throw argumentError(`a timeout as a number of seconds above 0 and at most ${most}`, value);
  }
  return value;
}

export function needFunction(value: unknown, what: string): (...args: unknown[]) => unknown {
  if (typeof value !== 'function') throw argumentError(`${what} as a function`, value);
  return value as (...args: unknown[]) => unknown;
}

/** @returns an options object, or undefined when there is none. */
export function needOptions(options: unknown): { readonly [name: string]: unknown } | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw argumentError('options as an object', options);
  return options as { readonly [name: string]: unknown };
}

/** Reads `encoding` of an options object. @returns true for binary. */
export function needEncoding(options: unknown): boolean {
  const encoding = needOptions(options)?.encoding;
  if (encoding === undefined || encoding === 'utf8') return false;
  if (encoding === 'binary') return true;
  throw argumentError("the encoding 'utf8' or 'binary'", encoding);
}

export function isBytes(value: unknown): value is Uint8Array {
  return typeof value === 'object' && value !== null && typedArrayName(value) === 'Uint8Array';
}

export const lengthOf = (bytes: Uint8Array): number => typedArrayLength(bytes);

/** @returns the bytes of a buffer, a typed array or a view, not copied; undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (typedArrayName(value) !== undefined) {
    return new SafeUint8Array(typedArrayBuffer(value), typedArrayOffset(value), typedArrayBytes(value));
  }
  if (takes(bufferBytes, value)) return new SafeUint8Array(value as ArrayBuffer);
  if (!takes(viewBytes, value)) return undefined;
  return new SafeUint8Array(viewBuffer(value), viewOffset(value), viewBytes(value));
}

/** Not by `subarray`: it asks the program's own `Symbol.species` what to make. @returns up to `most` bytes, not copied. */
export function partOf(bytes: Uint8Array, from: number, most: number): Uint8Array {
  const left = typedArrayLength(bytes) - from;
  return new SafeUint8Array(typedArrayBuffer(bytes), typedArrayOffset(bytes) + from, left < most ? left : most);
}

/** One character for each byte: the cheapest way across the bridge. */
export function toBinary(bytes: Uint8Array): string {
  const length = typedArrayLength(bytes);
  let text = '';
  for (let at = 0; at < length; at += CHUNK) {
    text += apply(fromCharCode, undefined, partOf(bytes, at, CHUNK) as unknown as number[]);
  }
  return text;
}

export function fromBinary(text: string): Uint8Array {
  const bytes = new SafeUint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = charCodeAt(text, at);
  return bytes;
}

/** Of base64 with its padding. Into an array of the right size, which the engine fills several times faster than one that it makes. */
export function fromBase64(text: string): Uint8Array {
  const { length } = text;
  const pads = charCodeAt(text, length - 2) === PAD ? 2 : charCodeAt(text, length - 1) === PAD ? 1 : 0;
  const bytes = new SafeUint8Array((length / 4) * 3 - pads);
  setFromBase64(bytes, text);
  return bytes;
}
