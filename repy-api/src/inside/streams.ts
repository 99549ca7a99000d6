import { OP } from '../ops.ts';
import { forgiven, invoke, promised } from './bridge.ts';
import { fromBase64, lengthOf } from './data.ts';
import { argumentError } from './errors.ts';
import { bytesOrText, type Content, later, needContent, needFileName, needSmall, needWhole } from './files.ts';
import {
  charCodeAt,
  isArray,
  isInteger,
  SafeUint8Array,
  setData,
  slice,
  typedArrayBuffer,
  typedArraySet,
} from './primordials.ts';

const ALL = -1;
const NEWLINE = 0x0a;
const nothing = () => undefined;

interface Mode {
  readonly kind: string;
  readonly plus: boolean;
  readonly binary: boolean;
}

/** `r`, `w` or `a`, then `+` and `b` in either order. */
function needMode(mode: unknown): Mode {
  const text = typeof mode === 'string' ? mode : '';
  const kind = slice(text, 0, 1);
  const rest = slice(text, 1, text.length);
  const plus = rest === '+' || rest === '+b' || rest === 'b+';
  const binary = rest === 'b' || rest === '+b' || rest === 'b+';
  if ((kind === 'r' || kind === 'w' || kind === 'a') && (plus || binary || rest === '')) return { kind, plus, binary };
  throw argumentError("a mode of 'r', 'w' or 'a' with '+' and 'b' where wanted", mode);
}

/** As in Python: without a number, or with one below 0, all that there is. */
function needSize(value: unknown): number {
  if (value === undefined || value === null) return ALL;
  if (typeof value !== 'number' || !isInteger(value)) throw argumentError('a whole number of bytes', value);
  return value < 0 ? ALL : value;
}

/** What `open` resolves with: a file with a position, as in Seattle's first generation. */
class RepyStream {
  readonly #handle: number;
  readonly #mode: Mode;

  constructor(handle: number, mode: Mode) {
    this.#handle = handle;
    this.#mode = mode;
  }

  read(size?: unknown): Promise<unknown> {
    return promised(() => this.#read(needSize(size), false));
  }

  readline(size?: unknown): Promise<unknown> {
    return promised(() => this.#read(needSize(size), true));
  }

  readlines(sizehint?: unknown): Promise<unknown[]> {
    return promised(() => {
      needSize(sizehint);
      this.#needReading();
      const { binary } = this.#mode;
      const request = invoke(OP.readstream, this.#handle, ALL, false, binary);
      return later(request, (data) => (binary ? linesOfBytes(fromBase64(data as string)) : linesOf(data as string)));
    });
  }

  async next(): Promise<{ value: unknown; done: boolean }> {
    const line = (await this.#read(ALL, true)) as string | Uint8Array;
    return line.length === 0 ? { value: undefined, done: true } : { value: line, done: false };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  seek(offset: unknown, whence: unknown = 0): Promise<void> {
    return promised(() => {
      if (whence !== 0 && whence !== 1 && whence !== 2) throw argumentError('a whence of 0, 1 or 2', whence);
      if (typeof offset !== 'number' || !isInteger(offset)) throw argumentError('an offset as a whole number', offset);
      const to = whence === 0 ? needWhole(offset, 'an offset') : offset;
      return later(invoke(OP.seekstream, this.#handle, to, whence), nothing);
    });
  }

  write(data: unknown): Promise<void> {
    return promised(() => {
      const content = needContent(data);
      this.#needWriting();
      return this.#write(content);
    });
  }

  writelines(lines: unknown): Promise<void> {
    return promised(() => {
      if (!isArray(lines)) throw argumentError('the lines as an array', lines);
      const parts = joined(lines);
      this.#needWriting();
      let last = this.#write(parts[0] ?? { text: '', binary: false });
      for (let at = 1; at < parts.length; at++) last = both(last, this.#write(parts[at] as Content));
      return last;
    });
  }

  #write({ text, binary }: Content): Promise<void> {
    return later(invoke(OP.writestream, this.#handle, text, binary), nothing);
  }

  flush(): Promise<void> {
    return promised(() => later(invoke(OP.flushstream, this.#handle), nothing));
  }

  close(): Promise<void> {
    return promised(() => later(invoke(OP.closefile, this.#handle), nothing));
  }

  #read(size: number, line: boolean): Promise<unknown> {
    this.#needReading();
    const { binary } = this.#mode;
    return later(invoke(OP.readstream, this.#handle, size, line, binary), bytesOrText(binary));
  }

  #needReading(): void {
    if (this.#mode.kind !== 'r' && !this.#mode.plus)
      throw argumentError('a file that was opened for reading', this.#mode.kind);
  }

  #needWriting(): void {
    if (this.#mode.kind === 'r' && !this.#mode.plus) throw argumentError('a file that was opened for writing', 'r');
  }
}

/** @returns the lines with texts that follow each other made one. */
function joined(lines: readonly unknown[]): Content[] {
  const parts: Content[] = [];
  let count = 0;
  for (let at = 0; at < lines.length; at++) {
    const content = needContent(lines[at]);
    const last = parts[count - 1];
    const text = last !== undefined && !last.binary && !content.binary;
    if (text) setData(parts, count - 1, needSmall({ text: last.text + content.text, binary: false }));
    else setData(parts, count++, content);
  }
  return parts;
}

/** What the first raises is raised, though the second is awaited as well. */
async function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  forgiven(second);
  await first;
  await second;
}

function linesOf(data: string): string[] {
  const lines: string[] = [];
  for (let from = 0, at = 0; at < data.length; at++) {
    if (charCodeAt(data, at) !== NEWLINE && at < data.length - 1) continue;
    setData(lines, lines.length, slice(data, from, at + 1));
    from = at + 1;
  }
  return lines;
}

function linesOfBytes(data: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  const length = lengthOf(data);
  for (let from = 0, at = 0; at < length; at++) {
    if (data[at] !== NEWLINE && at < length - 1) continue;
    const line = new SafeUint8Array(at + 1 - from);
    // Not by `subarray`: it asks the program's own `Symbol.species` what to make.
    typedArraySet(line, new SafeUint8Array(typedArrayBuffer(data), from, at + 1 - from));
    setData(lines, lines.length, line);
    from = at + 1;
  }
  return lines;
}

export function open(name: unknown, mode: unknown = 'r'): Promise<RepyStream> {
  return promised(() => {
    const file = needFileName(name);
    const needed = needMode(mode);
    const request = invoke(OP.openstream, file, needed.kind, needed.binary);
    return later(request, (handle) => new RepyStream(handle as number, needed));
  });
}
