import { bytesOf, lengthOf, needOptions } from './data.ts';
import { argumentError, errorOf } from './errors.ts';
import { apply, fromCharCode, SafeUint16Array, typedArrayBuffer } from './primordials.ts';
import { BROKEN_AGAIN, MORE, Utf8 } from './utf8.ts';

const REPLACEMENT = 0xfffd;
const BYTE_ORDER_MARK = 0xfeff;
const CHUNK = 8192;

/** Collects characters in pieces: a text that grows by one at a time costs many times its size. */
class Output {
  readonly #units = new SafeUint16Array(CHUNK);
  #used = 0;
  #text = '';

  add(point: number): void {
    if (this.#used + 2 > CHUNK) this.take();
    if (point >= 0x10000) {
      this.#units[this.#used++] = 0xd800 + ((point - 0x10000) >> 10);
      this.#units[this.#used++] = 0xdc00 + ((point - 0x10000) & 0x3ff);
    } else {
      this.#units[this.#used++] = point;
    }
  }

  take(): string {
    const units = new SafeUint16Array(typedArrayBuffer(this.#units), 0, this.#used);
    this.#text += apply(fromCharCode, undefined, units as unknown as number[]);
    this.#used = 0;
    return this.#text;
  }
}

function needLabel(label: unknown): void {
  if (label === 'utf-8' || label === 'utf8' || label === 'UTF-8' || label === 'UTF8') return;
  throw argumentError("the encoding 'utf-8'", label);
}

export class TextDecoder {
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  readonly #utf8 = new Utf8();
  /** Whether something of the stream was decoded, so that no byte order mark can come any more. */
  #begun = false;

  constructor(label: unknown = 'utf-8', options?: unknown) {
    needLabel(label);
    const given = needOptions(options);
    this.#fatal = given?.fatal === true;
    this.#ignoreBom = given?.ignoreBOM === true;
  }

  get encoding(): string {
    return 'utf-8';
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(input?: unknown, options?: unknown): string {
    const stream = needOptions(options)?.stream === true;
    const bytes = input === undefined ? undefined : bytesOf(input);
    if (input !== undefined && bytes === undefined) throw argumentError('bytes to decode', input);
    const output = new Output();
    const length = bytes === undefined ? 0 : lengthOf(bytes);
    for (let at = 0; at < length; at++) this.#add(bytes?.[at] ?? 0, output);
    if (!stream) this.#end(output);
    return output.take();
  }

  #add(byte: number, output: Output): void {
    const point = this.#utf8.next(byte);
    if (point >= 0) this.#put(point, output);
    else if (point !== MORE) this.#broken(output);
    if (point === BROKEN_AGAIN) this.#add(byte, output);
  }

  #put(point: number, output: Output): void {
    const mark = point === BYTE_ORDER_MARK && !this.#begun && !this.#ignoreBom;
    this.#begun = true;
    if (!mark) output.add(point);
  }

  #broken(output: Output): void {
    if (this.#fatal) {
      this.#utf8.reset();
      this.#begun = false;
      throw errorOf('RepyArgumentError', 'expected bytes that are UTF-8, got others');
    }
    this.#put(REPLACEMENT, output);
  }

  #end(output: Output): void {
    const cut = this.#utf8.within;
    this.#utf8.reset();
    if (cut) this.#broken(output);
    this.#begun = false;
  }
}
