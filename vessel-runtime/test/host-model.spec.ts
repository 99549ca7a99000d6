import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { Disk, FILE_COST_BYTES } from '../src/host/disk.ts';
import { bring, directFiles, measuredBytes } from './files-helper.ts';
import { temporaryDirectory } from './helper.ts';

const LIMIT = 50_000;

const name = fc.constantFrom('a', 'b', 'c');
const at = fc.nat(9000);
const length = fc.nat(9000);
const byte = fc.nat(255);
const step = fc.oneof(
  fc.record({ do: fc.constant('open' as const), name, create: fc.boolean(), empty: fc.boolean() }),
  fc.record({ do: fc.constant('close' as const), name }),
  fc.record({ do: fc.constant('write' as const), name, at, length, byte }),
  fc.record({ do: fc.constant('append' as const), name, length, byte }),
  fc.record({ do: fc.constant('read' as const), name, at, length }),
  fc.record({ do: fc.constant('remove' as const), name }),
  fc.record({ do: fc.constant('bring' as const), name, length: fc.nat(20_000), byte }),
  fc.record({ do: fc.constant('count' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Of<Do extends Step['do']> = Extract<Step, { do: Do }>;

/** @returns what a call gives, or the code of what it raises. */
async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await run()) ?? 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Files as everybody imagines them. */
class Model {
  readonly files = new Map<string, Buffer>();
  readonly open = new Set<string>();

  get used(): number {
    return [...this.files.values()].reduce((sum, bytes) => sum + bytes.byteLength + FILE_COST_BYTES, 0);
  }

  #fits(more: number): boolean {
    return more <= 0 || this.used + more <= LIMIT;
  }

  begin({ name, create, empty }: Of<'open'>): string {
    const there = this.files.has(name);
    if (this.open.has(name)) return 'FileInUseError';
    if (!there && !create) return 'FileNotFoundError';
    if (!there && !this.#fits(FILE_COST_BYTES)) return 'LIMIT_PASSED';
    if (!there || empty) this.files.set(name, Buffer.alloc(0));
    this.open.add(name);
    return 'handle';
  }

  close(name: string): string {
    return this.open.delete(name) ? 'done' : 'FileClosedError';
  }

  remove(name: string): string {
    if (this.open.has(name)) return 'FileInUseError';
    return this.files.delete(name) ? 'done' : 'FileNotFoundError';
  }

  bring(name: string, bytes: Buffer): string {
    const old = this.files.get(name)?.byteLength ?? -FILE_COST_BYTES;
    if (!this.#fits(bytes.byteLength - old)) return 'QUOTA_EXCEEDED';
    this.files.set(name, bytes);
    return 'done';
  }

  write(name: string, place: number | null, bytes: Buffer): unknown {
    const old = this.files.get(name);
    if (!this.open.has(name) || old === undefined) return 'FileClosedError';
    const offset = place ?? old.byteLength;
    if (offset > old.byteLength) return 'SeekPastEndOfFileError';
    const made = Buffer.alloc(Math.max(old.byteLength, offset + bytes.byteLength));
    if (!this.#fits(made.byteLength - old.byteLength)) return 'LIMIT_PASSED';
    old.copy(made);
    bytes.copy(made, offset);
    this.files.set(name, made);
    return offset + bytes.byteLength;
  }

  read({ name, at, length }: Of<'read'>): unknown {
    const old = this.files.get(name);
    if (!this.open.has(name) || old === undefined) return 'FileClosedError';
    return at > old.byteLength ? 'SeekPastEndOfFileError' : old.subarray(at, at + length);
  }
}

/** The real files, by the same calls. */
class Real {
  readonly #disk: Disk;
  readonly #incoming: string;
  readonly #direct: ReturnType<typeof directFiles>;
  readonly #handles = new Map<string, number>();

  constructor(disk: Disk, incoming: string) {
    this.#disk = disk;
    this.#incoming = incoming;
    this.#direct = directFiles(disk);
  }

  stop(): Promise<void> {
    return this.#direct.session.stop();
  }

  async begin(init: Of<'open'>): Promise<unknown> {
    const handle = await outcome(() => this.#direct.files.open(init.name, init));
    if (typeof handle !== 'number') return handle;
    this.#handles.set(init.name, handle);
    return 'handle';
  }

  close(name: string): Promise<unknown> {
    const handle = this.#handleOf(name);
    this.#handles.delete(name);
    return outcome(() => this.#direct.files.close(handle));
  }

  remove(name: string): Promise<unknown> {
    return outcome(() => this.#direct.files.remove(name));
  }

  bring(name: string, bytes: Buffer): Promise<unknown> {
    return outcome(() => bring(this.#disk, name, bytes, this.#incoming));
  }

  write(name: string, place: number | null, bytes: Buffer): Promise<unknown> {
    const { files } = this.#direct;
    return outcome(async () => files.alone(this.#handleOf(name), (file) => files.write(file, place, bytes)));
  }

  read({ name, at, length }: Of<'read'>): Promise<unknown> {
    const { files } = this.#direct;
    const read = async (file: string) => (await files.read(file, at, length)).bytes;
    return outcome(async () => files.alone(this.#handleOf(name), read));
  }

  #handleOf(name: string): number {
    return this.#handles.get(name) ?? -1;
  }
}

async function compare(each: Step, real: Real, model: Model): Promise<void> {
  if (each.do === 'open') assert.equal(await real.begin(each), model.begin(each));
  else if (each.do === 'close') assert.equal(await real.close(each.name), model.close(each.name));
  else if (each.do === 'remove') assert.equal(await real.remove(each.name), model.remove(each.name));
  else if (each.do === 'read') assert.deepEqual(await real.read(each), model.read(each));
  else if (each.do !== 'count') {
    const bytes = Buffer.alloc(each.length, each.byte);
    const place = each.do === 'write' ? each.at : null;
    if (each.do === 'bring') assert.equal(await real.bring(each.name, bytes), model.bring(each.name, bytes));
    else assert.equal(await real.write(each.name, place, bytes), model.write(each.name, place, bytes));
  }
}

describe('the files of a program', () => {
  it('do what a simple model does, for any sequence of calls, and take what the system counts', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'files');
    const disk = new Disk({ directory, limitBytes: LIMIT });
    const run = async (steps: readonly Step[]): Promise<void> => {
      await disk.clear();
      const real = new Real(disk, join(root.path, 'incoming'));
      const model = new Model();
      for (const each of steps) {
        if (each.do === 'count') await disk.count();
        await compare(each, real, model);
        assert.equal(disk.usedBytes, model.used);
      }
      assert.equal(await measuredBytes(directory), model.used);
      for (const [file, bytes] of model.files) assert.ok(bytes.equals(await readFile(join(directory, file))));
      const afterRestart = new Disk({ directory, limitBytes: LIMIT });
      await afterRestart.count();
      assert.equal(afterRestart.usedBytes, model.used);
      await real.stop();
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), run), { numRuns: 100 });
  });
});
