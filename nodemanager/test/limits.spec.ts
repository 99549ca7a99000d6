import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type FileName, LIMITS, packMessage, type VesselName } from '@potluck/protocol';
import { CLOSE_CODES } from '../src/connection.ts';
import { assertRefused, RawConnection, rejectsWith, requestTo, TestNode, type TestNodeInit } from './support.ts';

const v1 = 'v1' as VesselName;

describe('the limits of a node manager', () => {
  let node: TestNode;
  const start = async (limits: TestNodeInit['limits']): Promise<void> => {
    node = await TestNode.start({ limits });
  };
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
  });

  for (const limit of ['connections', 'connectionsPerAddress'] as const) {
    it(`${limit}: as many are served, one more is dropped, and a place that is given back is taken`, async () => {
      await start({ [limit]: 3 });
      const open = await Promise.all([1, 2, 3].map(() => RawConnection.open(node)));
      await rejectsWith(RawConnection.open(node), 'UNREACHABLE');
      for (const connection of open) {
        assert.ok(!((await connection.exchange(await requestTo(node, node.user))) instanceof Error));
      }
      await open[0]?.[Symbol.asyncDispose]();
      // The node hears of it a moment later than we do.
      const again = await retry(async () => await RawConnection.open(node));
      assert.ok(!((await again.exchange(await requestTo(node, node.user))) instanceof Error));
      for (const connection of [...open, again]) await connection[Symbol.asyncDispose]();
    });
  }

  it('requestsPerConnection: as many are under way at once, one more is answered with BUSY', async () => {
    await start({ requestsPerConnection: 4 });
    await using raw = await RawConnection.open(node);
    const messages = await Promise.all(Array.from({ length: 40 }, () => requestTo(node, node.user)));
    for (const message of messages) raw.socket.send(packMessage(message));
    const replies = [];
    for (const _ of messages) replies.push(await raw.reply());
    const refused = replies.filter((reply) => reply instanceof Error);
    for (const reply of refused) assertRefused(reply, 'BUSY');
    assert.ok(refused.length > 0);
    assert.ok(replies.length - refused.length >= 4);
    for (let n = 0; n < 8; n += 1) {
      assert.ok(
        !((await raw.exchange(await requestTo(node, node.user))) instanceof Error),
        'one after another is fine',
      );
    }
  });

  it('requestsPerVessel: as many wait, one more is answered with BUSY, and strangers are still answered', async () => {
    await start({ requestsPerVessel: 2, requestsPerConnection: 100 });
    const client = await node.client(node.user);
    const calls = Array.from({ length: 40 }, () => client.call('ListFilesInVessel', { vessel: v1 }));
    const stranger = (await node.client(node.stranger)).call('GetVesselResources', { vessel: v1 });
    const codes = (await Promise.allSettled(calls)).map((call) =>
      call.status === 'rejected' ? call.reason.code : 'ok',
    );
    assert.ok(codes.filter((code) => code === 'ok').length >= 2, codes.join());
    assert.ok(codes.includes('BUSY'), codes.join());
    await stranger;
    await client.call('ListFilesInVessel', { vessel: v1 });
  });

  it('requestsPerVessel: no user can fill it against the owner, who takes the waiting requests their permission', async () => {
    await start({ requestsPerVessel: 2, startMs: 1500 });
    await writeFile(node.paths.runtime, ''); // No vessel process can be made: a start waits until its limit.
    const [user, owner] = [await node.client(node.user), await node.client(node.owner)];
    await user.call('AddFileToVessel', { vessel: v1, name: 'a.js' as FileName });
    const started = user.call('StartVessel', { vessel: v1, program: 'a.js' as FileName, args: [] });
    await user.call('GetVessels', {}); // Each is answered when what came before it waits.
    const waiting = rejectsWith(user.call('ResetVessel', { vessel: v1 }), 'NOT_PERMITTED');
    await user.call('GetVessels', {});
    await rejectsWith(user.call('ListFilesInVessel', { vessel: v1 }), 'BUSY');
    await owner.call('ChangeUsers', { vessel: v1, users: [] });
    await Promise.all([rejectsWith(started, 'START_FAILED'), waiting]);
    const { result } = await owner.call('ListFilesInVessel', { vessel: v1 });
    assert.deepEqual(
      result.files.map(({ name }) => name),
      ['a.js'],
    );
  });

  it('heldBytes: a message within it is taken, one past it ends its connection and no other', async () => {
    await start({ heldBytes: 1024 * 1024 });
    const client = await node.client(node.user);
    const add = async (bytes: number) =>
      await client.call('AddFileToVessel', { vessel: v1, name: 'a' as never }, { attachment: Buffer.alloc(bytes) });
    const other = await node.client(node.user);
    await add(900_000);
    await add(900_000); // What was held is given back.
    await assert.rejects(add(1_200_000), { code: 'CLOSED', details: { code: CLOSE_CODES.tooManyBytes } });
    await other.call('ListFilesInVessel', { vessel: v1 });
  });

  it('handshakeMs: who connects and says nothing is dropped, before TLS and after it', async () => {
    await start({ handshakeMs: 100 });
    const bare = connect(node.address).on('error', () => undefined);
    const tls = connectTls({ ...node.address, rejectUnauthorized: false })
      .on('error', () => undefined)
      .resume();
    await Promise.all([once(bare, 'close'), once(tls, 'close')]);
  });

  it('messageMs: a message that does not end is cut off', async () => {
    await start({ messageMs: 100 });
    await using raw = await RawConnection.open(node);
    raw.socket.send(Buffer.alloc(10), { fin: false });
    assert.equal((await raw.closed).code, CLOSE_CODES.tooSlow);
  });

  it('messageMs does not hold for the pause between two messages, only idleMs does', async () => {
    await start({ messageMs: 400, idleMs: 1000 });
    await using raw = await RawConnection.open(node);
    assert.ok(!((await raw.exchange(await requestTo(node, node.user))) instanceof Error));
    assert.equal((await raw.closed).code, CLOSE_CODES.idle);
  });

  it('a message past the limit of the wire is not read to its end', async () => {
    await start({});
    await using raw = await RawConnection.open(node);
    raw.socket.send(Buffer.alloc(LIMITS.messageBytes + 1));
    assert.equal((await raw.closed).code, 1009);
  });

  it('a request that is not for a WebSocket gets an answer of HTTP', async () => {
    await start({});
    const socket = connectTls({ ...node.address, rejectUnauthorized: false });
    socket.write('GET / HTTP/1.1\r\nHost: node\r\n\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    assert.match(data.toString(), /^HTTP\/1\.1 426 /);
    await once(socket, 'close');
  });

  it('TLS older than 1.3 is refused', async () => {
    await start({});
    const socket = connectTls({ ...node.address, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.match(String(error.code), /ALERT_PROTOCOL_VERSION/);
  });

  it('a refusal stays a signed reply also when its message is as long as a request could make it', async () => {
    await start({});
    await using raw = await RawConnection.open(node);
    const params = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`unknown-key-${n}`, n]));
    assertRefused(await raw.exchange(await requestTo(node, node.user, { params })), 'BAD_PARAMETERS');
  });
});

async function retry<T>(task: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left -= 1) {
    try {
      return await task();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}
