import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileName, generateIdentity, NodeClient, type VesselName } from '@potluck/protocol';
import { Daemon } from './daemon.ts';
import { RESTRICTIONS, rejectsWith, TemporaryDirectory } from './support.ts';

const v1 = 'v1' as VesselName;
const user = generateIdentity();
const CONFIG = JSON.stringify({
  listen: { host: '127.0.0.1', port: 0 },
  vessels: [{ owner: user.id, users: [], restrictions: RESTRICTIONS }],
});

/** A process that holds a mount namespace in which the directory is a disk of 2 MiB. */
class SmallDisk implements AsyncDisposable {
  readonly path: string;
  readonly #holder: ReturnType<typeof spawn>;

  private constructor(path: string, holder: ReturnType<typeof spawn>) {
    this.path = path;
    this.#holder = holder;
  }

  static async mount(path: string): Promise<SmallDisk> {
    const namespaces = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
    const script = 'mount -t tmpfs -o size=2m tmpfs "$0" && echo mounted && exec sleep 1000';
    const holder = spawn('unshare', [...namespaces, 'sh', '-c', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const mounted = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]);
    assert.equal(String(mounted[0]), 'mounted\n');
    return new SmallDisk(path, holder);
  }

  /** Its path as seen from here. */
  get seenFromHere(): string {
    return `/proc/${this.#holder.pid}/root${this.path}`;
  }

  /** What makes a command run where the disk is. */
  get wrap(): string[] {
    const namespaces = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--mount', '--preserve-credentials'];
    return ['nsenter', '--target', String(this.#holder.pid), ...namespaces];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit');
    this.#holder.kill();
    await ended;
  }
}

describe('a node manager on a full disk', () => {
  let directory: TemporaryDirectory;
  let disk: SmallDisk;
  let runtime: string;
  const files = new Map<string, Buffer>();
  before(async () => {
    directory = await TemporaryDirectory.make();
    const state = join(directory.path, 'state');
    runtime = join(directory.path, 'runtime');
    await mkdir(state);
    await mkdir(runtime);
    // Nothing is run here: processes that end at once will do.
    for (const name of ['vessel.mjs', 'isolated-vm.node']) await writeFile(join(runtime, name), '');
    disk = await SmallDisk.mount(state);
    await writeFile(join(disk.seenFromHere, 'nodemanager.json'), CONFIG);
  });
  after(async () => {
    await disk[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });
  const start = async (): Promise<Daemon> =>
    await Daemon.start(disk.path, { wrap: disk.wrap, more: ['--runtime', runtime] });
  const connect = async ({ address }: Daemon): Promise<NodeClient> =>
    await NodeClient.connect({ address, node: address.node, identity: user });
  const add = async (client: NodeClient, name: string, bytes: Buffer) =>
    await client.call('AddFileToVessel', { vessel: v1, name: name as FileName }, { attachment: bytes });
  /** Until not even a byte more fits. */
  const fill = async (client: NodeClient): Promise<void> => {
    for (const size of [100_000, 4096, 1]) {
      for (let n = 0; ; n += 1) {
        const name = `${size}-${n}`;
        const bytes = Buffer.alloc(size, name);
        const failure = await add(client, name, bytes).then(
          () => undefined,
          (error: { code: string }) => error,
        );
        if (failure === undefined) files.set(name, bytes);
        else {
          assert.equal(failure.code, 'DISK_FULL');
          break;
        }
      }
    }
  };
  const assertAllThere = async (client: NodeClient): Promise<void> => {
    const { result } = await client.call('ListFilesInVessel', { vessel: v1 });
    assert.deepEqual(
      result.files.map(({ name }) => String(name)),
      [...files.keys()].sort(),
    );
    for (const [name, bytes] of files) {
      const { attachment } = await client.call('RetrieveFileFromVessel', { vessel: v1, name: name as FileName });
      assert.ok(bytes.equals(attachment), name);
    }
  };

  it('refuses uploads with DISK_FULL, keeps every file, and answers everything else, also after a restart', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using daemon = await start();
      const client = await connect(daemon);
      await fill(client);
      assert.ok(files.size > 5);
      await rejectsWith(add(client, '100000-0', Buffer.alloc(150_000)), 'DISK_FULL');
      await assertAllThere(client);
      for (let n = 0; n < 200; n += 1) await client.call('GetVessels', {});
      await assertAllThere(client);
      await daemon.end(signal);
    }
    await using daemon = await start();
    const client = await connect(daemon);
    await assertAllThere(client);
    await client.call('ResetVessel', { vessel: v1 });
    await add(client, 'again', Buffer.alloc(100_000));
    await client.close();
  });
});
