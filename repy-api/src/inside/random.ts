import { CALL_LIMITS, OP } from '../ops.ts';
import { awaitRequest, invoke, type Primitive, promised } from './bridge.ts';
import { bytesOf, fromBinary, lengthOf } from './data.ts';
import { subtle } from './digest.ts';
import { argumentError } from './errors.ts';
import { charCodeAt, create, slice, typedArrayName } from './primordials.ts';

const UUID_BYTES = 16;
const FLOATS: { [name: string]: unknown } = create(null);
FLOATS.Float16Array = FLOATS.Float32Array = FLOATS.Float64Array = true;
const HEX = '0123456789abcdef';

export function randombytes(): Promise<Uint8Array> {
  return promised(() => {
    const request = invoke(OP.randombytes, CALL_LIMITS.randomBytes) as number;
    return awaitRequest(request, (data: Primitive) => fromBinary(data as string)) as Promise<Uint8Array>;
  });
}

function getRandomValues(array: unknown): unknown {
  const name = typeof array === 'object' && array !== null ? typedArrayName(array) : undefined;
  const bytes = bytesOf(array);
  if (bytes === undefined || name === undefined || FLOATS[name as string] === true) {
    throw argumentError('a typed array of integers', array);
  }
  const most = CALL_LIMITS.randomValuesBytes;
  const text = randomNow(needLength(lengthOf(bytes), most));
  for (let at = 0; at < text.length; at++) bytes[at] = charCodeAt(text, at);
  return array;
}

function needLength(bytes: number, most: number): number {
  if (bytes > most) throw argumentError(`at most ${most} bytes`, bytes);
  return bytes;
}

/** Waits for `random` here and now. @returns one character for each byte */
export function randomNow(bytes: number): string {
  return invoke(OP.randomnow, bytes) as string;
}

/** Version 4: all random, but for 6 bits that say so. */
function randomUUID(): string {
  const random = randomNow(UUID_BYTES);
  let text = '';
  for (let at = 0; at < UUID_BYTES; at++) {
    const byte = charCodeAt(random, at);
    const value = at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte;
    if (at === 4 || at === 6 || at === 8 || at === 10) text += '-';
    text += slice(HEX, value >> 4, (value >> 4) + 1) + slice(HEX, value & 15, (value & 15) + 1);
  }
  return text;
}

export const crypto = { getRandomValues, randomUUID, subtle };
