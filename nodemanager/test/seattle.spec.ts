import assert from 'node:assert/strict';
import { createHash, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileName, Message, NodeClient, VesselInfo, VesselName } from '@potluck/protocol';
import { NODE_LIMITS } from '../src/limits.ts';
import { assertRefused, RawConnection, rejectsWith, requestTo, TestNode, type TestNodeInit } from './support.ts';

const v1 = 'v1' as VesselName;
const LIST = { method: 'ListFilesInVessel', params: { vessel: v1 } };

describe('a node, as Seattle had it', () => {
  let node: TestNode;
  let user: NodeClient;
  const boot = async (limits: TestNodeInit['limits'] = {}): Promise<void> => {
    node = await TestNode.start({ limits });
    user = await node.client(node.user);
  };
  afterEach(async () => await node[Symbol.asyncDispose]());

  const add = async (name: string, text: string | Buffer): Promise<void> => {
    await user.call('AddFileToVessel', { vessel: v1, name: name as FileName }, { attachment: Buffer.from(text) });
  };
  const retrieve = async (name: string): Promise<Buffer> =>
    Buffer.from((await user.call('RetrieveFileFromVessel', { vessel: v1, name: name as FileName })).attachment);
  const list = async (): Promise<string[]> =>
    (await user.call('ListFilesInVessel', { vessel: v1 })).result.files.map(({ name }) => name);
  const log = async (): Promise<string> => (await user.call('ReadVesselLog', { vessel: v1 })).attachment.toString();
  const info = async (): Promise<VesselInfo> =>
    (await user.call('GetVessels', {})).result.vessels[0] ?? assert.fail('expected a vessel');
  const start = async (source: string) => {
    await add('p.js', source);
    return (await user.call('StartVessel', { vessel: v1, program: 'p.js' as FileName, args: [] })).result.state;
  };
  const ended = async (): Promise<VesselInfo> => {
    for (;;) {
      const now = await info();
      if (now.state !== 'Started') return now;
      await delay(10); // Only a request can tell.
    }
  };

  it('Seattle 40: a file comes back byte for byte, is replaced as a whole, may be empty, and has a harmless name', async () => {
    await boot();
    const bytes = randomBytes(100_000);
    await add('data', bytes);
    assert.ok((await retrieve('data')).equals(bytes));
    await add('data', 'short');
    assert.equal((await retrieve('data')).toString(), 'short');
    await add('empty', '');
    assert.equal((await retrieve('empty')).length, 0);
    for (const name of ['', '/', '.', '..', '../x', 'a/b', '/etc/passwd', 'a\0', 'private_', 'private_x']) {
      await rejectsWith(add(name, 'x'), 'BAD_PARAMETERS');
      await rejectsWith(retrieve(name), 'BAD_PARAMETERS');
    }
    await writeFile(join(node.paths.vessel(v1).files, 'private_note'), "the node's own");
    assert.deepEqual(await list(), ['data', 'empty']);
    await user.call('ResetVessel', { vessel: v1 });
    assert.deepEqual(await list(), []);
  });

  it('Seattle 41: after a reset there are no files and no log, and a second one changes nothing', async () => {
    await boot();
    await start("log('said\\n');");
    await ended();
    const resources = async () => (await user.call('GetVesselResources', { vessel: v1 })).result.restrictions;
    const before = await resources();
    for (let times = 0; times < 2; times += 1) {
      assert.equal((await user.call('ResetVessel', { vessel: v1 })).result.state, 'Fresh');
      assert.deepEqual([await list(), await log(), await resources()], [[], '', before]);
    }
    const { state, ending, program } = await info();
    assert.deepEqual([state, ending, program], ['Fresh', undefined, undefined]);
  });

  it('Seattle 42: Started when it runs, Stopped and never Terminated by a stop, Terminated by its own end, and its last word is in the log', async () => {
    await boot();
    assert.equal(await start("log('one\\n'); settimer(1e6, () => {});"), 'Started');
    assert.equal((await info()).state, 'Started');
    assert.equal((await user.call('StopVessel', { vessel: v1 })).result.state, 'Stopped');
    await delay(0);
    assert.equal((await info()).state, 'Stopped');
    await rejectsWith(user.call('StopVessel', { vessel: v1 }), 'BAD_STATE');
    await start("log('two\\n'); log('last words\\n');");
    assert.equal((await ended()).state, 'Terminated');
    assert.equal((await log()).trimEnd().split('\n').at(-1), 'last words');
  });

  /**
   * Seattle numbered requests. A request of ours has a nonce and times instead, so that many may be under way at once: each
   * is taken once, whatever the order of their coming.
   */
  it('Seattle 45: a request is taken once, in any order, and not with times that are none', async () => {
    await boot();
    await using raw = await RawConnection.open(node);
    const [first, second] = [await requestTo(node, node.user, LIST), await requestTo(node, node.user, LIST)];
    for (const message of [second, first]) assert.ok(!((await raw.exchange(message)) instanceof Error));
    for (const message of [first, second, first]) assertRefused(await raw.exchange(message), 'REPLAYED');
    const now = Math.floor(Date.now() / 1000);
    const times: [iat: string, exp: string, code: 'BAD_MESSAGE' | 'EXPIRED'][] = [
      [`"${now}"`, `${now + 60}`, 'BAD_MESSAGE'],
      [`${now}`, '"tomorrow"', 'BAD_MESSAGE'],
      ['null', `${now + 60}`, 'BAD_MESSAGE'],
      [`${now}`, '1e999', 'BAD_MESSAGE'],
      ['-1e999', `${now + 60}`, 'BAD_MESSAGE'],
      [`-${now}`, `-${now - 60}`, 'EXPIRED'],
      [`${now}`, `${now - 60}`, 'EXPIRED'],
      ['0', '60', 'EXPIRED'],
      ['-30', `${now + 60}`, 'EXPIRED'],
      [`${now + 3600}`, `${now + 3660}`, 'EXPIRED'],
    ];
    for (const [iat, exp, code] of times) {
      const { message, what } = signedWith(node, { iat, exp });
      assert.equal(assertRefused(await raw.exchange(message), code).code, code, what);
    }
    const { message } = signedWith(node, { iat: `${now}`, exp: `${now + 60}` });
    assert.ok(!((await raw.exchange(message)) instanceof Error), 'the same with times is taken');
  });

  it('Seattle 48: an unknown request is refused, one connection too many of an address is closed, a silent one too, and 10 KB are soon there', async () => {
    assert.deepEqual([NODE_LIMITS.handshakeMs, NODE_LIMITS.connectionsPerAddress], [10_000, 256]);
    await boot({ connectionsPerAddress: 4, handshakeMs: 500 });
    const open = await Promise.all([1, 2, 3].map(() => RawConnection.open(node)));
    for (const method of ['', 'FormatDisk', 'getvessels']) {
      const asked = await requestTo(node, node.owner, { method });
      assertRefused((await open[0]?.exchange(asked)) ?? assert.fail(), 'UNKNOWN_METHOD');
    }
    await rejectsWith(RawConnection.open(node), 'UNREACHABLE');
    await open[2]?.[Symbol.asyncDispose]();
    for (;;) {
      // Until the place is free: one that is dropped at once was not yet let in.
      const begin = performance.now();
      const silent = connect(node.address).on('error', () => undefined);
      await once(silent, 'close');
      if (performance.now() - begin >= 400) break;
    }
    const attachment = randomBytes(10_000);
    await user.call('AddFileToVessel', { vessel: v1, name: 'ten' as FileName }, { attachment, timeoutMs: 10_000 });
    assert.ok((await retrieve('ten')).equals(attachment));
    for (const raw of open) await raw[Symbol.asyncDispose]();
  });
});

/** A request whose times are JSON of any kind. */
function signedWith(node: TestNode, { iat, exp }: { iat: string; exp: string }): { message: Message; what: string } {
  const { publicJwk, privateKey } = node.user;
  const empty = createHash('sha256').digest('base64url');
  const more = { ...LIST, node: node.id, nonce: randomBytes(16).toString('base64url'), sha256: empty };
  const payload = `${JSON.stringify(more).slice(0, -1)},"iat":${iat},"exp":${exp}}`;
  const header = JSON.stringify({ alg: 'EdDSA', typ: 'potluck-request', jwk: publicJwk });
  const body = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
  const signature = sign(null, Buffer.from(body), privateKey).toString('base64url');
  return { message: { envelope: `${body}.${signature}`, attachment: new Uint8Array() }, what: `${iat} to ${exp}` };
}
