// A security layer: files have one method more, `privatewrite(data, offset)`. What it writes can be written over, and
// never be read: also not after the file was closed, and not by the next program. Which bytes are private is kept in a
// file that no program sees.
const STORE = 'private.ranges';
const encoder = new TextEncoder();
const bytesOf = (data) => (typeof data === 'string' ? encoder.encode(data) : data);

/** By the names of files, of which `__proto__` is one: `[from, to]` of each private part, in bytes, up to and without `to`. */
let ranges = Object.create(null);
let store;

async function load() {
  store = await openfile(STORE, true);
  const [line] = (await store.readat(null, 0)).split('\n');
  if (line !== '') ranges = Object.assign(Object.create(null), JSON.parse(line));
}
const loaded = load();
const saving = createlock();

/** Files are never made shorter, so only the first line counts. */
async function save() {
  await saving.acquire();
  try {
    await store.writeat(`${JSON.stringify(ranges)}\n`, 0);
  } finally {
    saving.release();
  }
}

const partsOf = (name) => (Object.hasOwn(ranges, name) ? ranges[name] : []);
const without = (parts, from, to) =>
  parts.flatMap(([first, last]) =>
    [
      [first, Math.min(last, from)],
      [Math.max(first, to), last],
    ].filter(([start, end]) => start < end),
  );

class PrivateFile {
  #file;
  #name;
  /** Reads and writes of one file come one after the other, each with what is known of it. */
  #lock = createlock();

  constructor(file, name) {
    this.#file = file;
    this.#name = name;
  }

  readat(sizelimit, offset) {
    return this.#alone(() => {
      const end = sizelimit === null ? Number.POSITIVE_INFINITY : offset + sizelimit;
      if (partsOf(this.#name).some(([from, to]) => from < end && offset < to)) {
        throw new ResourceForbiddenError('expected to read what was not written by privatewrite, got some of it');
      }
      return this.#file.readat(sizelimit, offset);
    });
  }

  writeat(data, offset) {
    return this.#alone(async () => {
      const bytes = bytesOf(data);
      await this.#file.writeat(bytes, offset);
      // Afterwards: before, it could be read what was private.
      await this.#change(without(partsOf(this.#name), offset, offset + bytes.length));
    });
  }

  privatewrite(data, offset) {
    return this.#alone(async () => {
      const bytes = bytesOf(data);
      const before = partsOf(this.#name);
      const end = offset + bytes.length;
      if (offset >= 0 && end > offset) await this.#change([...without(before, offset, end), [offset, end]]);
      try {
        await this.#file.writeat(bytes, offset);
      } catch (error) {
        await this.#change(before);
        throw error;
      }
    });
  }

  close() {
    return this.#alone(() => this.#file.close());
  }

  async #change(parts) {
    if (parts.length === 0 && !Object.hasOwn(ranges, this.#name)) return;
    ranges[this.#name] = parts;
    await save();
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

function needOther(name) {
  if (name === STORE) throw new RepyArgumentError(`expected another file than ${STORE}, which is the layer's`);
}

layer.wrap(
  'openfile',
  async (name, create, options) => {
    needOther(name);
    await loaded;
    return new PrivateFile(await openfile(name, create, options), name);
  },
  {
    args: ['string', 'boolean', 'object?'],
    returns: {
      readat: { args: ['integer|null', 'integer'], returns: 'string|bytes' },
      writeat: { args: ['string|bytes', 'integer'], returns: 'nothing' },
      privatewrite: { args: ['string|bytes', 'integer'], returns: 'nothing' },
      close: { args: [], returns: 'nothing' },
    },
  },
);

layer.wrap('removefile', async (name) => {
  needOther(name);
  await loaded;
  await removefile(name);
  delete ranges[name];
  await save();
});

layer.wrap('listfiles', async () => (await listfiles()).filter((name) => name !== STORE));
