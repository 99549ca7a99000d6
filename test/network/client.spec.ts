import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AcquireError,
  AuthenticationError,
  Clearinghouse,
  CreditsError,
  InvalidRequestError,
} from '@potluck/clearinghouse';
import { generateIdentity } from '@potluck/protocol';
import { World } from '../browser/world.ts';
import { User } from './user.ts';

describe('the client of a clearinghouse', () => {
  let world: World;
  let url: string;
  let user: User;
  let client: Clearinghouse;

  before(async () => {
    world = await World.create();
    ({ url } = await world.clearinghouse());
    user = await new User(url).join('user');
    client = new Clearinghouse({ url, identity: user.identity });
  });
  after(async () => await world[Symbol.asyncDispose]());

  it('asks what anybody may ask, without a key', async () => {
    assert.deepEqual(await new Clearinghouse({ url }).call('getHome', {}), { nodes: 0, vessels: 0, free: 0 });
    const { id: keyId } = user.identity;
    assert.deepEqual(await new Clearinghouse({ url }).call('getAdvertisementsByKeyId', { keyId }), {
      advertisements: [],
    });
  });

  it('signs by the key of the account, questions with a query and acts with a body alike', async () => {
    assert.equal((await client.call('getAccount', {})).username, 'user');
    assert.deepEqual((await client.call('getVessels', { limit: 10 })).vessels, []);
    assert.deepEqual((await client.call('postVesselsRelease', { all: true })).vessels, []);
  });

  it('brings a token, as its page says', async () => {
    const body = { name: 'client', scopes: ['vessels:read'], days: 1, current: 'secret of user' };
    const { secret } = (await user.ask('/account/tokens', body)) as unknown as { secret: string };
    const clearinghouse = new Clearinghouse({ url, token: secret });
    const { vessels } = await clearinghouse.call('getVessels', { limit: 100 });
    assert.deepEqual(vessels, []);
    await assert.rejects(clearinghouse.call('postVesselsRelease', { all: true }), AuthenticationError);
    const page = await readFile(join(import.meta.dirname, '../../clearinghouse/README.md'), 'utf8');
    assert.ok(page.includes("const { vessels } = await clearinghouse.call('getVessels', { limit: 100 });"));
  });

  it('tells the kinds of refusal apart by their classes', async () => {
    await assert.rejects(client.call('postVesselsAcquire', { count: 11 }), (error) => {
      return error instanceof CreditsError && error.code === 'NOT_ENOUGH_CREDITS' && error.details.status === 409;
    });
    await assert.rejects(client.call('postVesselsAcquire', { count: 0 }), InvalidRequestError);
    await assert.rejects(client.call('postVesselsAcquire', { count: 2 }), (error) => {
      assert.ok(error instanceof AcquireError);
      assert.deepEqual(error.shortage, { wanted: 2, found: 0, short: 2, unit: 'vessels' });
      return error.code === 'UNABLE_TO_ACQUIRE';
    });
    const stranger = new Clearinghouse({ url, identity: generateIdentity() });
    await assert.rejects(stranger.call('getAccount', {}), AuthenticationError);
  });

  it('says when nobody answers, or something else than a clearinghouse does', async () => {
    const nobody = new Clearinghouse({ url: 'http://127.0.0.1:1' });
    await assert.rejects(nobody.call('getHome', {}), { code: 'CLEARINGHOUSE_UNREACHABLE' });
    const elsewhere = new Clearinghouse({ url: `${url}/nowhere` });
    await assert.rejects(elsewhere.call('getHome', {}), { code: 'INVALID_REQUEST' });
    await assert.rejects(client.call('getHome', {}, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  });
});
