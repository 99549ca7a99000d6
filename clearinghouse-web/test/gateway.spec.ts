import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  GATEWAY,
  type GatewayReply,
  generateIdentity,
  type Identity,
  openPinnedSocket,
  signAdvertisement,
  verifyAdvertisement,
} from '@potluck/protocol';
import type { WebSocket } from 'ws';
import { LIMITS } from '../src/limits.ts';
import { eventually, Site } from './support/site.ts';

const FACTS = { addresses: [{ host: '127.0.0.1', port: 1224 }], keys: [], version: 'test' };

async function ask(socket: WebSocket, message: string | Buffer): Promise<GatewayReply> {
  const reply = once(socket, 'message');
  socket.send(message);
  return JSON.parse(String((await reply)[0]));
}

describe('the gateway', () => {
  let site: Site;
  const open: WebSocket[] = [];

  before(async () => {
    site = await Site.start();
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.terminate();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  /** @param identity whose key is proved. */
  async function dial(identity?: Identity): Promise<WebSocket> {
    const { socket } = await openPinnedSocket({
      identity,
      address: site.gateway,
      key: site.gateway.key,
      maxPayloadBytes: 65_536,
    });
    socket.on('error', () => undefined);
    open.push(socket);
    return socket;
  }

  function nodeRow({ id }: Identity) {
    const row = site.rows('SELECT reach, connected FROM nodes WHERE id = ?', id)[0];
    return row && { ...JSON.parse(String(row.reach)), connected: row.connected };
  }

  it('proves the key that it was given, and no other', async () => {
    const other = generateIdentity().id;
    await assert.rejects(openPinnedSocket({ address: site.gateway, key: other, maxPayloadBytes: 1 }), {
      code: 'WRONG_IDENTITY',
    });
  });

  it('takes a signed advertisement, and hands it to whoever asks for a key that it names', async () => {
    const node = generateIdentity();
    const key = generateIdentity().id;
    const jws = await signAdvertisement(node, { ...FACTS, keys: [key] }, 60);
    assert.deepEqual(await ask(await dial(node), jws), { ok: true });
    assert.deepEqual((await site.api().get(`/advertisements/${key}`)).body, { advertisements: [jws] });
    assert.deepEqual((await site.api().get(`/advertisements/${node.id}`)).body, { advertisements: [] });
    assert.equal((await site.api().get('/advertisements/nonsense')).body.code, 'INVALID_REQUEST');
  });

  it('hands out the donated nodes first, and no more than a reader takes, however many strangers name a key', async () => {
    const donor = await site.api().join('donor');
    const donated = await site.peer(donor, 'donor', 1);
    const key = await site.donorKey('donor');
    const facts = { ...FACTS, keys: [key], padding: 'x'.repeat(45_000) };
    for (let bytes = 0; bytes < LIMITS.advertisementsBytes; bytes += facts.padding.length) {
      const node = generateIdentity();
      assert.deepEqual(await ask(await dial(node), await signAdvertisement(node, facts, 60)), { ok: true });
    }
    const { advertisements } = (await site.api().get(`/advertisements/${key}`)).body;
    assert.equal((await verifyAdvertisement(advertisements[0] ?? '')).node, donated.identity.id);
    assert.ok(advertisements.join('').length <= LIMITS.advertisementsBytes);
  });

  it('follows a node to another address', async () => {
    const node = generateIdentity();
    const socket = await dial(node);
    await ask(socket, await signAdvertisement(node, FACTS, 60));
    const addresses = [{ host: '127.0.0.9', port: 7 }];
    assert.deepEqual(await ask(socket, await signAdvertisement(node, { ...FACTS, addresses }, 60)), { ok: true });
    assert.deepEqual(nodeRow(node), { addresses, relays: [], connected: 1 });
  });

  it('knows a node as away when its connection has closed', async () => {
    const node = generateIdentity();
    const socket = await dial(node);
    await ask(socket, await signAdvertisement(node, FACTS, 60));
    assert.equal(nodeRow(node)?.connected, 1);
    socket.close();
    await eventually(async () => nodeRow(node)?.connected === 0 || undefined);
  });

  it('keeps a node that dials twice until its last connection has closed', async () => {
    const node = generateIdentity();
    const jws = await signAdvertisement(node, FACTS, 60);
    const [first, second] = [await dial(node), await dial(node)];
    await ask(first, jws);
    await ask(second, jws);
    second.close();
    await once(second, 'close');
    // The next message of the first is dealt with after that close.
    await ask(first, jws);
    assert.equal(nodeRow(node)?.connected, 1);
  });

  it('closes a connection whose advertisement runs out', async () => {
    const node = generateIdentity();
    const socket = await dial(node);
    const closed = once(socket, 'close');
    await ask(socket, await signAdvertisement(node, FACTS, 1));
    assert.equal((await closed)[0], 1008);
    await eventually(async () => nodeRow(node)?.connected === 0 || undefined);
  });

  for (const [what, make] of [
    ['a text that is not signed', async () => 'hello'],
    ['a forged one', async (node) => forged(await signAdvertisement(node, FACTS, 60))],
    ['one that has expired', async (node) => await signAdvertisement(node, FACTS, -60)],
    ['one that lives too long', async (node) => await signAdvertisement(node, FACTS, 86_400)],
    [
      'one without an address or a relay',
      async (node) => await signAdvertisement(node, { ...FACTS, addresses: [] }, 60),
    ],
    ['a binary one', async (node) => Buffer.from(await signAdvertisement(node, FACTS, 60))],
  ] as [string, (node: Identity) => Promise<string | Buffer>][]) {
    it(`refuses ${what}, says why, and hangs up`, async () => {
      const node = generateIdentity();
      const socket = await dial(node);
      const closed = once(socket, 'close');
      const reply = await ask(socket, await make(node));
      assert.equal(reply.ok, false);
      assert.match(reply.message ?? '', /^expected /);
      assert.equal((await closed)[0], 1008);
    });
  }

  for (const [whose, prover] of [
    ['no key', undefined],
    ['another key', generateIdentity()],
  ] as const) {
    it(`takes nobody for there whose public advertisement comes from one who proves ${whose}`, async () => {
      const node = generateIdentity();
      const { ok, message } = await ask(await dial(prover), await signAdvertisement(node, FACTS, 60));
      assert.equal(ok, false);
      assert.match(
        message ?? '',
        /^expected the key of node \S+ to be proved on its connection, got (none|that of \S+)$/,
      );
      assert.equal(nodeRow(node), undefined);
    });
  }

  it('refuses the advertisement of another node on a connection', async () => {
    const node = generateIdentity();
    const socket = await dial(node);
    await ask(socket, await signAdvertisement(node, FACTS, 60));
    assert.equal((await ask(socket, await signAdvertisement(generateIdentity(), FACTS, 60))).ok, false);
  });

  it('refuses an older advertisement, which anybody could send again', async () => {
    const node = generateIdentity();
    const old = await signAdvertisement(node, FACTS, 60);
    await new Promise((resolve) => setTimeout(resolve, 1100)); // They carry whole seconds.
    const addresses = [{ host: '127.0.0.9', port: 7 }];
    await ask(await dial(node), await signAdvertisement(node, { ...FACTS, addresses }, 60));
    assert.equal((await ask(await dial(node), old)).ok, false);
    assert.deepEqual(nodeRow(node)?.addresses, addresses);
  });

  it('counts connections of one address before their handshakes, and drops one too many', async () => {
    const { host, port } = site.gateway;
    const sockets = Array.from({ length: LIMITS.gatewayConnectionsPerHost }, () => connect({ host, port }));
    try {
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      await assert.rejects(dial(), { code: 'UNREACHABLE' });
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await eventually(() => dial().catch(() => undefined)); // It hears of their ends a moment later.
  });

  it('answers who does not ask for a WebSocket, and hangs up', async () => {
    const socket = connectTls({ host: site.gateway.host, port: site.gateway.port, rejectUnauthorized: false }, () =>
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
    const chunks = await socket.toArray();
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 426 /);
  });

  it('hangs up on a message past its limit', async () => {
    const socket = await dial();
    socket.send('x'.repeat(GATEWAY.messageBytes + 1));
    assert.equal((await once(socket, 'close'))[0], 1009);
  });

  it('hangs up on a node that advertises without end', async () => {
    const node = generateIdentity();
    const socket = await dial(node);
    const jws = await signAdvertisement(node, FACTS, 60);
    const closed = once(socket, 'close');
    for (let index = 0; index < LIMITS.gatewayMessagesPerMinute; index += 1) {
      assert.deepEqual(await ask(socket, jws), { ok: true });
    }
    assert.equal((await ask(socket, jws)).ok, false);
    assert.equal((await closed)[0], 1008);
  });
});

function forged(jws: string): string {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), version: 'forged' };
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}
