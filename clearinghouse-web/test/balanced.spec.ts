import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { callPath, generateIdentity, openStream } from '@potluck/protocol';
import { pino } from 'pino';
import { LocalBus } from '../src/bus/local.ts';
import { Gateway } from '../src/gateway.ts';
import { Store } from '../src/store/store.ts';
import { GatewayNode } from './support/gateway-node.ts';
import { temporaryDirectory } from './support/site.ts';

const logger = pino({ level: 'silent' });

describe('a gateway behind a balancer', () => {
  const identity = generateIdentity();
  const stack: AsyncDisposable[] = [];
  const open: (Duplex | Socket)[] = [];
  let port: number;
  let node: GatewayNode;

  const start = async (proxies: readonly string[], limits = {}): Promise<void> => {
    const directory = await temporaryDirectory();
    const store = await Store.open(join(directory.path, 'clearinghouse.sqlite'));
    const init = { identity, host: '127.0.0.1', port: 0, logger, proxies, limits };
    const gateway = new Gateway({ store, bus: new LocalBus({ logger }) }, init);
    await gateway.start();
    stack.push(directory, store, { [Symbol.asyncDispose]: async () => await gateway.stop() });
    port = gateway.port;
    node = await new GatewayNode().dial({ host: '127.0.0.1', port, key: identity.id });
  };
  afterEach(async () => {
    node.hangUp();
    for (const socket of open.splice(0)) socket.destroy();
    for (const part of stack.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  });

  /** What comes first on a connection, in these pieces, and then TLS and a call to the node. */
  const callAfter = async (...pieces: readonly string[]): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port });
    open.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    for (const piece of pieces) {
      socket.write(piece, 'latin1');
      await new Promise((resolve) => setTimeout(resolve, 20)); // In a packet of its own.
    }
    const secure = connectTls({ socket, rejectUnauthorized: false });
    open.push(secure);
    secure.on('error', () => undefined);
    secure.write(
      `GET ${callPath(node.identity.id)} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'A'.repeat(22)}==\r\n\r\n`,
    );
    return socket;
  };
  const closed = async (socket: Socket): Promise<void> => {
    if (!socket.closed) await once(socket, 'close');
  };

  for (const [what, pieces] of [
    ['in one packet', ['PROXY TCP4 203.0.113.7 127.0.0.1 50000 8443\r\n']],
    ['in pieces', ['PRO', 'XY TCP4 203.0.113', '.7 127.0.0.1 50000 8443\r', '\n']],
  ] as const) {
    it(`believes it who has dialled, said ${what}`, async () => {
      await start(['127.0.0.1']);
      await callAfter(...pieces);
      assert.equal((await node.called()).from, '203.0.113.7');
    });
  }

  it('knows callers over IPv6 too', async () => {
    await start(['127.0.0.1']);
    await callAfter('PROXY TCP6 2001:db8::7 ::1 50000 8443\r\n');
    assert.equal((await node.called()).from, '2001:db8::7');
  });

  it('takes who dials without it, as other sites do from the same machine', async () => {
    await start(['127.0.0.1']);
    const relay = { host: '127.0.0.1', port, key: identity.id };
    void openStream(relay, { path: callPath(node.identity.id), connectTimeoutMs: 5000 }).catch(() => undefined);
    assert.equal((await node.called()).from, '127.0.0.1');
  });

  it('believes nobody else', async () => {
    await start(['127.0.0.2']);
    await closed(await callAfter('PROXY TCP4 203.0.113.7 127.0.0.1 50000 8443\r\n'));
    assert.deepEqual(node.calls, []);
  });

  for (const [what, line] of [
    ['is longer than any', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['never ends', `PROXY ${'x'.repeat(101)}`],
  ] as const) {
    it(`hangs up on a line that ${what}`, async () => {
      await start(['127.0.0.1']);
      await closed(await callAfter(line));
      assert.deepEqual(node.calls, []);
    });
  }

  it('counts connections by who has dialled, not by the balancer', async () => {
    await start(['127.0.0.1'], { gatewayDialsPerHostPerSecond: 0.001, gatewayDialsPerHostBurst: 2 });
    for (let index = 0; index < 2; index += 1) await callAfter('PROXY TCP4 203.0.113.7 127.0.0.1 50000 8443\r\n');
    await closed(await callAfter('PROXY TCP4 203.0.113.7 127.0.0.1 50000 8443\r\n'));
    await callAfter('PROXY TCP4 203.0.113.8 127.0.0.1 50000 8443\r\n');
    for (const from of ['203.0.113.7', '203.0.113.7', '203.0.113.8']) {
      assert.equal((await node.called()).from, from);
    }
  });
});
