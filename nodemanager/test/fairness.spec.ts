import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type FileName, generateIdentity, type KeyId, packMessage, type VesselName } from '@potluck/protocol';
import { CLOSE_CODES } from '../src/connection.ts';
import { assertRefused, RawConnection, rejectsWith, requestTo, TestNode, type TestNodeInit } from './support.ts';

const v1 = 'v1' as VesselName;
const file = 'a.js' as FileName;
/** So little that nothing comes back while a test runs. */
const NEVER = 0.001;
const ELSEWHERE = '127.0.0.9';
const isLinux = process.platform === 'linux';

describe('a node manager that many ask at once', () => {
  let node: TestNode;
  const start = async (limits: TestNodeInit['limits']): Promise<void> => {
    node = await TestNode.start({ limits });
  };
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
  });
  const asks = async (raw: RawConnection, signer = node.stranger) => await raw.exchange(await requestTo(node, signer));
  const answered = async (...given: Parameters<typeof asks>): Promise<void> =>
    assert.ok(!((await asks(...given)) instanceof Error));
  const refused = async (...given: Parameters<typeof asks>): Promise<void> => {
    const { details } = assertRefused(await asks(...given), 'BUSY');
    assert.ok(Number(details.retryAfterMs) > 0, 'it says when to come again');
  };

  it('requestsPerVessel: a user who fills his share of the queue is told so, and keeps no other user out', async () => {
    await start({ requestsPerVessel: 4, startMs: 1500 });
    await writeFile(node.paths.runtime, ''); // No vessel process can be made: a start waits until its limit.
    const second = generateIdentity();
    const owner = await node.client(node.owner);
    await owner.call('ChangeUsers', { vessel: v1, users: [node.user.id, second.id] });
    const [many, one] = [await node.client(node.user), await node.client(second)];
    const write = (text: string) =>
      many.call('AddFileToVessel', { vessel: v1, name: file }, { attachment: Buffer.from(text) });
    await write('first');
    const starting = rejectsWith(many.call('StartVessel', { vessel: v1, program: file, args: [] }), 'START_FAILED');
    await many.call('GetVessels', {}); // It is answered when what came before it waits.
    const waiting = ['1', '2', '3'].map(write);
    await many.call('GetVessels', {});
    await rejectsWith(write('4'), 'BUSY');
    const read = await one.call('RetrieveFileFromVessel', { vessel: v1, name: file });
    assert.equal(read.attachment.toString(), 'first', 'his turn is before the second one of who sent many');
    await Promise.all([starting, ...waiting]);
    const last = await one.call('RetrieveFileFromVessel', { vessel: v1, name: file });
    assert.equal(last.attachment.toString(), '3');
  });

  it('addressBurst: as many requests of strangers from one address are answered, one more is told when to come again', async () => {
    await start({ addressBurst: 3, addressPerSecond: NEVER });
    await using raw = await RawConnection.open(node);
    for (let n = 0; n < 3; n += 1) await answered(raw, generateIdentity());
    await refused(raw, generateIdentity());
    await using other = await RawConnection.open(node);
    await refused(other);
  });

  it('addressBurst: broken requests count, those of who has a vessel here do not', async () => {
    await start({ addressBurst: 2, addressPerSecond: NEVER });
    await using mine = await RawConnection.open(node);
    for (let n = 0; n < 5; n += 1) await answered(mine, node.user);
    await using raw = await RawConnection.open(node);
    const { envelope } = await requestTo(node, node.user);
    const forged = { envelope: `${envelope.slice(0, -8)}AAAAAAAA`, attachment: Buffer.alloc(0) };
    assertRefused(await raw.exchange(forged), 'BAD_SIGNATURE');
    assertRefused(await raw.exchange(forged), 'BAD_SIGNATURE');
    assertRefused(await raw.exchange(forged), 'BUSY');
    for (let n = 0; n < 5; n += 1) await answered(mine, node.user);
    await refused(mine); // A stranger's request over a user's connection is a stranger's.
  });

  it('addressPerSecond: what was refused is answered later, by itself when a client asks', async () => {
    await start({ addressBurst: 1, addressPerSecond: 20 });
    const client = await node.client(node.stranger);
    const sinceMs = performance.now();
    for (let n = 0; n < 4; n += 1) await client.call('GetVessels', {});
    assert.ok(performance.now() - sinceMs > 100, 'three of them waited for their turn');
  });

  it('keyBurst: as many requests of one key are answered, over whatever connections, one more is told when to come again', async () => {
    await start({ keyBurst: 3, keyPerSecond: NEVER });
    await using raw = await RawConnection.open(node);
    await using other = await RawConnection.open(node);
    for (const one of [raw, other, raw]) await answered(one, node.user);
    await refused(raw, node.user);
    await refused(other, node.user);
    await using owner = await RawConnection.open(node);
    await answered(owner, node.owner);
    await rejectsWith((await node.client(node.user)).call('GetVessels', {}, { timeoutMs: 100 }), 'BUSY');
  });

  it('keyPerSecond: a user who was too fast goes on when his time has come', async () => {
    await start({ keyBurst: 1, keyPerSecond: 20 });
    const client = await node.client(node.user);
    const sinceMs = performance.now();
    for (let n = 0; n < 4; n += 1) await client.call('ListFilesInVessel', { vessel: v1 });
    assert.ok(performance.now() - sinceMs > 100, 'three of them waited for their turn');
  });

  it('a key that lost its vessel counts as a stranger from then on', async () => {
    await start({ addressBurst: 2, addressPerSecond: NEVER });
    await using raw = await RawConnection.open(node);
    for (let n = 0; n < 4; n += 1) await answered(raw, node.user);
    await (await node.client(node.owner)).call('ChangeUsers', { vessel: v1, users: [] as KeyId[] });
    await answered(raw, node.user); // Known by now; the next ones are counted.
    await answered(raw, node.user);
    await refused(raw, node.user);
  });

  it('the owner is answered while a stranger floods it, from his address and from another', async () => {
    await start({ addressBurst: 50 });
    const owner = await node.client(node.owner);
    await owner.call('ListFilesInVessel', { vessel: v1 });
    const message = packMessage(await requestTo(node, node.stranger));
    const flood = await Promise.all(
      Array.from({ length: 8 }, (_, n) => RawConnection.open(node, isLinux && n < 4 ? ELSEWHERE : undefined)),
    );
    for (const { socket } of flood) for (let n = 0; n < 1000; n += 1) socket.send(message);
    for (let n = 0; n < 20; n += 1) await owner.call('ListFilesInVessel', { vessel: v1 });
    for (const raw of flood) assert.equal(raw.socket.readyState, raw.socket.OPEN);
    for (const raw of flood) await raw[Symbol.asyncDispose]();
  });

  it('repliesPerConnection: who sends on without reading is read no further, and later answered to the end', async () => {
    const held = 256 * 1024;
    await start({ heldBytes: held, addressHeldBytes: held });
    const messages = await Promise.all(Array.from({ length: 1500 }, () => requestTo(node, node.user)));
    await using raw = await RawConnection.open(node);
    const packed = messages.map(packMessage);
    assert.ok(packed.reduce((sum, { length }) => sum + length, 0) > 3 * held);
    for (const bytes of packed) raw.socket.send(bytes);
    for (const _ of packed) await raw.reply();
  });

  it('addressHeldBytes: a message within it is taken, one past it ends its connection, other addresses go on', async function () {
    if (!isLinux) this.skip();
    await start({ addressHeldBytes: 1024 * 1024 });
    const add = async (bytes: number): Promise<void> => {
      const attachment = Buffer.alloc(bytes);
      await (await node.client(node.user)).call('AddFileToVessel', { vessel: v1, name: file }, { attachment });
    };
    await using partial = await RawConnection.open(node);
    partial.socket.send(Buffer.alloc(600_000), { fin: false });
    await add(300_000);
    await assert.rejects(add(600_000), { code: 'CLOSED', details: { code: CLOSE_CODES.tooManyBytes } });
    await using other = await RawConnection.open(node, ELSEWHERE);
    const params = { vessel: v1, name: file };
    const upload = { method: 'AddFileToVessel', params, attachment: Buffer.alloc(900_000) };
    assert.ok(!((await other.exchange(await requestTo(node, node.user, upload))) instanceof Error));
  });

  it('heldBytes: when they are all held, the address that holds most gives way to one that holds less', async function () {
    if (!isLinux) this.skip();
    await start({ heldBytes: 1024 * 1024, addressHeldBytes: 1024 * 1024 });
    const greedy = [await RawConnection.open(node, ELSEWHERE), await RawConnection.open(node, ELSEWHERE)];
    const closed = Promise.race(greedy.map(async ({ socket }) => await once(socket, 'close')));
    for (const { socket } of greedy) socket.send(Buffer.alloc(500_000), { fin: false });
    const add = async (bytes: number): Promise<void> => {
      const attachment = Buffer.alloc(bytes);
      await (await node.client(node.user)).call('AddFileToVessel', { vessel: v1, name: file }, { attachment });
    };
    await add(400_000);
    await closed;
    assert.equal(greedy.filter(({ socket }) => socket.readyState === socket.OPEN).length, 1);
    // It holds less than what is asked for now.
    await assert.rejects(add(800_000), { code: 'CLOSED', details: { code: CLOSE_CODES.tooManyBytes } });
    for (const raw of greedy) await raw[Symbol.asyncDispose]();
  });

  it('connectionsBurst: as many connections of one address are taken, one more is dropped, other addresses go on', async function () {
    if (!isLinux) this.skip();
    await start({ connectionsBurst: 3, connectionsPerSecond: NEVER });
    for (let n = 0; n < 3; n += 1) await (await RawConnection.open(node))[Symbol.asyncDispose]();
    await rejectsWith(RawConnection.open(node), 'UNREACHABLE');
    await using other = await RawConnection.open(node, ELSEWHERE);
    await answered(other);
  });

  it('connectionsPerSecond: who was dropped is taken when his time has come', async () => {
    await start({ connectionsBurst: 1, connectionsPerSecond: 5 });
    await (await RawConnection.open(node))[Symbol.asyncDispose]();
    await rejectsWith(RawConnection.open(node), 'UNREACHABLE');
    for (;;) {
      const raw = await RawConnection.open(node).catch(() => undefined);
      if (raw !== undefined) return await raw[Symbol.asyncDispose]();
    }
  });

  it('connections: an address that holds all of them gives its newest to another address, and one only', async function () {
    if (!isLinux) this.skip();
    await start({ connections: 3 });
    const open: RawConnection[] = [];
    for (let n = 0; n < 3; n += 1) open.push(await RawConnection.open(node));
    await using other = await RawConnection.open(node, ELSEWHERE);
    await answered(other);
    await open[2]?.closed;
    await rejectsWith(RawConnection.open(node, ELSEWHERE), 'UNREACHABLE');
    for (const raw of open.slice(0, 2)) await answered(raw);
    for (const raw of open) await raw[Symbol.asyncDispose]();
  });
});
