import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { generateIdentity, LIMITS, packMessage, verifyAdvertisement } from '@potluck/protocol';
import { loadConfig } from '../src/config.ts';
import { NODE_LIMITS } from '../src/limits.ts';
import { RawConnection, RESTRICTIONS, requestTo, TemporaryDirectory, TestNode } from './support.ts';

const NOBODY = { owner: generateIdentity().id, users: [], restrictions: RESTRICTIONS };
const BARE = { listen: { host: '127.0.0.1', port: 0 }, vessels: [] };

describe('the bounds of a node manager', () => {
  it('configBytes: a configuration of as many bytes is read, and none of one byte more', async () => {
    await using directory = await TemporaryDirectory.make();
    const path = `${directory.path}/nodemanager.json`;
    const text = JSON.stringify(BARE).padEnd(NODE_LIMITS.configBytes);
    await writeFile(path, text);
    assert.deepEqual((await loadConfig(path)).vessels, []);
    await writeFile(path, `${text} `);
    const message = new RegExp(`${NODE_LIMITS.configBytes + 1} bytes, over ${NODE_LIMITS.configBytes}`);
    await assert.rejects(loadConfig(path), { code: 'CONFIG_BROKEN', message });
  });

  it('vessels: a configuration may have as many, and not one more; as many warm processes too', async () => {
    await using directory = await TemporaryDirectory.make();
    const path = `${directory.path}/nodemanager.json`;
    const load = async (vessels: number, warm: number) => {
      await writeFile(path, JSON.stringify({ ...BARE, vessels: Array(vessels).fill(NOBODY), warm }));
      return await loadConfig(path);
    };
    assert.equal((await load(NODE_LIMITS.vessels, NODE_LIMITS.vessels)).vessels.length, NODE_LIMITS.vessels);
    await assert.rejects(load(NODE_LIMITS.vessels + 1, 0), { code: 'CONFIG_BROKEN', message: /vessels: .*64/ });
    await assert.rejects(load(0, NODE_LIMITS.vessels + 1), { code: 'CONFIG_BROKEN', message: /warm: .*64/ });
  });

  it("daemonLogBytes: the daemon's own log is two files of as many bytes each, and ends with what came last", async () => {
    const limitBytes = 1000;
    await using node = await TestNode.start({ limits: { daemonLogBytes: limitBytes } });
    for (let times = 0; times < 12; times += 1) await node.restart();
    const both = [await readFile(node.paths.logOld, 'utf8'), await readFile(node.paths.log, 'utf8')];
    const lines = both.map((text) => text.split('\n').slice(1).join('\n')); // Behind the line of its place in the whole.
    for (const text of lines) assert.ok(text.length <= limitBytes, `${text.length} bytes`);
    assert.ok(lines.join('').length > limitBytes, 'both are used');
    assert.match(lines.join('').trimEnd().split('\n').at(-1) ?? '', /"msg":"the node manager listens"/);
    assert.equal((await stat(node.paths.log)).mode & 0o077, 0);
  });

  it('advertisedKeys: a node with more owners and users names the first ones, and is believed', async () => {
    const keys = Array.from({ length: LIMITS.advertisedKeys + 10 }, () => generateIdentity().id);
    const vessels = Array.from({ length: 5 }, (_, vessel) => {
      const users = keys.slice(1 + vessel * 60, 1 + (vessel + 1) * 60);
      return { ...NOBODY, owner: keys[0] ?? assert.fail(), users };
    });
    await using node = await TestNode.start({ config: { vessels, directory: true } });
    const client = await node.client(node.stranger);
    const { attachment } = await client.call('LookUp', { key: node.id });
    const [jws = ''] = Buffer.from(attachment).toString().split('\n');
    const { advertisement } = await verifyAdvertisement(jws);
    assert.equal(advertisement.keys.length, LIMITS.advertisedKeys);
    assert.equal(new Set(advertisement.keys).size, LIMITS.advertisedKeys);
  });

  it('checksAtOnce: with one at a time, the messages of one address wait in turn with those of another', async function () {
    if (process.platform !== 'linux') this.skip();
    await using node = await TestNode.start({ limits: { checksAtOnce: 1 } });
    await using flood = await RawConnection.open(node);
    await using other = await RawConnection.open(node, '127.0.0.9');
    const many = await Promise.all(Array.from({ length: 16 }, () => requestTo(node, node.stranger)));
    for (const message of many) flood.socket.send(packMessage(message));
    assert.ok(!((await other.exchange(await requestTo(node, node.user))) instanceof Error));
    for (const _ of many) assert.ok(!((await flood.reply()) instanceof Error));
  });

  it('rateEntries: when there is no room for more addresses, the new ones share one allowance, and get back what they did not owe', async function () {
    if (process.platform !== 'linux') this.skip();
    await using node = await TestNode.start({ limits: { rateEntries: 1, addressBurst: 2, addressPerSecond: 0.001 } });
    const asks = async (from: string, signer = node.stranger): Promise<boolean> => {
      await using raw = await RawConnection.open(node, from);
      return !((await raw.exchange(await requestTo(node, signer))) instanceof Error);
    };
    assert.equal(await asks('127.0.0.3'), true);
    for (let host = 4; host < 8; host += 1) assert.equal(await asks(`127.0.0.${host}`, node.user), true);
    assert.equal(await asks('127.0.0.4'), true);
    assert.equal(await asks('127.0.0.5'), true);
    assert.equal(await asks('127.0.0.6'), false, 'what the two before it have used');
    assert.equal(await asks('127.0.0.3'), true, 'it has its own');
  });
});
