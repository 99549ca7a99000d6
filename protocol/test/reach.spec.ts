import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { mock } from 'node:test';
import { WebSocketServer } from 'ws';
import {
  type Address,
  directly,
  generateIdentity,
  type Identity,
  LIMITS,
  NodeClient,
  type Reach,
  race,
  reachSchema,
  signAdvertisement,
  tlsOptionsOf,
  verifyAdvertisement,
  waysOf,
  wayText,
} from '../src/index.ts';

const at = (host: string, port = 1): Address => ({ host, port });
const relay = { ...at('relay.example', 8443), key: generateIdentity().id };

describe('the ways to a node', () => {
  const order = (reach: Reach, last?: string): string[] => waysOf(reach, last).map(wayText);

  it('are tried in the order IPv6, IPv4, relay, the families in turns', () => {
    const addresses = [at('10.0.0.1'), at('10.0.0.2'), at('::1'), at('fd00::2'), at('fd00::3')];
    const expected = ['[::1]:1', '10.0.0.1:1', '[fd00::2]:1', '10.0.0.2:1', '[fd00::3]:1', 'relay relay.example:8443'];
    assert.deepEqual(order({ addresses, relays: [relay] }), expected);
  });

  it('take a name, which may have addresses of both families, after IPv6 and before IPv4', () => {
    const addresses = [at('10.0.0.1'), at('node.example'), at('::1')];
    assert.deepEqual(order(directly(...addresses)), ['[::1]:1', '10.0.0.1:1', 'node.example:1']);
    assert.deepEqual(order(directly(at('10.0.0.1'), at('node.example'))), ['node.example:1', '10.0.0.1:1']);
  });

  it('begin with the one that won last time, and a relay comes behind one address all the same', () => {
    const reach = { addresses: [at('::1'), at('10.0.0.1')], relays: [relay] };
    assert.deepEqual(order(reach, '10.0.0.1:1'), ['10.0.0.1:1', '[::1]:1', 'relay relay.example:8443']);
    assert.deepEqual(order(reach, wayText(relay)), ['[::1]:1', 'relay relay.example:8443', '10.0.0.1:1']);
    assert.deepEqual(order({ ...reach, addresses: [] }, wayText(relay)), ['relay relay.example:8443']);
    assert.deepEqual(order(reach, '10.0.0.9:1'), order(reach));
  });

  it('are advertised, as many of each kind as the limits say and not one more', async () => {
    const node = generateIdentity();
    const facts = { keys: [], version: '1' };
    const many = (addresses: number, relays: number) => ({
      addresses: Array.from({ length: addresses }, () => at('10.0.0.1')),
      relays: Array.from({ length: relays }, () => relay),
    });
    const most = many(LIMITS.advertisedAddresses, LIMITS.advertisedRelays);
    const { advertisement } = await verifyAdvertisement(await signAdvertisement(node, { ...facts, ...most }, 60));
    assert.deepEqual(reachSchema.parse(advertisement), most);
    for (const reach of [many(LIMITS.advertisedAddresses + 1, 0), many(1, LIMITS.advertisedRelays + 1)]) {
      const jws = await signAdvertisement(node, { ...facts, ...reach }, 60);
      await assert.rejects(verifyAdvertisement(jws), { code: 'BAD_REPLY' });
    }
  });
});

describe('a race', () => {
  const never = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const attempt = <T>(open: (signal: AbortSignal) => Promise<T>) => ({ open, close: () => undefined });

  it('begins the next attempt when the delay is over, and breaks off those that lose', async () => {
    const begun: number[] = [];
    let broken = 0;
    const silent = attempt(async (signal) => {
      begun.push(performance.now());
      signal.addEventListener('abort', () => (broken += 1));
      return await never(signal);
    });
    assert.equal(await race([silent, silent, attempt(async () => 'third')], { delayMs: 20 }), 'third');
    assert.equal(broken, 2);
    assert.ok((begun[1] ?? 0) - (begun[0] ?? 0) >= 19);
  });

  it('begins the next attempt at once when one has failed', async () => {
    const fails = attempt(async () => assert.fail('refused'));
    assert.equal(await race([fails, attempt(async () => 'second')], { delayMs: 3_600_000 }), 'second');
  });

  it('begins nothing more when one has won', async () => {
    let begun = 0;
    const counted = attempt(async () => (begun += 1));
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      await race([counted, counted, counted], { delayMs: 1000 });
      mock.timers.tick(10_000);
    } finally {
      mock.timers.reset();
    }
    assert.equal(begun, 1);
  });

  it('closes what was opened too late', async () => {
    const late = Promise.withResolvers<string>();
    const closed = Promise.withResolvers<string>();
    const attempts = [{ open: async () => await late.promise, close: closed.resolve }, attempt(async () => 'winner')];
    assert.equal(await race(attempts, { delayMs: 0 }), 'winner');
    late.resolve('late');
    assert.equal(await closed.promise, 'late');
  });

  it('is given up by who waits for it', async () => {
    const controller = new AbortController();
    const lost = assert.rejects(race([attempt(never)], { delayMs: 0, signal: controller.signal }), {
      name: 'AbortError',
    });
    controller.abort();
    await lost;
  });
});

describe('a connection to a node with several addresses', () => {
  const [node, caller] = [generateIdentity(), generateIdentity()];
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function listen(server: Server, host: string): Promise<Address> {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.once('close', () => sockets.delete(socket));
    });
    servers.push(server);
    await once(server.listen(0, host), 'listening');
    return { host, port: (server.address() as AddressInfo).port };
  }
  const listenAs = async (identity: Identity, host: string): Promise<Address> => {
    const server = createHttpsServer(await tlsOptionsOf(identity));
    new WebSocketServer({ server });
    return await listen(server, host);
  };
  /** Takes connections and never says a word. */
  const listenSilently = async (host: string): Promise<Address> =>
    await listen(
      createServer((socket) => socket.resume()),
      host,
    );
  const closedPort = async (host: string): Promise<Address> => {
    const server = createServer();
    const address = await listen(server, host);
    await new Promise((resolve) => server.close(resolve));
    servers.splice(servers.indexOf(server), 1);
    return address;
  };
  const connect = async (...addresses: Address[]) =>
    await NodeClient.connect({ reach: directly(...addresses), node: node.id, identity: caller });

  it('takes IPv6 before IPv4 when both are there', async () => {
    const [four, six] = [await listenAs(node, '127.0.0.1'), await listenAs(node, '::1')];
    await using client = await connect(four, six);
    assert.equal(client.way, `[::1]:${six.port}`);
  });

  it('goes on to the next address without any wait when one refuses', async () => {
    const [refused, four] = [await closedPort('::1'), await listenAs(node, '127.0.0.1')];
    await using client = await connect(refused, four);
    assert.equal(client.way, `127.0.0.1:${four.port}`);
  });

  it('goes on when one is silent, and lets go of that one', async () => {
    const [silent, four] = [await listenSilently('::1'), await listenAs(node, '127.0.0.1')];
    await using client = await connect(silent, four);
    assert.equal(client.way, `127.0.0.1:${four.port}`);
    while (sockets.size > 1) await new Promise((resolve) => setImmediate(resolve));
  });

  it('goes on when somebody else answers there', async () => {
    const [other, four] = [await listenAs(generateIdentity(), '::1'), await listenAs(node, '127.0.0.1')];
    await using client = await connect(other, four);
    assert.equal(client.way, `127.0.0.1:${four.port}`);
  });

  it('says in one sentence what came of each when none works', async () => {
    const [refused, other] = [await closedPort('::1'), await listenAs(generateIdentity(), '127.0.0.1')];
    await assert.rejects(connect(refused, other), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error);
      assert.equal(error.code, 'WRONG_IDENTITY');
      assert.match(
        error.message,
        /^expected one of 2 ways to the node to be open, got: nobody can be reached at \[::1\]/,
      );
      assert.match(error.message, /; expected key .* at 127\.0\.0\.1:\d+, got /);
      return true;
    });
    await assert.rejects(connect(refused), { code: 'UNREACHABLE', message: /^nobody can be reached at \[::1\]:\d+$/ });
    await assert.rejects(connect(), { code: 'UNREACHABLE', message: 'expected a way to the node, got none' });
  });

  it('has one time limit, however many ways are tried', async () => {
    const [one, two] = [await listenSilently('::1'), await listenSilently('127.0.0.1')];
    const reach = directly(one, two);
    const attempt = NodeClient.connect({ reach, node: node.id, identity: caller, connectTimeoutMs: 300 });
    await assert.rejects(attempt, { code: 'TIMEOUT' });
  });
});
