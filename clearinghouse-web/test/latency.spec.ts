import assert from 'node:assert/strict';
import type { KeyId } from '@potluck/protocol';
import type { Api } from './support/api.ts';
import type { Peer } from './support/peer.ts';
import { eventually, Site } from './support/site.ts';

/** In the Netherlands, as the data knows. */
const HOST = '193.0.6.139:443';
const RULE = `latency=40ms@${HOST}`;

describe('latency to a host', () => {
  let site: Site;
  let donor: Api;
  let user: Api;
  let near: Peer;
  let far: Peer;

  before(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
    user = await site.api().join('user');
    near = await site.peer(donor, 'donor', 1, { latencyMs: 20 });
    far = await site.peer(donor, 'donor', 1, { latencyMs: 83.25 });
  });
  afterEach(async () => {
    await user.post('/vessels/release', { all: true });
    await emptied();
  });
  after(async () => await site[Symbol.asyncDispose]());

  const emptied = async (): Promise<void> =>
    void (await eventually(
      async () => site.rows("SELECT 1 FROM vessels WHERE state != 'free'").length === 0 || undefined,
    ));
  const nodesOf = async (count: number, ...rules: string[]): Promise<string[]> => {
    const { body } = await user.post('/vessels/acquire', { count, rules });
    return body.vessels?.map(({ node }) => node) ?? [body.detail];
  };

  it('is what the nodes measure: one that is farther than the rule is replaced by another', async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      assert.deepEqual(await nodesOf(1, RULE), [near.identity.id]);
      await user.post('/vessels/release', { all: true });
      await emptied();
    }
    assert.deepEqual(await nodesOf(1, `latency!=40ms@${HOST}`), [far.identity.id]);
  });

  it('is refused with the best that was measured, and nothing is handed over that is too far', async () => {
    far.done.length = 0;
    const { body } = await user.post('/vessels/acquire', { count: 2, rules: [RULE] });
    const shortage = { wanted: 2, found: 1, short: 1, unit: 'vessels', rule: 'latency', text: RULE };
    assert.deepEqual(body.details, { ...shortage, nearest: { ms: 83.3 }, off: { ms: 43.3 } });
    assert.equal(
      body.detail,
      `expected 2 free vessels at most 40 ms (measured) from ${HOST}, got 1: 1 short, the 2nd is at least 83.3 ms by its own measurement, 43.3 ms too slow (${RULE})`,
    );
    assert.equal(far.done.includes('ChangeUsers v1'), false, 'before it was emptied');
  });

  it('is nothing where the host takes no connection', async () => {
    const deaf = await site.peer(donor, 'donor', 1, { latencyMs: null, labels: ['deaf'] });
    const { body } = await user.post('/vessels/acquire', { count: 1, rules: [RULE, 'label=deaf'] });
    assert.deepEqual(body.details.rule, 'latency');
    assert.equal('nearest' in body.details, false);
    const inverted = await user.post('/vessels/acquire', { count: 1, rules: [`latency!=40ms@${HOST}`, 'label=deaf'] });
    assert.equal(inverted.body.code, 'UNABLE_TO_ACQUIRE');
    await deaf.hangUp();
  });

  it('is nothing where it takes long, which the node is not blamed for: the user may have chosen such a host', async () => {
    const held = await site.peer(donor, 'donor', 1, { latencyMs: 20, labels: ['held'] });
    held.gate = async (method) => (method === 'MeasureLatency' ? await new Promise(() => undefined) : undefined);
    const { body } = await user.post('/vessels/acquire', { count: 1, rules: [RULE, 'label=held'] });
    assert.deepEqual([body.details.rule, 'nearest' in body.details], ['latency', false]);
    assert.deepEqual(site.rows('SELECT misses FROM nodes WHERE id = ?', held.identity.id), [{ misses: 0 }]);
    await held.hangUp();
  });

  it('is measured in three rounds at most, in the share of whoever asked', async () => {
    const peers: Peer[] = [];
    for (let count = 0; count < 4; count += 1) {
      peers.push(await site.peer(donor, 'donor', 1, { latencyMs: 90, labels: ['away'] }));
    }
    const { body } = await user.post('/vessels/acquire', { count: 1, rules: [RULE, 'label=away'] });
    assert.deepEqual(body.details.nearest, { ms: 90 });
    const measured = peers.flatMap(({ done }) => done.filter((one) => one === 'MeasureLatency v1'));
    assert.equal(measured.length, 3);
    await user.post('/vessels/acquire', { count: 1, rules: ['label=away'] });
    const asked = "SELECT asker IS NOT NULL AS asked FROM tasks WHERE kind = 'change-users' ORDER BY id DESC LIMIT 2";
    assert.deepEqual(site.rows(asked), [{ asked: 0 }, { asked: 1 }]);
    for (const peer of peers) await peer.hangUp();
  });

  it('is the estimate of a node that is too old to measure, and unknown where that has no place', async () => {
    const old = await site.peer(donor, 'donor', 1, { labels: ['old'] });
    const place = (country: string | null, id: KeyId): void =>
      site.write('UPDATE nodes SET country = ? WHERE id = ?', country, id);
    assert.match((await nodesOf(1, RULE, 'label=old')).join(), /\(measured\) .*, got 0: 1 short, try fewer/);
    await emptied();
    place('JP', old.identity.id);
    assert.match((await nodesOf(1, RULE, 'label=old')).join(), /ms by estimate/);
    place('NL', old.identity.id);
    assert.deepEqual(await nodesOf(1, RULE, 'label=old'), [old.identity.id]);
  });
});
