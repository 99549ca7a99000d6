import { partOf, toBinary } from './data.ts';
import { TextDecoder } from './decoder.ts';
import { apply, charCodeAt, SafeUint8Array, slice, type Table, table } from './primordials.ts';
import { TextEncoder } from './text.ts';

/** A name and its value. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** In their order, from 0. */
export interface Pairs {
  readonly list: Table<Pair>;
  readonly count: number;
}

const HEX = '0123456789ABCDEF';
const PLUS = 43;
const PERCENT = 37;
const SPACE = 32;

const { encode } = TextEncoder.prototype;
const { decode } = TextDecoder.prototype;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { __proto__: null, ignoreBOM: true });

/** The text after `?` of a URL, by the URL Standard's own steps ("application/x-www-form-urlencoded parser"). */
export function parseForm(text: string): Pairs {
  const list = table<Pair>();
  let count = 0;
  for (let start = 0; start <= text.length; ) {
    const end = find(text, 38, start, text.length);
    if (end > start) {
      const equals = find(text, 61, start, end);
      const name = decodePart(slice(text, start, equals));
      const value = equals < end ? decodePart(slice(text, equals + 1, end)) : '';
      list[count++] = { name, value };
    }
    start = end + 1;
  }
  return { list, count };
}

/** @returns the index of a character, or `end`. */
function find(text: string, code: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (charCodeAt(text, at) === code) return at;
  return end;
}

function decodePart(text: string): string {
  const bytes = apply(encode, encoder, [text]) as Uint8Array;
  let out = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const escaped = byte === PERCENT ? digit(bytes[at + 1]) * 16 + digit(bytes[at + 2]) : -1;
    if (escaped >= 0) at += 2;
    bytes[out++] = escaped >= 0 ? escaped : byte === PLUS ? SPACE : byte;
  }
  return apply(decode, decoder, [partOf(bytes, 0, out)]) as string;
}

/** @returns its value, or what makes any sum negative. */
function digit(byte: number | undefined): number {
  if (byte === undefined) return -1000;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const upper = byte & 0xdf;
  return upper >= 65 && upper <= 70 ? upper - 55 : -1000;
}

/** The way back ("serializer"). */
export function serializeForm({ list, count }: Pairs): string {
  let text = '';
  for (let index = 0; index < count; index++) {
    const pair = list[index];
    if (pair === undefined) continue;
    text += `${index === 0 ? '' : '&'}${encodePart(pair.name)}=${encodePart(pair.value)}`;
  }
  return text;
}

function encodePart(text: string): string {
  const bytes = apply(encode, encoder, [text]) as Uint8Array;
  const units = new SafeUint8Array(bytes.length * 3);
  let out = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SPACE || isPlain(byte)) {
      units[out++] = byte === SPACE ? PLUS : byte;
      continue;
    }
    units[out++] = PERCENT;
    units[out++] = charCodeAt(HEX, byte >> 4);
    units[out++] = charCodeAt(HEX, byte & 15);
  }
  return toBinary(partOf(units, 0, out));
}

/** Letters, digits, `*`, `-`, `.` and `_`. */
function isPlain(byte: number): boolean {
  const letter = byte & 0xdf;
  if ((letter >= 65 && letter <= 90) || (byte >= 48 && byte <= 57)) return true;
  return byte === 42 || byte === 45 || byte === 46 || byte === 95;
}
