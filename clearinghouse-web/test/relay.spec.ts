import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import {
  callPath,
  type GatewayAddress,
  generateIdentity,
  openPinnedSocket,
  openStream,
  PeerError,
  relayedStream,
  STREAM_LIMITS,
} from '@potluck/protocol';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { LocalBus } from '../src/bus/local.ts';
import { Gateway } from '../src/gateway.ts';
import type { RelayLimits } from '../src/relay.ts';
import { Store } from '../src/store/store.ts';
import { GatewayNode } from './support/gateway-node.ts';
import { temporaryDirectory } from './support/site.ts';

describe('the relay', () => {
  const open: Duplex[] = [];
  const stack: AsyncDisposable[] = [];
  let gateway: GatewayAddress;
  let node: GatewayNode;

  const start = async (relayLimits: Partial<RelayLimits> = {}): Promise<void> => {
    const directory = await temporaryDirectory();
    const store = await Store.open(join(directory.path, 'clearinghouse.sqlite'));
    const identity = generateIdentity();
    const logger = pino({ level: 'silent' });
    const init = { identity, host: '127.0.0.1', port: 0, logger };
    const server = new Gateway({ store, bus: new LocalBus({ logger }) }, { ...init, relayLimits });
    await server.start();
    stack.push(directory, store, { [Symbol.asyncDispose]: async () => await server.stop() });
    gateway = { host: '127.0.0.1', port: server.port, key: identity.id };
    node = await new GatewayNode().dial(gateway);
  };
  afterEach(async () => {
    node.hangUp();
    for (const stream of open.splice(0)) stream.destroy();
    for (const part of stack.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  });

  const call = async (to = node): Promise<Duplex> => {
    const stream = await openStream(gateway, { path: callPath(to.identity.id), connectTimeoutMs: 5000 });
    open.push(stream);
    return stream;
  };
  /** From another address of this machine. */
  const callFrom = (localAddress: string): WebSocket => {
    const url = `wss://${gateway.host}:${gateway.port}${callPath(node.identity.id)}`;
    const socket = new WebSocket(url, { localAddress, rejectUnauthorized: false });
    open.push(relayedStream(socket));
    return socket;
  };
  /** Both ends of a stream. */
  const meet = async (): Promise<[Duplex, Duplex]> => {
    const calling = call();
    const answered = await node.answer(gateway, (await node.called()).call);
    open.push(answered);
    return [await calling, answered];
  };
  const refused = async (calling: Promise<unknown>, why: RegExp): Promise<void> => {
    await assert.rejects(calling, (error) => {
      assert.ok(error instanceof PeerError && error.code === 'UNREACHABLE');
      assert.match(error.message, why);
      assert.match(String(error.details.refusal), why, 'without the address, for who asks many nodes');
      return true;
    });
  };
  const ended = async (stream: Duplex): Promise<void> => {
    stream.resume();
    if (!stream.closed) await once(stream, 'close');
  };

  it('passes bytes both ways, and the end of one closes the other', async () => {
    await start();
    const [caller, answerer] = await meet();
    caller.write('from the caller');
    assert.equal(String((await once(answerer, 'data'))[0]), 'from the caller');
    answerer.write('from the node');
    assert.equal(String((await once(caller, 'data'))[0]), 'from the node');
    caller.end();
    await Promise.all([ended(answerer), ended(caller)]);
  });

  it('tells the node who calls', async () => {
    await start();
    void call().catch(() => undefined);
    assert.equal((await node.called()).from, '127.0.0.1');
  });

  it('reads a sender no faster than the other side takes it', async () => {
    await start();
    const [caller, answerer] = await meet();
    answerer.pause();
    const chunk = Buffer.alloc(STREAM_LIMITS.streamBytes);
    const all = 48 * 1024 * 1024;
    let sent = 0;
    let taken = 0;
    const writing = (async () => {
      for (; sent < all; sent += chunk.length) if (!caller.write(chunk)) await once(caller, 'drain');
    })();
    // Nothing moves any more when all buffers on the way are full; what they hold is far from all of it.
    for (let last = -1; last !== sent; ) {
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.ok(sent < all, 'all was taken while nobody read');
    answerer.on('data', (bytes: Buffer) => (taken += bytes.length)).resume();
    await writing;
    while (taken < all) await once(answerer, 'data');
  }).timeout(120_000);

  it('closes a stream with a message past its limit', async () => {
    await start();
    const path = callPath(node.identity.id);
    const calling = openPinnedSocket({ address: gateway, key: gateway.key, path, maxPayloadBytes: 1 });
    const answerer = await node.answer(gateway, (await node.called()).call);
    const { socket } = await calling;
    socket.on('error', () => undefined).send(Buffer.alloc(STREAM_LIMITS.messageBytes));
    for (let taken = 0; taken < STREAM_LIMITS.messageBytes; ) taken += (await once(answerer, 'data'))[0].length;
    socket.send(Buffer.alloc(STREAM_LIMITS.messageBytes + 1));
    await Promise.all([once(socket, 'close'), ended(answerer)]);
  });

  it('refuses a call to a node that is not there, and says so', async () => {
    await start();
    await refused(call(new GatewayNode()), /the node is not connected to it now$/);
    node.hangUp();
    for (;;) {
      const error: Error | undefined = await call().then(
        () => undefined,
        (reason: Error) => reason,
      );
      if (/not connected/.test(error?.message ?? '')) return;
    }
  });

  it('says calls to nobody who only shows the public advertisement of a node', async () => {
    await start();
    for (const proved of [undefined, generateIdentity()]) {
      const impostor = new GatewayNode();
      await impostor.dial(gateway, proved ?? generateIdentity());
      await refused(call(impostor), /not connected/);
      impostor.hangUp();
    }
  });

  it('takes one answer for a call, of the node that was called and of no other', async () => {
    await start();
    const calling = call();
    const { call: token } = await node.called();
    await refused(node.answer(gateway, token, generateIdentity()), /not connected/);
    await refused(node.answer(gateway, 'A'.repeat(22)), /not connected/);
    open.push(await node.answer(gateway, token));
    await calling;
    await refused(node.answer(gateway, token), /not connected/);
  });

  it('answerMs: a call that the node does not answer is refused', async () => {
    await start({ answerMs: 50 });
    const late = refused(call(), /the node did not answer the call$/);
    const { call: token } = await node.called();
    await late;
    await refused(node.answer(gateway, token), /not connected/);
  });

  it('idleMs: a stream without a byte is closed', async () => {
    await start({ idleMs: 100 });
    const [caller, answerer] = await meet();
    await Promise.all([ended(caller), ended(answerer)]);
  });

  for (const [limit, why] of [
    ['streams', /it carries as much as it may$/],
    ['streamsPerNode', /there are too many calls$/],
    ['streamsPerHost', /there are too many calls$/],
  ] as const) {
    it(`${limit}: as many are carried, one more is refused, and a place that is given back is taken`, async () => {
      await start({ [limit]: 2 });
      const [first] = await meet();
      void call().catch(() => undefined); // Not answered yet: it counts.
      await node.called();
      await refused(call(), why);
      first.destroy();
      for (;;) {
        const again = await call().catch((error: Error) => error);
        if (!(again instanceof Error && why.test(again.message))) return;
      }
    }).timeout(20_000);
  }

  for (const who of ['Node', 'Host', 'Pair'] as const) {
    it(`callsPer${who}PerSecond, callsPer${who}Burst: as many make the node dial, one more is refused`, async () => {
      await start({ [`callsPer${who}PerSecond`]: 0.001, [`callsPer${who}Burst`]: 3, answerMs: 20 });
      for (let n = 0; n < 3; n += 1) await refused(call(), /did not answer/);
      await refused(call(), /there are too many calls$/);
      assert.equal(node.calls.length, 3);
    });
  }

  it('streamsPerNode: the address that holds most makes room for one that holds fewer, and for nobody else', async () => {
    await start({ streamsPerNode: 3 });
    const greedy = [await meet(), await meet(), await meet()].map(([caller]) => caller);
    for (const gone of [greedy[2], greedy[1]]) {
      const opened = once(callFrom(gone === greedy[2] ? '127.0.0.2' : '127.0.0.3'), 'open');
      open.push(await node.answer(gateway, (await node.called()).call));
      await Promise.all([opened, ended(gone ?? assert.fail())]);
    }
    const [refusal] = await once(callFrom('127.0.0.4'), 'error');
    assert.match(String(refusal), /429/);
    greedy[0]?.write('still here');
    assert.equal(greedy[0]?.destroyed, false);
  });

  it('callsPerPairPerSecond: who calls a node too often keeps no other from calling it', async () => {
    await start({ callsPerPairPerSecond: 0.001, callsPerPairBurst: 2, callsPerNodeBurst: 3, answerMs: 20 });
    for (let n = 0; n < 2; n += 1) await refused(call(), /did not answer/);
    for (let n = 0; n < 5; n += 1) await refused(call(), /there are too many calls$/);
    const [refusal] = await once(callFrom('127.0.0.2'), 'error');
    assert.match(String(refusal), /504/);
  });

  it('keeps no connection of those that it refuses', async () => {
    await start();
    for (const path of ['/elsewhere', `/call/${generateIdentity().id}`]) {
      const raw = connectTls({
        host: gateway.host,
        port: gateway.port,
        rejectUnauthorized: false,
      });
      raw.on('error', () => undefined);
      const closed = once(raw, 'close');
      raw.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      const [answer] = await once(raw, 'data');
      assert.match(String(answer), /^HTTP\/1.1 404/);
      // What is written after it meets a closed connection.
      const timer = setInterval(() => raw.write('x'), 10);
      await closed;
      clearInterval(timer);
    }
  });

  it('rateEntries: when there is no room for more addresses or nodes, the new ones share one allowance', async () => {
    await start({ rateEntries: 1, callsPerNodePerSecond: 0.001, callsPerNodeBurst: 2, answerMs: 20 });
    await refused(call(), /did not answer/);
    const [second, third] = [await new GatewayNode().dial(gateway), await new GatewayNode().dial(gateway)];
    for (const other of [second, third]) await refused(call(other), /did not answer/);
    await refused(call(second), /there are too many calls$/);
    await refused(call(), /did not answer/);
    for (const other of [second, third]) other.hangUp();
  });

  it('has nothing at other paths', async () => {
    await start();
    for (const path of ['/call/', '/call/nobody', '/answer', '/elsewhere', `/call/${node.identity.id}/more`]) {
      await refused(openStream(gateway, { path, connectTimeoutMs: 5000 }), /not connected/);
    }
  });
});
