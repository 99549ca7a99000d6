import { isBytes, lengthOf } from './data.ts';
import { argumentError } from './errors.ts';
import { charCodeAt, SafeUint8Array } from './primordials.ts';

const REPLACEMENT = 0xfffd;

/** Half a pair alone is U+FFFD, as everywhere on the web. */
function codePoint(text: string, index: number): number {
  const unit = charCodeAt(text, index);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  const second = unit < 0xdc00 ? charCodeAt(text, index + 1) : 0;
  if (second >= 0xdc00 && second <= 0xdfff) return 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
  return REPLACEMENT;
}

const sizeOf = (point: number): number => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);

/** Writes whole characters only. */
function writeText(text: string, bytes: Uint8Array, room: number): { read: number; written: number } {
  let read = 0;
  let written = 0;
  while (read < text.length) {
    const point = codePoint(text, read);
    const size = sizeOf(point);
    if (written + size > room) break;
    for (let left = size - 1, rest = point; left >= 0; left--, rest >>= 6) {
      bytes[written + left] = left > 0 ? 0x80 | (rest & 63) : size === 1 ? rest : ((0xf00 >> size) & 0xff) | rest;
    }
    written += size;
    read += size === 4 ? 2 : 1;
  }
  return { read, written };
}

export class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(input: unknown = ''): Uint8Array {
    const text = `${input as string}`;
    let length = 0;
    for (let at = 0; at < text.length; ) {
      const size = sizeOf(codePoint(text, at));
      length += size;
      at += size === 4 ? 2 : 1;
    }
    const bytes = new SafeUint8Array(length);
    writeText(text, bytes, length);
    return bytes;
  }

  encodeInto(input: unknown, into: unknown): { read: number; written: number } {
    const text = `${input as string}`;
    if (!isBytes(into)) throw argumentError('a Uint8Array to write into', into);
    return writeText(text, into, lengthOf(into));
  }
}
