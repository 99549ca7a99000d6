import assert from 'node:assert/strict';
import { networkOf } from '../src/store/networks.ts';
import { Api } from './support/api.ts';
import { refuseFirst } from './support/peer.ts';
import { eventually, Site } from './support/site.ts';

/** What Seattle's clearinghouse was tested for; the numbers are those of the list of its semantics. */
describe('as in Seattle’s clearinghouse', () => {
  let site: Site;
  let donor: Api;
  let user: Api;

  beforeEach(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
    user = await site.api().join('user');
  });
  afterEach(async () => await site[Symbol.asyncDispose]());

  const codeOf = async (answer: Promise<{ body: { code: string } }>): Promise<string> => (await answer).body.code;
  const free = async (): Promise<number> => (await user.get('/')).body.free;

  it('Seattle 50: names have 3 to 40 letters, digits and "_", and no password is the name', async () => {
    const taken = async (name: string, password?: string) => {
      const answer = await (await site.api().open()).register(name, password);
      return answer.status === 201 ? 'made' : answer.body.code;
    };
    assert.equal(await taken('abc'), 'made');
    assert.equal(await taken('ab'), 'INVALID_REQUEST');
    assert.equal(await taken('a'.repeat(40)), 'made');
    assert.equal(await taken('a'.repeat(41)), 'INVALID_REQUEST');
    assert.equal(await taken('_abc'), 'INVALID_REQUEST');
    assert.equal(await taken('a-b c'), 'INVALID_REQUEST');
    assert.equal(await taken('password1', 'password1'), 'INVALID_REQUEST');
  });

  it('Seattle 50: none, fewer than none, and more than the credits allow are refused', async () => {
    await site.peer(donor, 'donor', 11);
    for (const count of [0, -1, 1.5, 'many']) {
      assert.equal(await codeOf(user.post('/vessels/acquire', { count })), 'INVALID_REQUEST', String(count));
    }
    assert.equal(await codeOf(user.post('/vessels/acquire', { count: 11 })), 'NOT_ENOUGH_CREDITS');
    assert.equal((await user.get('/account')).body.credits.used, 0);
  });

  it('Seattle 50: one node that fails is replaced, and "lan" falls to the next network', async () => {
    const peers = [
      await site.peer(donor, 'donor', 1, { host: '127.0.1.1' }),
      await site.peer(donor, 'donor', 1, { host: '127.0.1.2' }),
      await site.peer(donor, 'donor', 1, { host: '127.0.2.1' }),
      await site.peer(donor, 'donor', 1, { host: '127.0.2.2' }),
    ];
    const refused = refuseFirst(peers);
    const { status, body } = await user.post('/vessels/acquire', { count: 2, type: 'lan' });
    assert.equal(status, 201);
    const bad = await refused;
    assert.ok(body.vessels.every(({ node }) => node !== bad));
    assert.equal(new Set(body.vessels.map(({ address }) => networkOf(address.host))).size, 1);
  });

  it('Seattle 50: who renews or releases what another holds changes nothing', async () => {
    await site.peer(donor, 'donor', 1);
    const { vessels } = (await user.post('/vessels/acquire', { count: 1 })).body;
    const handles = vessels.map(({ handle }) => handle);
    const before = site.rows('SELECT expires_at, account_id, state FROM vessels');
    assert.equal(await codeOf(donor.post('/vessels/renew', { handles })), 'NO_SUCH_VESSEL');
    assert.equal(await codeOf(donor.post('/vessels/release', { handles })), 'NO_SUCH_VESSEL');
    assert.deepEqual(site.rows('SELECT expires_at, account_id, state FROM vessels'), before);
  });

  it('Seattle 50: a bad key opens nothing, and a list of the wrong type is told apart from it', async () => {
    const stranger = new Api(site.clearinghouse.url);
    for (const [method, path] of [
      ['GET', '/account'],
      ['GET', '/vessels'],
      ['GET', '/donations'],
      ['POST', '/vessels/acquire'],
      ['POST', '/vessels/renew'],
      ['POST', '/vessels/release'],
    ] as const) {
      const answer = await stranger.signed(method, path, method === 'POST' ? { count: 1 } : undefined);
      assert.equal(answer.body.kind, 'authentication', path);
    }
    for (const handles of [7, { a: 1 }, ['not a handle'], [7]]) {
      const answer = await user.signed('POST', '/vessels/release', { handles });
      assert.equal(answer.body.kind, 'invalid_request', JSON.stringify(handles));
    }
  });

  it('Seattle 50: what is away, broken, dirty or held is never offered', async () => {
    const peer = await site.peer(donor, 'donor', 1);
    const { vessels } = (await user.post('/vessels/acquire', { count: 1 })).body;
    const nothing = async (): Promise<string> => await codeOf(donor.post('/vessels/acquire', { count: 1 }));
    assert.equal(await nothing(), 'UNABLE_TO_ACQUIRE', 'it is held');
    const emptied = Promise.withResolvers<void>();
    peer.gate = async (method) => {
      if (method === 'ResetVessel') await emptied.promise;
    };
    await user.post('/vessels/release', { handles: vessels.map(({ handle }) => handle) });
    assert.equal(await nothing(), 'UNABLE_TO_ACQUIRE', 'it is dirty');
    emptied.resolve();
    await eventually(async () => ((await free()) === 1 ? true : undefined));
    site.write("UPDATE nodes SET life = 'broken'");
    assert.equal(await nothing(), 'UNABLE_TO_ACQUIRE', 'it is broken');
    site.write("UPDATE nodes SET life = 'offered'");
    await peer.hangUp();
    await eventually(async () => ((await free()) === 0 ? true : undefined));
    assert.equal(await nothing(), 'UNABLE_TO_ACQUIRE', 'it is away');
  });

  it('Seattle 51: no lock is held while a node is asked: who waits for one keeps nobody else waiting', async () => {
    const slow = await site.peer(donor, 'donor', 1, { labels: ['slow'] });
    await site.peer(donor, 'donor', 1);
    const [reached, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    slow.gate = async (method) => {
      if (method !== 'ChangeUsers') return;
      reached.resolve();
      await answered.promise;
    };
    const first = user.post('/vessels/acquire', { count: 1, rules: ['label=slow'] });
    await reached.promise;
    assert.equal((await donor.post('/vessels/acquire', { count: 1 })).status, 201, 'another user');
    assert.equal((await user.get('/account')).body.credits.used, 1, 'what is under way counts');
    answered.resolve();
    assert.equal((await first).status, 201);
  });

  it('Seattle 51: of two that want the last vessel one gets it, and what is done to it is done in order', async () => {
    const peer = await site.peer(donor, 'donor', 1);
    const answers = await Promise.all([user, donor].map((one) => one.post('/vessels/acquire', { count: 1 })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
    const winner = answers[0]?.status === 201 ? user : donor;
    await winner.post('/vessels/release', { all: true });
    await eventually(async () => ((await free()) === 1 ? true : undefined));
    assert.deepEqual(peer.done, ['ChangeUsers v1', 'ChangeUsers v1', 'ResetVessel v1']);
  });
});
