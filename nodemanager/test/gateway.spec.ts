import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type Advertisement,
  GATEWAY,
  type GatewayAddress,
  type GatewayReply,
  generateIdentity,
  type Identity,
  type KeyId,
  tlsOptionsOf,
  verifyAdvertisement,
} from '@potluck/protocol';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import { GatewayClient } from '../src/gateway.ts';
import { TestNode } from './support.ts';

interface Seen {
  readonly node: KeyId;
  readonly advertisement: Advertisement;
}

/** The other side of the wire: a server pinned to a key, which checks what it is shown. */
class Gateway implements AsyncDisposable {
  readonly identity: Identity;
  readonly #events = new EventEmitter();
  readonly #answer: (count: number) => GatewayReply | undefined;
  #server: Server | undefined;
  #sockets: WebSocketServer | undefined;
  #count = 0;
  readonly #seen: Seen[] = [];

  constructor(identity: Identity, answer: (count: number) => GatewayReply | undefined = () => ({ ok: true })) {
    this.identity = identity;
    this.#answer = answer;
  }

  async start(port = 0): Promise<GatewayAddress> {
    const server = createServer(await tlsOptionsOf(this.identity));
    this.#sockets = new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('message', async (data) => {
        this.#seen.push(await verifyAdvertisement(data.toString()));
        this.#events.emit('seen');
        this.#count += 1;
        const reply = this.#answer(this.#count);
        if (reply !== undefined) socket.send(JSON.stringify(reply));
      });
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    this.#server = server;
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, key: this.identity.id };
  }

  async next(): Promise<Seen> {
    while (this.#seen.length === 0) await once(this.#events, 'seen');
    return this.#seen.shift() as Seen;
  }

  async stop(): Promise<void> {
    for (const client of this.#sockets?.clients ?? []) client.terminate();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

describe('the advertisement of a node', () => {
  it('comes at once: its addresses, its version, and the keys of all owners and users', async () => {
    await using gateway = new Gateway(generateIdentity());
    const advertise = [{ host: 'node.example', port: 1224 }];
    await using node = await TestNode.start({ vessels: 2, config: { gateway: await gateway.start(), advertise } });
    const { node: id, advertisement } = await gateway.next();
    assert.equal(id, node.id);
    assert.deepEqual(advertisement.addresses, advertise);
    assert.deepEqual(advertisement.keys, [node.owner.id, node.user.id]);
  });

  it('names the address that is listened on when no other is configured', async () => {
    await using gateway = new Gateway(generateIdentity());
    await using node = await TestNode.start({ config: { gateway: await gateway.start() } });
    assert.deepEqual((await gateway.next()).advertisement.addresses, [node.address]);
  });

  it('comes again at once when the users of a vessel have changed', async () => {
    await using gateway = new Gateway(generateIdentity());
    await using node = await TestNode.start({ config: { gateway: await gateway.start() } });
    await gateway.next();
    const users = [node.stranger.id];
    await (await node.client(node.owner)).call('ChangeUsers', { vessel: 'v1' as never, users });
    assert.deepEqual((await gateway.next()).advertisement.keys, [node.owner.id, node.stranger.id]);
  });

  it('says much that changes at once in a few times, and the last of it in any case', async () => {
    await using gateway = new Gateway(generateIdentity());
    let keys = [generateIdentity().id];
    const reach = () => ({ addresses: [{ host: '127.0.0.1', port: 1 }], relays: [] });
    const init = { gateway: await gateway.start(), reach, version: '1', keys: () => keys, advertiseEachMs: 300 };
    await using client = new GatewayClient({ identity: generateIdentity(), log: pino({ level: 'silent' }) }, init);
    client.start();
    await gateway.next();
    for (let n = 0; n < 100; n += 1) {
      keys = [generateIdentity().id];
      client.advertise();
    }
    let seen = 1;
    while ((await gateway.next()).advertisement.keys[0] !== keys[0]) seen += 1;
    assert.ok(seen <= 2 * GATEWAY.advertiseBurst, `${seen} times`);
  });

  it('comes again and again, and again after the clearinghouse was away', async () => {
    const identity = generateIdentity();
    const first = new Gateway(identity);
    const address = await first.start();
    const client = clientOf(address);
    client.start();
    for (let n = 0; n < 3; n += 1) await first.next();
    await first.stop();
    await using second = new Gateway(identity);
    await second.start(address.port);
    await second.next();
    await client.stop();
  });

  it('goes on after it was refused, and after no answer by a new connection', async () => {
    const refusal = { ok: false, message: 'not yet' };
    await using gateway = new Gateway(generateIdentity(), (count) => (count === 1 ? refusal : undefined));
    const lines: string[] = [];
    await using client = clientOf(await gateway.start(), lines);
    client.start();
    for (let n = 0; n < 4; n += 1) await gateway.next();
    assert.match(lines.join(), /refused the advertisement: not yet/);
    assert.match(lines.join(), /away: it did not answer/);
  });

  it('is not shown to a server with another key, and the node answers all the same', async () => {
    await using gateway = new Gateway(generateIdentity());
    const { host, port } = await gateway.start();
    const lines: string[] = [];
    await using client = clientOf({ host, port, key: generateIdentity().id }, lines);
    client.start();
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.match(lines[0] ?? '', /away: expected key/);
  });

  it('costs the node nothing but one line in its log when the clearinghouse is away', async () => {
    const gateway = new Gateway(generateIdentity());
    const address = await gateway.start();
    await gateway.stop();
    await using node = await TestNode.start({ config: { gateway: address } });
    const client = await node.client(node.user);
    const lines = async (): Promise<number> =>
      (await readFile(node.paths.log, 'utf8')).split('\n').filter((line) => line.includes('is away')).length;
    while ((await lines()) === 0) await client.call('GetVessels', {});
    await client.call('GetVessels', {});
    assert.equal(await lines(), 1);
  });
});

function clientOf(gateway: GatewayAddress, lines: string[] = []): GatewayClient {
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const init = {
    gateway,
    reach: () => ({ addresses: [], relays: [] }),
    version: '0',
    keys: () => [],
    advertiseEveryMs: 50,
  };
  return new GatewayClient({ identity: generateIdentity(), log }, init);
}
