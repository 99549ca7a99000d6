import { CallFailure } from './failure.ts';
import type { Files } from './files.ts';

const BLOCK_BYTES = 4096;
const NEWLINE = 10;

export interface StreamInit {
  readonly handle: number;
  readonly binary: boolean;
  /** Every write goes to the end of the file. */
  readonly append: boolean;
}

/** A file with a position, as the first generation has it. Text is never cut within a character. */
export class Stream {
  readonly #files: Files;
  readonly #init: StreamInit;
  #position = 0;
  /** A block that was read for lines: what is paid for once is read once. */
  #block: { readonly at: number; readonly bytes: Buffer } | undefined;

  constructor(files: Files, init: StreamInit) {
    this.#files = files;
    this.#init = init;
  }

  /** @param most bytes; without it all that there are. @returns nothing at the end of the file. */
  read(most?: number): Promise<Buffer> {
    return this.#alone(async (name) => {
      const { bytes, end } = await this.#read(name, this.#position, most);
      return this.#advance(end ? bytes : await this.#whole(name, bytes));
    });
  }

  /** @returns a line with its end, or `most` bytes of it; nothing at the end of the file. */
  line(most = Number.POSITIVE_INFINITY): Promise<Buffer> {
    return this.#alone(async (name) => {
      const parts: Buffer[] = [];
      let length = 0;
      while (length < most) {
        const rest = (await this.#blockAt(name, this.#position + length)).subarray(0, most - length);
        if (rest.byteLength === 0) return this.#advance(Buffer.concat(parts));
        const newline = rest.indexOf(NEWLINE);
        parts.push(newline === -1 ? rest : rest.subarray(0, newline + 1));
        length += parts.at(-1)?.byteLength ?? 0;
        if (newline !== -1) return this.#advance(Buffer.concat(parts));
      }
      return this.#advance(await this.#whole(name, Buffer.concat(parts)));
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#files.holding(bytes, () =>
      this.#alone(async (name) => {
        this.#block = undefined;
        this.#position = await this.#files.write(name, this.#init.append ? null : this.#position, bytes);
      }),
    );
  }

  /** @param whence 0 from the start, 1 from where it is, 2 from the end. @throws CallFailure RepyArgument */
  seek(offset: number, whence: number): Promise<void> {
    return this.#alone(async (name) => {
      const from = whence === 0 ? 0 : whence === 1 ? this.#position : await this.#files.size(name);
      if (from + offset >= 0 && Number.isSafeInteger(from + offset)) {
        this.#position = from + offset;
        return;
      }
      throw new CallFailure('RepyArgumentError', `expected a position in the file, got ${from + offset}`);
    });
  }

  #alone<T>(task: (name: string) => Promise<T>): Promise<T> {
    return this.#files.alone(this.#init.handle, task);
  }

  #advance(bytes: Buffer): Buffer {
    this.#position += bytes.byteLength;
    return bytes;
  }

  /** Beyond the end there is nothing, and no error: the first generation has none. */
  async #read(name: string, offset: number, most?: number): Promise<{ bytes: Buffer; end: boolean }> {
    try {
      return await this.#files.read(name, offset, most);
    } catch (error) {
      if (!(error instanceof CallFailure) || error.code !== 'SeekPastEndOfFileError') throw error;
      return { bytes: Buffer.alloc(0), end: true };
    }
  }

  /** @returns what there is from there to the end of the block that it is in. */
  async #blockAt(name: string, offset: number): Promise<Buffer> {
    const known = this.#block;
    if (known !== undefined && offset >= known.at && offset < known.at + known.bytes.byteLength) {
      return known.bytes.subarray(offset - known.at);
    }
    const { bytes } = await this.#read(name, offset, BLOCK_BYTES - (offset % BLOCK_BYTES));
    this.#block = { at: offset, bytes };
    return bytes;
  }

  /** @returns the bytes without the beginning of a character at their end; or that character, if there is nothing else. */
  async #whole(name: string, bytes: Buffer): Promise<Buffer> {
    const cut = this.#init.binary ? 0 : cutBytes(bytes);
    if (cut === 0) return bytes;
    if (cut < bytes.byteLength) return bytes.subarray(0, -cut);
    const { bytes: more } = await this.#read(name, this.#position, characterBytes(bytes[0] ?? 0));
    return more;
  }
}

function characterBytes(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

/** @returns how many bytes at the end begin a character of UTF-8 that has more. */
function cutBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if ((byte & 0xc0) !== 0x80) return characterBytes(byte) > back ? back : 0;
  }
  return 0;
}
