import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type GatewayAddress,
  generateIdentity,
  type Identity,
  type KeyId,
  NodeClient,
  openRelayed,
  tlsOptionsOf,
  toBuffer,
} from '@potluck/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { rejectsWith, TestNode } from './support.ts';

type Pass = (bytes: Buffer, from: 'caller' | 'node') => Buffer;

/**
 * A relay that nobody should trust: it sees, keeps and changes what it likes, and calls whom it likes. The real one is
 * tested with its limits in clearinghouse-web.
 */
class HostileRelay implements AsyncDisposable {
  readonly identity: Identity = generateIdentity();
  /** What it saw, in order. */
  readonly seen: Buffer[] = [];
  readonly fromCaller: Buffer[] = [];
  /** The tokens that were answered. */
  readonly answered: string[] = [];
  readonly events = new EventEmitter();
  pass: Pass = (bytes) => bytes;
  /** Which node is called, whomever the caller named. */
  instead: number | undefined;
  readonly #nodes: WebSocket[] = [];
  readonly #callers = new Map<string, WebSocket>();
  #server: Server | undefined;
  #sockets: WebSocketServer | undefined;

  async start(): Promise<GatewayAddress> {
    const server = createServer(await tlsOptionsOf(this.identity));
    this.#sockets = new WebSocketServer({ server }).on('connection', (socket, { url = '' }) => {
      const [, what, name = ''] = url.split('/');
      if (what === 'call') this.#call(socket);
      else if (what === 'answer') this.#answer(socket, name);
      else this.#welcome(socket);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    this.#server = server;
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, key: this.identity.id };
  }

  /** Says something to a node. */
  say(message: unknown, node = 0): void {
    this.#nodes[node]?.send(JSON.stringify(message));
  }

  /** A call that no caller made. @returns the stream that the node opens for it */
  async lure(token: string, from = '192.0.2.1'): Promise<WebSocket> {
    this.say({ call: token, from });
    for (;;) {
      const [answered, socket] = await once(this.events, 'answer');
      if (answered === token) return socket;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets?.clients ?? []) client.terminate();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #welcome(socket: WebSocket): void {
    this.#nodes.push(socket);
    socket.on('message', () => {
      socket.send('{"ok":true}');
      this.events.emit('node');
    });
  }

  #call(socket: WebSocket): void {
    const token = `call-${this.#callers.size}`.padEnd(22, 'A');
    this.#callers.set(token, socket);
    socket.pause();
    this.say({ call: token, from: '192.0.2.1' }, this.instead);
  }

  #answer(node: WebSocket, token: string): void {
    this.answered.push(token);
    this.events.emit('answer', token, node);
    const caller = this.#callers.get(token);
    if (caller === undefined) return;
    const splice = (from: WebSocket, to: WebSocket, whose: 'caller' | 'node'): void => {
      from.on('message', (data) => {
        const bytes = toBuffer(data);
        this.seen.push(bytes);
        if (whose === 'caller') this.fromCaller.push(bytes);
        to.send(this.pass(bytes, whose));
      });
      from.on('close', () => to.close());
    };
    splice(caller, node, 'caller');
    splice(node, caller, 'node');
    caller.resume();
  }
}

describe('a relay', () => {
  let relay: HostileRelay;
  let address: GatewayAddress;
  let node: TestNode;
  const start = async (more: object = {}): Promise<void> => {
    relay = new HostileRelay();
    address = await relay.start();
    const known = once(relay.events, 'node');
    node = await TestNode.start({ config: { gateway: address, advertise: [] }, ...more });
    await known;
  };
  const connect = async (identity: Identity, id: KeyId = node.id): Promise<NodeClient> => {
    const reach = { addresses: [], relays: [address] };
    return await NodeClient.connect({ reach, node: id, identity, connectTimeoutMs: 5000 });
  };
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
  });

  it('sees nothing of what callers and nodes say, only ciphertext', async () => {
    await start();
    const secret = Buffer.from('a potluck needs no host. '.repeat(40));
    await using client = await connect(node.user);
    const params = { vessel: 'v1' as never, name: 'secret.txt' as never };
    await client.call('AddFileToVessel', params, { attachment: secret });
    const { attachment } = await client.call('RetrieveFileFromVessel', params);
    assert.ok(secret.equals(attachment));
    const seen = Buffer.concat(relay.seen);
    assert.ok(seen.length > 2 * secret.length);
    // Of the envelopes, of HTTP, of the file, of the certificates: nothing can be read.
    for (const text of ['potluck needs', 'secret.txt', 'eyJ', 'Upgrade', 'websocket', node.user.id, node.id]) {
      assert.equal(seen.indexOf(text), -1, text);
    }
  });

  it('that changes a byte is found out, and only breaks the connection', async () => {
    await start();
    await using client = await connect(node.user);
    relay.pass = (bytes) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
      return changed;
    };
    const params = { vessel: 'v1' as never, name: 'a' as never };
    await rejectsWith(client.call('AddFileToVessel', params, { attachment: Buffer.from('x') }), 'CLOSED');
    relay.pass = (bytes) => bytes;
    await using again = await connect(node.user);
    assert.deepEqual((await again.call('ListFilesInVessel', { vessel: 'v1' as never })).result, { files: [] });
  });

  it('that changes the handshake makes no connection', async () => {
    await start();
    relay.pass = (bytes, from) => (from === 'node' ? Buffer.from(bytes).fill(0, 20, 40) : bytes);
    await assert.rejects(connect(node.user), { code: 'UNREACHABLE' });
  });

  it('that says again what a caller said gets nothing for it', async () => {
    await start();
    await using client = await connect(node.user);
    const params = { vessel: 'v1' as never, name: 'a' as never };
    await client.call('AddFileToVessel', params, { attachment: Buffer.from('x') });
    await client.call('DeleteFileInVessel', params);
    const stream = await relay.lure('again'.padEnd(22, 'A'));
    const closed = once(stream, 'close');
    for (const bytes of relay.fromCaller) stream.send(bytes);
    await closed;
    assert.deepEqual((await client.call('ListFilesInVessel', { vessel: 'v1' as never })).result, { files: [] });
  });

  it('that brings a caller to another node is found out', async () => {
    await start();
    const known = once(relay.events, 'node');
    await using other = await TestNode.start({ config: { gateway: address, advertise: [] } });
    await known;
    relay.instead = 1;
    await rejectsWith(connect(node.user), 'WRONG_IDENTITY');
    assert.ok(other.id !== node.id);
  });

  it('that plays the node itself is found out', async () => {
    await start();
    const own = { node: node.id, maxPayloadBytes: 1000, connectTimeoutMs: 5000 };
    await using other = await TestNode.start();
    await rejectsWith(openRelayed({ ...other.address, key: other.id }, own), 'UNREACHABLE');
  });

  it('makes a node dial nobody but itself, whatever it says, and only for what is a call', async () => {
    await start();
    const bad = [
      { call: '../../elsewhere.example' },
      { call: 'A'.repeat(22), from: 'x', host: '192.0.2.1', port: 1 },
      { call: 'A'.repeat(21), from: 'x' },
      { call: 'A'.repeat(22), from: 'x'.repeat(65) },
      { call: '//192.0.2.1/answer/AA', from: 'x' },
    ];
    for (const message of bad) relay.say(message);
    await relay.lure('B'.repeat(22));
    assert.deepEqual(relay.answered, ['B'.repeat(22)]);
  });

  it('relayedConnections: as many are served, one more is not dialled for', async () => {
    await start({ limits: { relayedConnections: 2 } });
    const open = [await connect(node.user), await connect(node.user)];
    await rejectsWith(
      NodeClient.connect({
        reach: { addresses: [], relays: [address] },
        node: node.id,
        identity: node.user,
        connectTimeoutMs: 300,
      }),
      'TIMEOUT',
    );
    assert.equal(relay.answered.length, 2);
    await Promise.all(open.map((client) => client.close()));
    for (;;) {
      const again = await connect(node.user).catch(() => delay(10));
      if (again === undefined) continue;
      await again.close();
      return;
    }
  });

  it('relayedPerSecond, relayedBurst: a node dials no oftener, however often it is called', async () => {
    await start({ limits: { relayedPerSecond: 0.001, relayedBurst: 3 } });
    for (let n = 0; n < 20; n += 1) relay.say({ call: `${n}`.padEnd(22, 'A'), from: 'x' });
    while (relay.answered.length < 3) await once(relay.events, 'answer');
    // What it answers after this went over the same connection behind all of them.
    const client = await NodeClient.connect({ address: node.address, node: node.id, identity: node.owner });
    const said = once(relay.events, 'node');
    await client.call('ChangeUsers', { vessel: 'v1' as never, users: [] });
    await said;
    await client.close();
    assert.equal(relay.answered.length, 3);
  });

  it('connectionsPerAddress holds for callers through it too, by the address that it says', async () => {
    await start({ limits: { connectionsPerAddress: 1 } });
    await using first = await connect(node.user);
    await assert.rejects(connect(node.user), { code: 'UNREACHABLE' });
    // Who comes straight is another.
    await using direct = await NodeClient.connect({ address: node.address, node: node.id, identity: node.user });
    for (const client of [first, direct]) await client.call('GetVessels', {});
  });

  it('connectionsPerAddress holds for a whole network of IPv6, whoever of it calls', async () => {
    await start({ limits: { connectionsPerAddress: 1, handshakeMs: 20_000 } });
    const first = await relay.lure('D'.repeat(22), '2001:db8::1');
    const second = await relay.lure('E'.repeat(22), '2001:db8::2');
    await once(second, 'close');
    assert.equal(first.readyState, first.OPEN);
    const elsewhere = await relay.lure('F'.repeat(22), '2001:db8:0:1::1');
    assert.equal(elsewhere.readyState, elsewhere.OPEN);
  });

  it('handshakeMs: a stream on which nobody speaks is closed', async () => {
    await start({ limits: { handshakeMs: 200 } });
    const stream = await relay.lure('C'.repeat(22));
    await once(stream, 'close');
  });

  it('brings the farewell of a node that stops', async () => {
    await start();
    const client = await connect(node.user);
    const asked = client.call('GetVessels', {});
    await asked;
    const late = assert.rejects(
      async () => {
        for (;;) await client.call('GetVessels', {});
      },
      { code: 'CLOSED', message: /the node manager stops|was closed/ },
    );
    await node.manager.stop();
    await late;
    await node.manager.start();
  });

  it('is not offered, and no call is answered, when the operator closes it', async () => {
    relay = new HostileRelay();
    address = await relay.start();
    const known = once(relay.events, 'node');
    node = await TestNode.start({ config: { gateway: address, relay: false } });
    await known;
    relay.say({ call: 'D'.repeat(22), from: 'x' });
    await using client = await NodeClient.connect({ address: node.address, node: node.id, identity: node.owner });
    const said = once(relay.events, 'node');
    await client.call('ChangeUsers', { vessel: 'v1' as never, users: [] });
    await said;
    assert.deepEqual(relay.answered, []);
  });
});
