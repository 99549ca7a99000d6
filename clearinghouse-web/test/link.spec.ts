import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { callPath, type GatewayAddress, generateIdentity, type Identity, openStream } from '@potluck/protocol';
import { pino } from 'pino';
import { LocalBus } from '../src/bus/local.ts';
import { Gateway } from '../src/gateway.ts';
import type { RelayLimits } from '../src/relay.ts';
import { Store } from '../src/store/store.ts';
import { GatewayNode } from './support/gateway-node.ts';
import { temporaryDirectory } from './support/site.ts';

const logger = pino({ level: 'silent' });

/** Two gateways of one clearinghouse, as two site processes have them. */
describe('the link between two sites', () => {
  const identity = generateIdentity();
  const stack: AsyncDisposable[] = [];
  const open: Duplex[] = [];
  let store: Store;
  let bus: LocalBus;
  let here: GatewayAddress;
  let there: GatewayAddress;
  let node: GatewayNode;

  const begin = async (relayLimits: Partial<RelayLimits> = {}): Promise<GatewayAddress> => {
    const site = await store.sites.join({ gatewayKey: identity.id, alone: false });
    const init = { identity, host: '127.0.0.1', port: 0, logger, site, relayLimits };
    const gateway = new Gateway({ store, bus }, init);
    await gateway.start();
    stack.push({ [Symbol.asyncDispose]: async () => await gateway.stop() });
    const address = { host: '127.0.0.1', port: gateway.port, key: identity.id };
    await store.sites.live(site, address);
    return address;
  };
  const start = async (limits?: Partial<RelayLimits>): Promise<void> => {
    const directory = await temporaryDirectory();
    store = await Store.open(join(directory.path, 'clearinghouse.sqlite'));
    bus = new LocalBus({ logger });
    stack.push(directory, store, bus);
    [here, there] = [await begin(limits), await begin(limits)];
    node = await new GatewayNode().dial(here);
  };
  afterEach(async () => {
    node.hangUp();
    for (const stream of open.splice(0)) stream.destroy();
    for (const part of stack.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  });

  const call = async (gateway: GatewayAddress): Promise<Duplex> => {
    const stream = await openStream(gateway, { path: callPath(node.identity.id), connectTimeoutMs: 5000 });
    open.push(stream);
    return stream;
  };
  const answer = async (gateway: GatewayAddress, token: string, by?: Identity): Promise<Duplex> => {
    const stream = await node.answer(gateway, token, by);
    open.push(stream);
    return stream;
  };
  const ended = async (stream: Duplex): Promise<void> => {
    stream.resume();
    if (!stream.closed) await once(stream, 'close');
  };
  const refused = async (calling: Promise<unknown>, why: RegExp): Promise<void> => {
    await assert.rejects(calling, { code: 'UNREACHABLE', message: why });
  };

  for (const [what, calls, answers] of [
    ['is called at the other and answers at its own', 'there', 'here'],
    ['is called at its own and answers at the other', 'here', 'there'],
    ['is called and answers at the other', 'there', 'there'],
  ] as const) {
    it(`joins a caller with a node that ${what}, and the end of one is the end of both`, async () => {
      await start();
      const at = { here, there };
      const calling = call(at[calls]);
      const answerer = await answer(at[answers], (await node.called()).call);
      const caller = await calling;
      caller.write('from the caller');
      assert.equal(String((await once(answerer, 'data'))[0]), 'from the caller');
      answerer.write('from the node');
      assert.equal(String((await once(caller, 'data'))[0]), 'from the node');
      if (calls === 'there') caller.end();
      else answerer.end();
      await Promise.all([ended(answerer), ended(caller)]);
    });
  }

  it('takes one answer for a call, of the node that was called and of no other, through either site', async () => {
    await start();
    const calling = call(there);
    const { call: token } = await node.called();
    for (const gateway of [here, there]) await refused(answer(gateway, token, generateIdentity()), /not connected/);
    await answer(here, token);
    await calling;
    for (const gateway of [here, there]) await refused(answer(gateway, token), /not connected/);
  });

  it('is open to who proves the gateway’s key, and to nobody who only says which node he is', async () => {
    await start();
    const calling = call(there);
    const { call: token } = await node.called();
    const path = `/link/${token}.${node.identity.id}`;
    for (const prover of [undefined, node.identity, generateIdentity()]) {
      const init = { path, connectTimeoutMs: 5000, ...(prover && { identity: prover }) };
      await refused(openStream(there, init), /not connected/);
    }
    open.push(await openStream(there, { path, identity, connectTimeoutMs: 5000 }));
    await calling;
  });

  it('refuses an answer for a site that is dead, or that never was', async () => {
    await start();
    const calling = call(there);
    const { call: token } = await node.called();
    const other = Buffer.from(token, 'base64url');
    other.writeUInt32BE(99);
    await refused(answer(here, other.toString('base64url')), /not connected/);
    await refused(answer(here, 'short'), /not connected/);
    const stopped = Buffer.from(token, 'base64url').readUInt32BE();
    await store.sites.leave(stopped);
    await refused(answer(here, token), /not connected/);
    await answer(there, token);
    await calling;
  });

  it('callsPerHostBurst: no address has answers passed on without end', async () => {
    await start({ callsPerHostPerSecond: 0.001, callsPerHostBurst: 2 });
    const strange = (): string => {
      const token = Buffer.alloc(16, 7);
      token.writeUInt32BE(99);
      return token.toString('base64url');
    };
    for (let index = 0; index < 2; index += 1) await refused(answer(here, strange()), /not connected/);
    await refused(answer(here, strange()), /too many/);
  });

  it('refuses a call to a node that no site has', async () => {
    await start();
    node.hangUp();
    for (;;) {
      const refusal = await call(there).catch((error: Error) => error.message);
      if (typeof refusal === 'string' && /not connected/.test(refusal)) return;
    }
  });
});
