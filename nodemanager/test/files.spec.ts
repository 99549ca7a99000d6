import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digest, type FileName, LIMITS, type NodeClient, type VesselName } from '@potluck/protocol';
import { assertRefused, RawConnection, RESTRICTIONS, rejectsWith, requestTo, TestNode } from './support.ts';

const v1 = 'v1' as VesselName;
const name = (text: string): FileName => text as FileName;

describe('the files of a vessel', () => {
  let node: TestNode;
  let client: NodeClient;
  const directory = (): string => node.paths.vessel(v1).files;
  const add = async (file: string, bytes: Uint8Array) =>
    (await client.call('AddFileToVessel', { vessel: v1, name: name(file) }, { attachment: bytes })).result;
  const retrieve = async (file: string): Promise<Buffer> =>
    Buffer.from((await client.call('RetrieveFileFromVessel', { vessel: v1, name: name(file) })).attachment);
  const list = async () => (await client.call('ListFilesInVessel', { vessel: v1 })).result.files;
  const start = async (restrictions = RESTRICTIONS): Promise<void> => {
    node = await TestNode.start({ restrictions });
    client = await node.client(node.user);
  };
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
  });

  it('come back as they were sent, with size and SHA-256, in the order of names', async () => {
    await start();
    const files = { 'b.bin': randomBytes(70_000), 'a.js': Buffer.from('log(1)'), empty: Buffer.alloc(0) };
    for (const [file, bytes] of Object.entries(files)) {
      assert.deepEqual(await add(file, bytes), { name: file, size: bytes.length, sha256: digest(bytes) });
    }
    for (const [file, bytes] of Object.entries(files)) assert.ok((await retrieve(file)).equals(bytes));
    const listed = (await list()).map(({ name, size, sha256 }) => `${name} ${size} ${sha256}`);
    const sent = Object.entries(files).map(([file, bytes]) => `${file} ${bytes.length} ${digest(bytes)}`);
    assert.deepEqual(listed, sent.sort());
  });

  it('are replaced as a whole, also when two come at once', async () => {
    await start();
    const versions = [randomBytes(1_000_000), randomBytes(900_000), Buffer.from('short')];
    await Promise.all(versions.map((bytes) => add('same', bytes)));
    const kept = await retrieve('same');
    assert.ok(versions.some((bytes) => bytes.equals(kept)));
    assert.equal((await list())[0]?.sha256, digest(kept));
    assert.deepEqual(await readdir(node.paths.vessel(v1).incoming), []);
  });

  it('are listed with the SHA-256 of what is there now', async () => {
    await start();
    await add('a', Buffer.from('one'));
    await writeFile(join(directory(), 'a'), 'two');
    assert.equal((await list())[0]?.sha256, digest(Buffer.from('two')));
  });

  it('may be as large as a file may be, and one byte more is refused', async () => {
    await start();
    const largest = randomBytes(LIMITS.fileBytes);
    await add('largest', largest);
    assert.ok((await retrieve('largest')).equals(largest));
    await rejectsWith(add('larger', Buffer.alloc(LIMITS.fileBytes + 1)), 'BAD_ATTACHMENT');
    await using raw = await RawConnection.open(node);
    const init = { method: 'AddFileToVessel', params: { vessel: v1, name: 'larger' } };
    const larger = await requestTo(node, node.user, { ...init, attachment: Buffer.alloc(LIMITS.fileBytes + 1) });
    assertRefused(await raw.exchange(larger), 'BAD_ATTACHMENT');
    assert.deepEqual(await readdir(directory()), ['largest']);
  });

  it('may fill the quota, each with 4096 bytes more, and one byte more is refused', async () => {
    await start(RESTRICTIONS.replace(/diskused \d+/, 'diskused 20000'));
    await add('a', Buffer.alloc(5000));
    const rest = 20_000 - 5000 - 2 * 4096;
    await rejectsWith(add('b', Buffer.alloc(rest + 1)), 'QUOTA_EXCEEDED');
    await add('b', Buffer.alloc(rest));
    await rejectsWith(add('c', Buffer.alloc(0)), 'QUOTA_EXCEEDED');
    await add('b', Buffer.alloc(rest)); // What it replaces does not count.
    const { result } = await client.call('GetVesselResources', { vessel: v1 });
    assert.equal(result.usage.diskused, 20_000);
  });

  it('may be as many as the limit, listed in one reply with the longest names, and not one more', async () => {
    await start(RESTRICTIONS.replace(/diskused \d+/, 'diskused 100000000'));
    const names = Array.from({ length: LIMITS.filesPerVessel }, (_, n) =>
      String(n).padStart(LIMITS.fileNameLength, 'a'),
    );
    for (const file of names.slice(1)) await writeFile(join(directory(), file), file);
    await add(names[0] ?? '', Buffer.from('the last that fits'));
    await rejectsWith(add('one-more', Buffer.from('x')), 'QUOTA_EXCEEDED');
    assert.equal((await list()).length, LIMITS.filesPerVessel);
  });

  it('are refused by name when they are not there', async () => {
    await start();
    await rejectsWith(retrieve('nothing.js'), 'NO_SUCH_FILE');
  });

  it('are removed one by one, by users only, and give their room back', async () => {
    await start(RESTRICTIONS.replace(/diskused \d+/, 'diskused 10000'));
    await add('a', Buffer.alloc(5000));
    await rejectsWith(add('b', Buffer.alloc(5000)), 'QUOTA_EXCEEDED');
    const params = { vessel: v1, name: 'a' as FileName };
    await rejectsWith((await node.client(node.stranger)).call('DeleteFileInVessel', params), 'NOT_PERMITTED');
    assert.deepEqual((await client.call('DeleteFileInVessel', params)).result, { name: 'a' });
    await rejectsWith(client.call('DeleteFileInVessel', params), 'NO_SUCH_FILE');
    await add('b', Buffer.alloc(5000));
    assert.deepEqual(await readdir(directory()), ['b']);
    await symlink(node.paths.identity, join(directory(), 'link'));
    const link = { vessel: v1, name: 'link' as FileName };
    await rejectsWith(client.call('DeleteFileInVessel', link), 'NO_SUCH_FILE');
    await stat(node.paths.identity);
  });

  it('are never reached through a link, and nothing but files is listed', async () => {
    await start();
    await symlink(node.paths.identity, join(directory(), 'link'));
    await mkdir(join(directory(), 'directory'));
    await rejectsWith(retrieve('link'), 'NO_SUCH_FILE');
    await rejectsWith(retrieve('directory'), 'NO_SUCH_FILE');
    assert.deepEqual(await list(), []);
    const key = await stat(node.paths.identity);
    await add('link', Buffer.from('a file of the vessel'));
    assert.equal((await retrieve('link')).toString(), 'a file of the vessel');
    assert.equal((await stat(node.paths.identity)).mtimeMs, key.mtimeMs);
  });

  it('are all gone after a reset, and the vessel is fresh', async () => {
    await start();
    await add('a', Buffer.from('one'));
    assert.deepEqual((await client.call('ResetVessel', { vessel: v1 })).result, { state: 'Fresh' });
    assert.deepEqual(await list(), []);
    await add('a', Buffer.from('two'));
  });

  it("are the node's own when their names start with private_: refused, hidden, uncounted, and there after a reset", async () => {
    await start();
    await writeFile(join(directory(), 'private_note'), "the node's own");
    await mkdir(join(directory(), 'private_directory'));
    for (const key of [node.user, node.owner]) {
      client = await node.client(key);
      for (const file of ['private_note', 'private_', 'PRIVATE_Note']) {
        await rejectsWith(add(file, Buffer.from('a user was here')), 'BAD_PARAMETERS');
        await rejectsWith(retrieve(file), 'BAD_PARAMETERS');
        const params = { vessel: v1, name: name(file) };
        await rejectsWith(client.call('DeleteFileInVessel', params), 'BAD_PARAMETERS');
        const program = { vessel: v1, program: name(file), args: [] };
        await rejectsWith(client.call('StartVessel', program), 'BAD_PARAMETERS');
      }
      await add('a', Buffer.from('one'));
      assert.deepEqual(
        (await list()).map(({ name: listed }) => String(listed)),
        ['a'],
      );
      const { usage } = (await client.call('GetVesselResources', { vessel: v1 })).result;
      assert.equal(usage.diskused, ((await list())[0]?.size ?? 0) + 4096);
      await client.call('ResetVessel', { vessel: v1 });
      assert.deepEqual(await list(), []);
      assert.deepEqual((await readdir(directory())).sort(), ['private_directory', 'private_note']);
      assert.equal(await readFile(join(directory(), 'private_note'), 'utf8'), "the node's own");
    }
  });

  it('are gone after a reset also where the directory was replaced by a link, and what it led to is not', async () => {
    await start();
    const elsewhere = join(node.directory.path, 'elsewhere');
    await rename(directory(), elsewhere);
    await writeFile(join(elsewhere, 'b'), 'not of the vessel');
    await symlink(elsewhere, directory());
    await client.call('ResetVessel', { vessel: v1 });
    assert.deepEqual(await readdir(elsewhere), ['b']);
    assert.ok((await lstat(directory())).isDirectory());
  });

  it('are for the node manager alone: directories of mode 0700, files of mode 0600', async () => {
    await start();
    await add('a', Buffer.from('one'));
    const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
    for (const path of [node.directory.path, node.paths.vessels, node.paths.vessel(v1).directory, directory()]) {
      assert.equal(await mode(path), '700', path);
    }
    const { database, identity, lock, log, address, pid } = node.paths;
    for (const path of [join(directory(), 'a'), database, `${database}-wal`, identity, lock, log, address, pid]) {
      assert.equal(await mode(path), '600', path);
    }
  });
});

describe('the users of a vessel', () => {
  it('are changed by its owner, at once and across a restart', async () => {
    await using node = await TestNode.start();
    const owner = await node.client(node.owner);
    const users = [node.stranger.id, node.stranger.id];
    assert.deepEqual((await owner.call('ChangeUsers', { vessel: v1, users })).result.users, [node.stranger.id]);
    await rejectsWith((await node.client(node.user)).call('ListFilesInVessel', { vessel: v1 }), 'NOT_PERMITTED');
    await node.restart();
    await (await node.client(node.stranger)).call('ListFilesInVessel', { vessel: v1 });
  });
});
