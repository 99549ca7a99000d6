import assert from 'node:assert/strict';
import { on } from 'node:events';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  generateIdentity,
  type Identity,
  type KeyId,
  LIMITS,
  type RequestError,
  signAdvertisement,
  verifyAdvertisement,
} from '@potluck/protocol';
import { Directory } from '../src/directory.ts';
import { NODE_LIMITS, nodeConfigSchema } from '../src/index.ts';
import { assertRefused, RawConnection, rejectsWith, requestTo, TestNode } from './support.ts';

const SOMEWHERE = { addresses: [{ host: '192.0.2.7', port: 1224 }], version: '0.1.0' };

const saying = async (node: Identity, keys: KeyId[] = [], lifetimeSeconds = 60): Promise<string> =>
  await signAdvertisement(node, { ...SOMEWHERE, keys }, lifetimeSeconds);

/** What the directory answers, as who asks verifies it. */
async function lookUp(directory: TestNode, key: KeyId): Promise<KeyId[]> {
  const client = await directory.client(directory.stranger);
  const { result, attachment } = await client.call('LookUp', { key });
  const lines = Buffer.from(attachment).toString().split('\n').filter(Boolean);
  assert.equal(lines.length, result.advertisements);
  return (await Promise.all(lines.map(verifyAdvertisement))).map(({ node }) => node);
}

/** Returns when the node's log has the text: nodes tell directories when they can. */
async function logged(node: TestNode, text: string): Promise<void> {
  const watcher = watch(node.directory.path);
  const isThere = async (): Promise<boolean> => (await readFile(node.paths.log, 'utf8')).includes(text);
  try {
    if (await isThere()) return;
    for await (const _ of on(watcher, 'change')) if (await isThere()) return;
  } finally {
    watcher.close();
  }
}

describe('a directory', () => {
  it('is found by the node that lists it, and answers under the keys of node, owner and user', async () => {
    await using directory = await TestNode.start({ config: { directory: true } });
    const place = { ...directory.address, key: directory.id };
    await using node = await TestNode.start({ config: { directories: [place] } });
    await logged(node, 'it knows this node');
    for (const key of [node.id, node.owner.id, node.user.id]) {
      assert.deepEqual(await lookUp(directory, key), [node.id]);
    }
    assert.deepEqual(await lookUp(directory, node.stranger.id), []);
  });

  it('is told at once when the keys change, and forgets the node under those that it no longer names', async () => {
    await using directory = await TestNode.start({ config: { directory: true } });
    await using node = await TestNode.start({ config: { directories: [{ ...directory.address, key: directory.id }] } });
    await logged(node, 'it knows this node');
    const client = await node.client(node.owner);
    const newcomer = generateIdentity();
    await client.call('ChangeUsers', { vessel: 'v1' as never, users: [newcomer.id] });
    while ((await lookUp(directory, newcomer.id)).length === 0);
    assert.deepEqual(await lookUp(directory, node.user.id), []);
    assert.deepEqual(await lookUp(directory, node.id), [node.id]);
  });

  it('says of itself where it is, also when it holds nothing of others', async () => {
    await using node = await TestNode.start();
    assert.deepEqual(await lookUp(node, node.user.id), [node.id]);
    const client = await node.client(node.stranger);
    const advertisement = await saying(generateIdentity());
    await rejectsWith(client.call('Advertise', { advertisement }), 'NOT_PERMITTED');
  });

  it('holds nothing that is not signed, not of now, or older than what it holds', async () => {
    await using directory = await TestNode.start({ config: { directory: true } });
    const client = await directory.client(directory.stranger);
    const node = generateIdentity();
    const old = await saying(node);
    const told = async (advertisement: string) => await client.call('Advertise', { advertisement });
    await rejectsWith(told('rubbish'), 'BAD_PARAMETERS');
    await rejectsWith(told(`${old.slice(0, -8)}AAAAAAAA`), 'BAD_PARAMETERS');
    await rejectsWith(told(await saying(node, [], -LIMITS.clockSkewSeconds - 1)), 'BAD_PARAMETERS');
    await rejectsWith(told(await saying(node, [], LIMITS.advertisementLifetimeSeconds + 1)), 'BAD_PARAMETERS');
    assert.deepEqual(await lookUp(directory, node.id), []);
    // Advertisements carry whole seconds.
    const { advertisement } = await verifyAdvertisement(old);
    while (Math.floor(Date.now() / 1000) <= advertisement.iat);
    await told(await saying(node, [directory.stranger.id]));
    await rejectsWith(told(old), 'BAD_PARAMETERS');
    assert.deepEqual(await lookUp(directory, directory.stranger.id), [node.id]);
  });

  it('takes an advertisement of advertisementBytes, and none of one byte more', async () => {
    await using directory = await TestNode.start({ config: { directory: true } });
    const ask = async (length: number) => {
      await using raw = await RawConnection.open(directory);
      const params = { advertisement: 'x'.repeat(length) };
      return assertRefused(
        await raw.exchange(await requestTo(directory, directory.stranger, { method: 'Advertise', params })),
        'BAD_PARAMETERS',
      );
    };
    assert.match((await ask(LIMITS.advertisementBytes)).message, /signed advertisement/);
    assert.match((await ask(LIMITS.advertisementBytes + 1)).message, /Too big/);
  });

  it('holds directoryBytes: past it the address that has put most there loses what expires first', async () => {
    const one = (await saying(generateIdentity())).length;
    await using directory = await TestNode.start({
      config: { directory: true },
      limits: { directoryBytes: 4 * one + 3 },
    });
    const tell = async (node: Identity, from: string, lifetimeSeconds: number) => {
      await using raw = await RawConnection.open(directory, from);
      const params = { advertisement: await saying(node, [], lifetimeSeconds) };
      return await raw.exchange(await requestTo(directory, directory.stranger, { method: 'Advertise', params }));
    };
    const honest = generateIdentity();
    const flood = Array.from({ length: 5 }, () => generateIdentity());
    await tell(honest, '127.0.0.3', 50);
    const outcomes: (RequestError | object)[] = [];
    for (const [index, node] of flood.entries()) outcomes.push(await tell(node, '127.0.0.2', 60 + 20 * (index % 4)));
    const found = await Promise.all([honest, ...flood].map(async ({ id }) => (await lookUp(directory, id)).length));
    assert.deepEqual(found, [1, 0, 1, 1, 1, 0], 'the first of the flood went for the fourth, the last found no room');
    assertRefused(outcomes[4] as RequestError, 'BUSY');
  });

  it("leaves a node's advertisement in the node's room, whoever brings a newer one from elsewhere", async () => {
    const node = generateIdentity();
    const each = (await saying(node)).length;
    const directory = new Directory({ ...NODE_LIMITS, directoryBytes: Math.floor(4.5 * each) });
    await directory.hold(await saying(node, [], 40), { signer: node.id, home: 'its own' });
    const stranger = { signer: generateIdentity().id, home: 'elsewhere' };
    await directory.hold(await saying(node, [], 50), stranger); // As another directory may have told him.
    for (let n = 0; n < 10; n += 1) await directory.hold(await saying(generateIdentity()), stranger).catch(() => 0);
    assert.equal(directory.lookUp(node.id).length, 1);
  });

  it('answers with directoryAnswers of them and no more, the newest first', async () => {
    await using directory = await TestNode.start({ config: { directory: true }, limits: { directoryAnswers: 2 } });
    const client = await directory.client(directory.stranger);
    const nodes = Array.from({ length: 3 }, () => generateIdentity());
    for (const [index, node] of nodes.entries()) {
      await client.call('Advertise', { advertisement: await saying(node, [directory.stranger.id]) });
      assert.equal((await lookUp(directory, directory.stranger.id)).length, Math.min(index + 1, 2));
    }
  });

  it('answers with directoryAnswerBytes of them and no more', async () => {
    const node = generateIdentity();
    const one = await saying(node, [node.id]);
    for (const [limit, expected] of [
      [one.length + 1, 1],
      [one.length, 0],
    ] as const) {
      await using directory = await TestNode.start({
        config: { directory: true },
        limits: { directoryAnswerBytes: limit },
      });
      const client = await directory.client(node);
      await client.call('Advertise', { advertisement: one });
      assert.equal((await lookUp(directory, node.id)).length, expected);
    }
  });
});

describe('the directories of a node', () => {
  it('are tried again, each for itself, while another one is told', async () => {
    await using directory = await TestNode.start({ config: { directory: true } });
    const away = { host: '127.0.0.1', port: 1, key: generateIdentity().id };
    const wrong = { ...directory.address, key: away.key };
    await using node = await TestNode.start({
      config: { directories: [away, wrong, { ...directory.address, key: directory.id }] },
    });
    await logged(node, 'it knows this node');
    await logged(node, 'expected key');
    await logged(node, 'nobody can be reached');
    assert.deepEqual(await lookUp(directory, node.id), [node.id]);
  });

  it('are as many as the limit says, and not one more', () => {
    const listing = (count: number) => {
      const place = { host: '127.0.0.1', port: 1, key: generateIdentity().id };
      const directories = Array.from({ length: count }, () => place);
      return nodeConfigSchema.safeParse({ listen: { host: '127.0.0.1', port: 0 }, vessels: [], directories });
    };
    assert.equal(listing(NODE_LIMITS.directories).success, true);
    assert.equal(listing(NODE_LIMITS.directories + 1).success, false);
  });
});

describe('the labels of a node', () => {
  it('stand in what it says of itself, as its configuration has them', async () => {
    await using node = await TestNode.start({ config: { labels: ['gpu', 'campus-north'] } });
    const client = await node.client(node.stranger);
    const { attachment } = await client.call('LookUp', { key: node.id });
    const [line = ''] = Buffer.from(attachment).toString().split('\n');
    assert.deepEqual((await verifyAdvertisement(line)).advertisement.labels, ['gpu', 'campus-north']);
  });

  it('advertisedLabels: are as many, and not one more', () => {
    const labelled = (count: number) => {
      const labels = Array.from({ length: count }, (_, index) => `label-${index}`);
      return nodeConfigSchema.safeParse({ listen: { host: '127.0.0.1', port: 0 }, vessels: [], labels });
    };
    assert.equal(labelled(LIMITS.advertisedLabels).success, true);
    assert.equal(labelled(LIMITS.advertisedLabels + 1).success, false);
  });
});
