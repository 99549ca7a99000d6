import { toBinary } from './data.ts';
import { argumentError } from './errors.ts';
import { charCodeAt, SafeUint8Array } from './primordials.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 61;

/** @returns 0 to 63, -1 for white space, -2 for what is not of the alphabet. */
function digit(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43) return 62;
  if (code === 47) return 63;
  return code === 32 || code === 9 || code === 10 || code === 12 || code === 13 ? -1 : -2;
}

export function btoa(data: unknown): string {
  const text = `${data as string}`;
  const bytes = new SafeUint8Array((((text.length + 2) / 3) | 0) * 4);
  let out = 0;
  for (let at = 0; at < text.length; at += 3) {
    const left = text.length - at;
    const bits =
      (byteAt(text, at) << 16) | (left > 1 ? byteAt(text, at + 1) << 8 : 0) | (left > 2 ? byteAt(text, at + 2) : 0);
    bytes[out++] = charCodeAt(ALPHABET, bits >> 18);
    bytes[out++] = charCodeAt(ALPHABET, (bits >> 12) & 63);
    bytes[out++] = left > 1 ? charCodeAt(ALPHABET, (bits >> 6) & 63) : PAD;
    bytes[out++] = left > 2 ? charCodeAt(ALPHABET, bits & 63) : PAD;
  }
  return toBinary(bytes);
}

function byteAt(text: string, at: number): number {
  const code = charCodeAt(text, at);
  if (code > 255) throw argumentError('characters from 0 to 255', code);
  return code;
}

export function atob(data: unknown): string {
  const text = `${data as string}`;
  const { digits, end } = measure(text);
  const bytes = new SafeUint8Array((digits * 3) >> 2);
  let bits = 0;
  let held = 0;
  let out = 0;
  for (let at = 0; at < end; at++) {
    const value = digit(charCodeAt(text, at));
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xffffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[out++] = (bits >> held) & 255;
  }
  return toBinary(bytes);
}

/** Forgiving, as on the web: white space anywhere, padding whole or none. @returns how many digits end where. */
function measure(text: string): { digits: number; end: number } {
  let digits = 0;
  let pads = 0;
  let end = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = charCodeAt(text, at);
    const value = digit(code);
    if (value === -1) continue;
    if (code === PAD) {
      if (pads++ === 0) end = at;
    } else if (value === -2 || pads > 0) {
      throw argumentError('base64', text);
    } else {
      digits += 1;
    }
  }
  if (digits % 4 === 1 || pads > 2 || (pads > 0 && (digits + pads) % 4 !== 0)) throw argumentError('base64', text);
  return { digits, end };
}
