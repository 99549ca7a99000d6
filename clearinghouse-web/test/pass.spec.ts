import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  type KeyId,
  keyIdSchema,
  LIMITS,
  PASS_HOLD,
  passPath,
  RequestClient,
  socketWire,
  vesselNameSchema,
} from '@potluck/protocol';
import { WebSocket } from 'ws';
import type { PassLimits } from '../src/pass.ts';
import type { Api } from './support/api.ts';
import type { Peer } from './support/peer.ts';
import { eventually, Site } from './support/site.ts';

describe('a browser that is passed on to a node', () => {
  let site: Site;
  let api: Api;
  let peer: Peer;
  let node: KeyId;

  /** A site with one node, on which the user holds one of two vessels. */
  async function begin(passLimits: Partial<PassLimits> = {}): Promise<void> {
    site = await Site.start({ passLimits });
    const donor = await site.api().join('donor');
    peer = await site.peer(donor, 'donor', 2);
    api = await site.api().join('user');
    node = keyIdSchema.parse(peer.identity.id);
    assert.equal((await api.post('/vessels/acquire', { count: 1 })).status, 201);
  }

  /** All that were opened: a node that is closed waits for those that the site still has to it. */
  const sockets = new Set<WebSocket>();

  afterEach(async () => {
    for (const socket of sockets) socket.terminate();
    sockets.clear();
    await site[Symbol.asyncDispose]();
  });

  function socketTo(path: string, headers: Record<string, string> = {}): WebSocket {
    const socket = new WebSocket(site.clearinghouse.url.replace('http', 'ws') + path, {
      headers: { origin: site.clearinghouse.url, cookie: api.cookie, ...headers },
    });
    sockets.add(socket);
    return socket.on('error', () => undefined);
  }

  async function open(headers: Record<string, string> = {}): Promise<WebSocket> {
    const socket = socketTo(passPath(node), headers);
    await once(socket, 'open');
    return socket;
  }

  /** The HTTP status in place of a WebSocket. */
  async function refusal(path: string, headers: Record<string, string> = {}): Promise<number> {
    const [, response] = await once(socketTo(path, headers), 'unexpected-response');
    response.destroy();
    return response.statusCode;
  }

  async function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
    const [code, reason] = await once(socket, 'close');
    return { code, reason: String(reason) };
  }

  const clientOver = (socket: WebSocket): RequestClient =>
    new RequestClient(socketWire(socket), { signer: api.identity, node, way: 'the site' });

  it('asks as over a connection of its own, and its requests are signed by the user', async () => {
    await begin();
    await using client = clientOver(await open());
    const { result } = await client.call('GetVessels', {});
    assert.equal(result.node, node);
    const held = result.vessels.filter(({ users }) => users.includes(api.identity.id)).map(({ name }) => name);
    assert.equal(held.length, 1);
    await assert.rejects(client.call('GetVesselResources', { vessel: vesselNameSchema.parse('v99') }), {
      code: 'NO_SUCH_VESSEL',
    });
  });

  it('asks at once, before the node is reached', async () => {
    await begin();
    const socket = socketTo(passPath(node));
    await once(socket, 'open');
    await using client = clientOver(socket);
    const answers = await Promise.all([1, 2, 3].map(async () => await client.call('GetVessels', {})));
    assert.deepEqual(new Set(answers.map(({ result }) => result.node)), new Set([node]));
  });

  it('is refused to a page of another site, to nobody, and to a node where the account holds nothing', async () => {
    await begin();
    const path = passPath(node);
    assert.equal(await refusal(path, { origin: 'https://evil.example' }), 403);
    assert.equal(await refusal(path, { origin: 'null' }), 403);
    assert.equal(await refusal(path, { cookie: '' }), 401);
    assert.equal(await refusal(path, { cookie: `potluck=${'A'.repeat(43)}` }), 401);
    assert.equal(await refusal('/pass/nobody'), 404);
    assert.equal(await refusal('/elsewhere'), 404);
    assert.equal(await refusal(passPath(keyIdSchema.parse('A'.repeat(43)))), 404);
    await api.post('/vessels/release', { all: true });
    assert.equal(await refusal(path), 404);
  });

  it('is not asked for its origin in vain: a WebSocket without one is refused', async () => {
    await begin();
    const url = site.clearinghouse.url.replace('http', 'ws') + passPath(node);
    const bare = new WebSocket(url, { headers: { cookie: api.cookie } }).on('error', () => undefined);
    const [, response] = await once(bare, 'unexpected-response');
    response.destroy();
    assert.equal(response.statusCode, 403);
  });

  it('has as many connections to a node as it may, and one more when one has gone', async () => {
    await begin({ perNode: 2 });
    const [first] = [await open(), await open()];
    assert.equal(await refusal(passPath(node)), 429);
    first?.close();
    await once(first as WebSocket, 'close');
    await eventually(async () => {
      const [name] = await Promise.race(
        ['open', 'error'].map(async (event) => [event, await once(socketTo(passPath(node)), event)]),
      );
      return name === 'open' || undefined;
    });
  });

  it('has as many connections as an account may', async () => {
    await begin({ perAccount: 1, connectsBurst: 8 });
    await open();
    assert.equal(await refusal(passPath(node)), 429);
  });

  it('opens no more at once than an account may', async () => {
    await begin({ connectsPerSecond: 0.001, connectsBurst: 1 });
    (await open()).close();
    assert.equal(await refusal(passPath(node)), 429);
  });

  it('ends when the vessel is released, and when its user logs out', async () => {
    await begin({ checkMs: 20 });
    const released = closing(await open());
    await api.post('/vessels/release', { all: true });
    assert.equal((await released).code, 4003);
    const acquire = async () => await api.post('/vessels/acquire', { count: 1 });
    await eventually(async () => (await acquire()).status === 201 || undefined);
    const { cookie } = api;
    const loggedOut = closing(await open({ cookie }));
    await api.post('/logout', {});
    assert.deepEqual(await loggedOut, {
      code: 4003,
      reason: 'you are logged out, or hold no vessel on this node any more',
    });
  });

  it('is told that the node cannot be reached', async () => {
    await begin();
    await peer.close();
    const { code, reason } = await closing(await open());
    assert.equal(code, 4000);
    assert.match(reason, /^nobody can be reached at 127\.0\.0\.1:\d+/);
  });

  it('is told when the node goes away', async () => {
    await begin();
    const socket = await open();
    await using client = clientOver(socket);
    await client.call('GetVessels', {});
    const closed = closing(socket);
    await peer.close();
    assert.equal((await closed).code, 4000);
    await assert.rejects(client.call('GetVessels', {}), { code: 'CLOSED' });
  });

  it('is closed when it says nothing, when it has passed enough, and when it speaks texts', async () => {
    await begin({ idleMs: 300, connectionBytes: 100 });
    assert.equal((await closing(await open())).code, 4001);
    const greedy = await open();
    await assert.rejects(clientOver(greedy).call('GetVessels', {}), { code: 'CLOSED' });
    const texts = await open();
    texts.send('hello');
    assert.equal((await closing(texts)).code, 1003);
  });

  it('is closed by a message past the limit of the wire', async () => {
    await begin();
    const socket = await open();
    socket.send(Buffer.alloc(LIMITS.messageBytes + 1));
    assert.equal((await closing(socket)).code, 1009);
  });

  /** Sends the beginning of a message, or more of it; resolves when the site has it. */
  async function begun(socket: WebSocket, bytes: number): Promise<void> {
    socket.send(Buffer.alloc(bytes), { fin: false });
    socket.ping();
    await once(socket, 'pong');
  }

  it('is cut off by the message that it does not end, past what one connection may hold', async () => {
    await begin({ heldConnectionBytes: 100_000 });
    const socket = await open();
    await using client = clientOver(await open());
    await begun(socket, 90_000);
    const closed = closing(socket);
    socket.send(Buffer.alloc(20_000), { fin: false });
    assert.equal((await closed).code, 4004);
    await client.call('GetVessels', {}); // Others go on.
  });

  it('is cut off where the connections of its account hold too much together', async () => {
    await begin({ heldAccountBytes: 300_000 });
    const [first, second] = [await open(), await open()];
    await begun(first, 140_000);
    await begun(second, 150_000);
    const closed = closing(second);
    first.send(Buffer.alloc(1), { fin: false });
    second.send(Buffer.alloc(20_000), { fin: false });
    assert.equal((await closed).code, 4004);
    await begun(first, 1000);
  });

  it('is cut off by what the node does not end, too', async () => {
    await begin({ heldConnectionBytes: 100_000 });
    const socket = await open();
    await using client = clientOver(socket);
    await client.call('GetVessels', {});
    const closed = closing(socket);
    peer.say(Buffer.alloc(110_000), { fin: false });
    assert.equal((await closed).code, 4004);
  });

  it('holds nothing any more of messages that have gone on', async () => {
    await begin({ heldConnectionBytes: 8000 });
    await using client = clientOver(await open());
    for (let count = 0; count < 20; count += 1) await client.call('GetVessels', {});
  });

  it('can hold back the node, and let it go on', async () => {
    await begin();
    const socket = await open();
    await using client = clientOver(socket);
    await client.call('GetVessels', {});
    socket.send(PASS_HOLD.on);
    let isAnswered = false;
    const answer = client.call('GetVessels', {}).then(() => {
      isAnswered = true;
    });
    // The node has taken it when another connection's later request is answered, and then some.
    await using other = clientOver(await open());
    for (let round = 0; round < 5; round += 1) await other.call('GetVessels', {});
    assert.equal(isAnswered, false);
    socket.send(PASS_HOLD.off);
    await answer;
  });

  it('is refused for good: who keeps his end open keeps no connection of the site', async () => {
    site = await Site.start();
    const stranger = connect({ port: site.port, host: '127.0.0.1', allowHalfOpen: true });
    stranger.on('error', () => undefined);
    const headers = 'Host: site\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    stranger.write(`GET /pass/nobody HTTP/1.1\r\n${headers}\r\n`);
    stranger.resume();
    await once(stranger, 'end');
    // A connection that is closed at the other end answers what is sent by a reset.
    await eventually(async () => {
      stranger.write('x');
      return stranger.destroyed || undefined;
    });
  });
});
