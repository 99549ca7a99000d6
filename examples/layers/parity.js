// A security layer: each 8 bytes of a file, counted from its beginning, hold an even number of odd bytes. A write that
// would break this is refused as a whole. An end of fewer than 8 bytes is not looked at until it is complete.
const SIZE = 8;
/** @type {{ encoding: 'binary' }} */
const BINARY = { encoding: 'binary' };
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** @param bytes from the beginning of a sequence on */
function needEven(bytes) {
  for (let at = 0; at + SIZE <= bytes.length; at += SIZE) {
    const odd = bytes.subarray(at, at + SIZE).filter((byte) => byte % 2 === 1).length;
    if (odd % 2 === 0) continue;
    const message = `expected an even number of odd bytes in ${SIZE}, got ${odd}`;
    throw Object.assign(new Error(message), { name: 'ParityError' });
  }
}

class ParityFile {
  #file;
  #binary;
  /** What is checked is what is written: no other write comes in between. */
  #lock = createlock();

  constructor(file, binary) {
    this.#file = file;
    this.#binary = binary;
  }

  readat(sizelimit, offset) {
    return this.#alone(async () => {
      const bytes = await this.#file.readat(sizelimit, offset);
      return this.#binary ? bytes : decoder.decode(bytes);
    });
  }

  writeat(data, offset) {
    return this.#alone(async () => {
      const bytes = typeof data === 'string' ? encoder.encode(data) : data;
      if (offset >= 0) await this.#check(bytes, offset);
      await this.#file.writeat(bytes, offset);
    });
  }

  close() {
    return this.#alone(() => this.#file.close());
  }

  /** Reads only what is left of the first and of the last sequence that the write touches. */
  async #check(bytes, offset) {
    const head = await this.#file.readat(offset % SIZE, offset - (offset % SIZE));
    // Beyond the end of the file: the write itself will say so.
    if (head.length < offset % SIZE) return;
    const end = offset + bytes.length;
    const missing = (SIZE - (end % SIZE)) % SIZE;
    const tail = await this.#file.readat(missing, end).catch((error) => {
      if (error instanceof SeekPastEndOfFileError) return new Uint8Array(0);
      throw error;
    });
    const whole = new Uint8Array(head.length + bytes.length + tail.length);
    whole.set(head);
    whole.set(bytes, head.length);
    whole.set(tail, head.length + bytes.length);
    needEven(whole);
  }

  async #alone(run) {
    await this.#lock.acquire();
    try {
      return await run();
    } finally {
      this.#lock.release();
    }
  }
}

const OPEN_ERRORS = ['RepyArgumentError', 'ResourceExhaustedError', 'FileInUseError', 'FileNotFoundError'];
const FILE_ERRORS = ['RepyArgumentError', 'ResourceExhaustedError', 'FileClosedError', 'SeekPastEndOfFileError'];

layer.wrap(
  'openfile',
  async (name, create, options) => {
    const { encoding = 'utf8' } = /** @type {{ encoding?: string }} */ (options ?? {});
    // Wrong options are refused below, as without this layer.
    const known = encoding === 'utf8' || encoding === 'binary';
    return new ParityFile(await openfile(name, create, known ? BINARY : options), encoding === 'binary');
  },
  {
    args: ['string', 'boolean', 'object?'],
    returns: {
      readat: { args: ['integer|null', 'integer'], returns: 'string|bytes', throws: FILE_ERRORS },
      writeat: { args: ['string|bytes', 'integer'], returns: 'nothing', throws: [...FILE_ERRORS, 'ParityError'] },
      close: { args: [], returns: 'nothing', throws: FILE_ERRORS },
    },
    throws: OPEN_ERRORS,
  },
);
