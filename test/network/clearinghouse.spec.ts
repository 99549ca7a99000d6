import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  generateIdentity,
  type HeldVessel,
  type Identity,
  NodeClient,
  RequestError,
  signKeyProof,
} from '@potluck/protocol';
import { openDatabase } from '../../clearinghouse-web/src/store/database.ts';
import { donate, emptyPayload } from '../browser/donor.ts';
import { stop, World } from '../browser/world.ts';
import { User } from './user.ts';

/** Asks until the node permits it; the test's own time limit ends it. */
async function taken(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'NOT_PERMITTED') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A program that goes on until it is stopped. */
async function run(held: HeldVessel, identity: Identity): Promise<void> {
  const { node, vessel, address } = held;
  assert.ok(address);
  await using client = await NodeClient.connect({ address, node, identity });
  const attachment = Buffer.from("recvmess(getmyip(), 63100, () => log('heard'));");
  await client.call('AddFileToVessel', { vessel, name: 'wait.js' as never }, { attachment });
  await client.call('StartVessel', { vessel, program: 'wait.js' as never, args: [] });
}

describe('a clearinghouse with real node managers', () => {
  let world: World;
  let url: string;

  beforeEach(async () => {
    world = await World.create();
    ({ url } = await world.clearinghouse('--payload', await emptyPayload(world.directory)));
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  it('lets the user of a vessel upload to it, and nobody any more when it was released: it is empty then', async () => {
    await donate(world, url, { name: 'donor', vessels: 1 });
    const user = await new User(url).join('user');
    const [vessel] = (await user.ask('/vessels/acquire', { count: 1 })).vessels;
    assert.ok(vessel);
    await using client = await NodeClient.connect({ ...vessel, identity: user.identity });
    const params = { vessel: vessel.vessel, name: 'hello.js' as never };
    await client.call('AddFileToVessel', params, { attachment: Buffer.from('log(1)') });
    await user.ask('/vessels/release', { handles: [vessel.handle] });
    await user.until('/', ({ free }) => free === 1);
    await assert.rejects(client.call('ListFilesInVessel', { vessel: vessel.vessel }), { code: 'NOT_PERMITTED' });
    const other = await new User(url).join('other');
    const [again] = (await other.ask('/vessels/acquire', { count: 1 })).vessels;
    assert.equal(again?.handle, vessel.handle);
    await using second = await NodeClient.connect({ ...vessel, identity: other.identity });
    assert.deepEqual((await second.call('ListFilesInVessel', { vessel: vessel.vessel })).result, { files: [] });
  });

  /** As if its hours were over: nothing but the time is changed. */
  async function runOut(): Promise<void> {
    await using db = openDatabase(join(world.directory, 'clearinghouse', 'clearinghouse.sqlite'));
    await db.updateTable('vessels').set({ expires_at: 1 }).where('state', '=', 'leased').execute();
  }

  for (const ending of ['was released', 'ran out'] as const) {
    it(`stops and empties a vessel that ${ending} while its node was away, once the node is back at another port`, async () => {
      const node = await donate(world, url, { name: 'donor', vessels: 1 });
      const user = await new User(url).join('user');
      const [vessel] = (await user.ask('/vessels/acquire', { count: 1 })).vessels;
      assert.ok(vessel);
      await run(vessel, user.identity);
      await stop(node, 'SIGKILL');
      await user.until('/vessels', ({ vessels }) => vessels[0]?.active === false);
      if (ending === 'ran out') await runOut();
      else assert.deepEqual((await user.ask('/vessels/release', { handles: [vessel.handle] })).vessels, []);
      await user.until('/vessels', ({ vessels }) => vessels.length === 0);
      assert.equal((await user.ask('/vessels/acquire', { count: 1 })).code, 'UNABLE_TO_ACQUIRE');
      await world.startNode('donor');
      await user.until('/', ({ free }) => free === 1);
      const address = JSON.parse(await readFile(join(world.directory, 'donor', 'address.json'), 'utf8'));
      await using client = await NodeClient.connect({ address, node: vessel.node, identity: user.identity });
      const [found] = (await client.call('GetVessels', {})).result.vessels;
      assert.deepEqual(found?.users, []);
      assert.equal(found?.state, 'Fresh');
      const [again] = (await user.ask('/vessels/acquire', { count: 1 })).vessels;
      assert.equal(again?.handle, vessel.handle);
      assert.deepEqual((await client.call('ListFilesInVessel', { vessel: vessel.vessel })).result, { files: [] });
    });
  }

  it('hands a vessel to the new key of its user, also when the node was away, and refuses the old one there', async () => {
    const node = await donate(world, url, { name: 'donor', vessels: 1 });
    const user = await new User(url).join('user');
    const [vessel] = (await user.ask('/vessels/acquire', { count: 1 })).vessels;
    assert.ok(vessel);
    const list = async (identity: Identity) => {
      const address = JSON.parse(await readFile(join(world.directory, 'donor', 'address.json'), 'utf8'));
      await using client = await NodeClient.connect({ address, node: vessel.node, identity });
      return (await client.call('ListFilesInVessel', { vessel: vessel.vessel })).result.files;
    };
    const [first, second, third] = [user.identity, generateIdentity(), generateIdentity()];
    const change = async (identity: Identity): Promise<void> => {
      const keyProof = await signKeyProof(identity, { audience: url, subject: 'user' });
      assert.equal((await user.ask('/account/key', { keyProof, current: 'secret of user' })).code, undefined);
    };
    await change(second);
    await taken(async () => await list(second));
    await assert.rejects(list(first), { code: 'NOT_PERMITTED' });
    await stop(node, 'SIGKILL');
    await change(third);
    await world.startNode('donor');
    await taken(async () => await list(third));
    await assert.rejects(list(second), { code: 'NOT_PERMITTED' });
  });

  it('never gives one vessel to two users who ask at once', async () => {
    await donate(world, url, { name: 'one', vessels: 4 });
    await donate(world, url, { name: 'two', vessels: 4 });
    const users = await Promise.all(['a', 'b', 'c'].map(async (name) => await new User(url).join(`user_${name}`)));
    const answers = await Promise.all(users.map(async (user) => await user.ask('/vessels/acquire', { count: 3 })));
    const refused = answers.filter(({ code }) => code === 'UNABLE_TO_ACQUIRE');
    assert.equal(refused.length, 1, 'eight vessels are enough for two of three');
    const held = answers.flatMap(({ vessels }) => vessels ?? []);
    assert.equal(new Set(held.map(({ handle }) => handle)).size, 6);
    for (const [index, { vessels }] of answers.entries()) {
      for (const { reach, node, vessel: name } of vessels ?? []) {
        const identity = users[index]?.identity ?? generateIdentity();
        await using client = await NodeClient.connect({ reach, node, identity });
        const found = (await client.call('GetVessels', {})).result.vessels.find((vessel) => vessel.name === name);
        assert.deepEqual(found?.users, [identity.id]);
      }
    }
  });
});
