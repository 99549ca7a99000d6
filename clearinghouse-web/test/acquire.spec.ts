import assert from 'node:assert/strict';
import { join } from 'node:path';
import { RequestError, shortageSchema } from '@potluck/protocol';
import { LIMITS } from '../src/limits.ts';
import type { Api, ApiAnswer } from './support/api.ts';
import { refuseFirst } from './support/peer.ts';
import { eventually, Site, temporaryDirectory } from './support/site.ts';

describe('acquiring', () => {
  let site: Site;
  let donor: Api;
  let user: Api;

  beforeEach(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
    user = await site.api().join('user');
  });
  afterEach(async () => {
    await site[Symbol.asyncDispose]();
  });

  async function free(): Promise<number> {
    return (await user.get('/')).body.free;
  }

  it('hands vessels over on their nodes: the user’s key is in their users, the site never had the owner’s', async () => {
    const peers = [await site.peer(donor, 'donor', 1), await site.peer(donor, 'donor', 1)];
    const { status, body } = await user.post('/vessels/acquire', { count: 2 });
    assert.equal(status, 201);
    assert.equal(body.vessels.length, 2);
    for (const { identity, vessels, port } of peers) {
      assert.deepEqual(vessels.get('v1')?.users, [user.identity.id]);
      const view = body.vessels.find((vessel: { node: string }) => vessel.node === identity.id);
      assert.equal(view?.handle, `${identity.id}:v1`);
      assert.deepEqual(view?.address, { host: '127.0.0.1', port });
      assert.deepEqual([view?.messports, view?.connports], [[63_100], [63_100]]);
      assert.equal(view?.active, true);
    }
    assert.deepEqual((await user.get('/vessels')).body.credits, { total: 10, used: 2 });
  });

  it('replaces a node that fails', async () => {
    const peers = [await site.peer(donor, 'donor', 1), await site.peer(donor, 'donor', 1)];
    const refused = refuseFirst(peers);
    const { status, body } = await user.post('/vessels/acquire', { count: 1 });
    assert.equal(status, 201);
    assert.notEqual(body.vessels[0]?.node, await refused);
  });

  it('gives all or nothing: what could be handed over is taken back, emptied and offered again', async () => {
    const [good, bad] = [await site.peer(donor, 'donor', 2), await site.peer(donor, 'donor', 1)];
    bad.gate = (method) => {
      if (method === 'ChangeUsers') throw new RequestError('INTERNAL', 'broken');
    };
    const { status, body } = await user.post('/vessels/acquire', { count: 3 });
    assert.equal(status, 409);
    assert.equal(body.code, 'UNABLE_TO_ACQUIRE');
    assert.deepEqual(body.details, { wanted: 3, found: 2, short: 1, unit: 'vessels' });
    assert.match(body.detail, /only 2 could be handed over: 1 short, all are given back; of others: expected 1 free/);
    assert.deepEqual((await user.get('/vessels')).body, {
      credits: { total: 10, used: 0 },
      userPort: 63_100,
      vessels: [],
    });
    await eventually(async () => ((await free()) === 2 ? true : undefined));
    assert.deepEqual(
      [...good.vessels.values()].map(({ users }) => users),
      [[], []],
    );
  });

  it('tells programs what could not be met and by how much, and people beside the field that says it', async () => {
    const [first] = [
      await site.peer(donor, 'donor', 2, { host: '127.0.1.1', labels: ['gpu'] }),
      await site.peer(donor, 'donor', 1, { host: '127.0.2.1' }),
    ];
    site.write("UPDATE nodes SET country = CASE id WHEN ? THEN 'NL' ELSE 'JP' END", first.identity.id);
    const rule = { wanted: 3, found: 2, short: 1, unit: 'vessels' };
    for (const [wish, details] of [
      [{ count: 4 }, { wanted: 4, found: 3, short: 1, unit: 'vessels' }],
      [{ type: 'wan' }, { ...rule, unit: 'networks', rule: 'networks', text: 'networks=different' }],
      [{ type: 'lan' }, { ...rule, rule: 'networks', text: 'networks!=different' }],
      [{ type: 'nat' }, { ...rule, found: 0, short: 3, rule: 'nat', text: 'nat=yes' }],
      [
        { rules: ['owners=different'] },
        { ...rule, found: 1, short: 2, unit: 'owners', rule: 'owners', text: 'owners=different' },
      ],
      [{ rules: ['country=NL'] }, { ...rule, rule: 'country', text: 'country=NL' }],
      [{ rules: ['label=gpu'] }, { ...rule, rule: 'label', text: 'label=gpu' }],
      [{ rules: ['port=999'] }, { ...rule, found: 0, short: 3, rule: 'port', text: 'port=999' }],
    ] as const) {
      const { body } = await user.post('/vessels/acquire', { count: 3, ...wish });
      assert.deepEqual([body.code, body.details], ['UNABLE_TO_ACQUIRE', details], JSON.stringify(wish));
      assert.match(body.detail, new RegExp(`got ${details.found}.*: ${details.short} short`));
    }
    for (const rules of [['apart=1000km'], ['within=1000km@NL'], ['latency=5ms@NL']]) {
      const { details } = (await user.post('/vessels/acquire', { count: 3, rules })).body;
      const { nearest, off } = shortageSchema.parse(details);
      assert.ok(nearest && off, JSON.stringify(details));
    }
    const nat = await fromForm({ type: 'nat' });
    assert.match(nat, /aria-describedby="type-wrong">\s*(<option.*\s*)*<option value="nat" selected>/);
    assert.match(nat, /id="type-wrong" class="wrong">Expected 3 free vessels behind a relay, got 0: 3 short/);
    const labelled = await fromForm({ type: 'random', rules: 'label=gpu' });
    assert.match(labelled, /<option value="random" selected>/);
    assert.match(labelled, /id="rules-wrong" class="wrong">Expected 3 free vessels labelled gpu, got/);
    assert.match(await fromForm({ type: 'man' }), /id="type-wrong" class="wrong">/);
  });

  it('goes on under its name when the form is pressed again before it has ended, and anew when it has failed', async () => {
    const peer = await site.peer(donor, 'donor', 1);
    const nameIn = (page: string): string =>
      /name="idempotencyKey" value="([\w-]+)"/.exec(page)?.[1] ?? assert.fail(page);
    const form = { idempotencyKey: 'pressed', count: '1' };
    peer.gate = (method) => {
      if (method === 'ChangeUsers') site.write("UPDATE acquisitions SET attempt = 'another'");
    };
    const page = await fromForm(form);
    assert.match(page, /Still at it/);
    assert.equal(nameIn(page), form.idempotencyKey);
    peer.gate = () => undefined;
    assert.notEqual(nameIn(await fromForm({ ...form, idempotencyKey: 'failed', count: '3' })), 'failed');
  });

  /** As a browser without scripts sends it. @returns the page that it gets. */
  async function fromForm(entries: Record<string, string>): Promise<string> {
    const answer = await fetch(`${site.clearinghouse.url}/vessels/acquire`, {
      method: 'POST',
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: user.cookie },
      body: new URLSearchParams({ _csrf: user.csrfToken, count: '3', ...entries }),
    });
    return await answer.text();
  }

  it('refuses more than the credits', async () => {
    await site.peer(donor, 'donor', 11);
    const { status, body } = await user.post('/vessels/acquire', { count: 11 });
    assert.equal(status, 409);
    assert.equal(body.code, 'NOT_ENOUGH_CREDITS');
  });

  it('empties a released vessel before anybody else gets it, users first', async () => {
    const peer = await site.peer(donor, 'donor', 1);
    const { vessels } = (await user.post('/vessels/acquire', { count: 1 })).body;
    const held = Promise.withResolvers<void>();
    peer.gate = async (method) => {
      if (method === 'ResetVessel') await held.promise;
    };
    assert.equal((await user.post('/vessels/release', { handles: [vessels[0]?.handle] })).status, 200);
    assert.equal((await donor.post('/vessels/acquire', { count: 1 })).body.code, 'UNABLE_TO_ACQUIRE');
    held.resolve();
    await eventually(async () => ((await free()) === 1 ? true : undefined));
    assert.deepEqual(peer.done.slice(-2), ['ChangeUsers v1', 'ResetVessel v1']);
    assert.equal((await donor.post('/vessels/acquire', { count: 1 })).status, 201);
  });

  it('empties a vessel whose node was away at its release when the node is back', async () => {
    const peer = await site.peer(donor, 'donor', 1);
    const { vessels } = (await user.post('/vessels/acquire', { count: 1 })).body;
    const { port } = peer;
    await peer.hangUp();
    await peer.close();
    await eventually(async () => ((await user.get('/vessels')).body.vessels[0]?.active ? undefined : true));
    assert.equal((await user.post('/vessels/release', { handles: [vessels[0]?.handle] })).status, 200);
    await eventually(async () => (retried(site) ? true : undefined));
    await peer.listen(port);
    assert.deepEqual(await peer.advertise(site.gateway), { ok: true });
    await eventually(async () => ((await free()) === 1 ? true : undefined));
    assert.deepEqual(peer.vessels.get('v1')?.users, []);
  });

  it('forgets a vessel that its node no longer has', async () => {
    const peer = await site.peer(donor, 'donor', 2);
    const { vessels } = (await user.post('/vessels/acquire', { count: 1 })).body;
    peer.vessels.delete(vessels[0]?.vessel ?? '');
    await user.post('/vessels/release', { handles: [vessels[0]?.handle] });
    await eventually(async () => (vesselsOffered(await user.get('/')) === 1 ? true : undefined));
  });

  it('offers a donated vessel that somebody uses only after it was emptied', async () => {
    const used = await site.peer(donor, 'donor', 1);
    await used.hangUp();
    const vessel = used.vessels.get('v1');
    assert.ok(vessel);
    vessel.users = ['k'.repeat(43)];
    vessel.state = 'Stopped';
    await used.advertise(site.gateway);
    await eventually(async () => (used.done.includes('ResetVessel v1') && (await free()) === 1 ? true : undefined));
    assert.deepEqual(vessel, { users: [], state: 'Fresh', ports: [63_100] });
  });
});

describe('a node with more vessels than any node has', () => {
  it('is not taken in, and nothing more of it is asked', async () => {
    await using site = await Site.start();
    const donor = await site.api().join('donor');
    const peer = await site.peer(donor, 'donor', 1);
    await peer.hangUp();
    const asked: string[] = [];
    peer.gate = (method) => void asked.push(method);
    for (let index = 2; index <= LIMITS.vesselsPerNode + 1; index += 1) {
      peer.vessels.set(`v${index}`, { users: [], state: 'Fresh', ports: [] });
    }
    await peer.advertise(site.gateway);
    await eventually(
      async () => site.rows("SELECT 1 FROM tasks WHERE error LIKE '%at most 64%'").length > 0 || undefined,
    );
    assert.deepEqual([...new Set(asked)], ['GetVessels']);
    assert.equal(site.rows('SELECT 1 FROM vessels').length, 1);
  });
});

describe('an acquisition under a name', () => {
  it('is the same one after the site was started again', async () => {
    await using directory = await temporaryDirectory();
    const state = join(directory.path, 'state');
    const wanted = { count: 2, idempotencyKey: 'once' };
    const handles = ({ body }: ApiAnswer): string[] => body.vessels.map(({ handle }) => handle).sort();
    const first = await Site.start({ state });
    const user = await first.api().join('user');
    await first.peer(user, 'user', 3);
    const answer = await user.post('/vessels/acquire', wanted);
    assert.equal(answer.status, 201);
    await first[Symbol.asyncDispose]();
    await using site = await Site.start({ state });
    const later = await site.api().open();
    await later.login('user');
    assert.deepEqual(handles(await later.post('/vessels/acquire', wanted)), handles(answer));
    assert.equal((await later.post('/vessels/acquire', { ...wanted, count: 1 })).body.code, 'KEY_REUSED');
    assert.equal((await later.get('/vessels')).body.credits.used, 2);
  });
});

describe('the backend', () => {
  it('is started again when it was killed in the middle of a task, and the task is done by the next', async () => {
    await using site = await Site.start();
    const donor = await site.api().join('donor');
    const peer = await site.peer(donor, 'donor', 1);
    const { vessels } = (await donor.post('/vessels/acquire', { count: 1 })).body;
    const reached = Promise.withResolvers<void>();
    peer.gate = async (method) => {
      if (method !== 'ResetVessel') return;
      reached.resolve();
      await new Promise(() => undefined); // Never answers: the task is under way when its worker dies.
    };
    await donor.post('/vessels/release', { handles: [vessels[0]?.handle] });
    await reached.promise;
    const killed = site.clearinghouse.backendPid;
    assert.ok(killed);
    peer.gate = () => undefined;
    process.kill(killed, 'SIGKILL');
    await eventually(async () => ((await donor.get('/')).body.free === 1 ? true : undefined));
    assert.notEqual(site.clearinghouse.backendPid, killed);
    assert.equal(peer.done.filter((line) => line === 'ResetVessel v1').length, 1);
    const [task] = site.rows("SELECT state, attempts FROM tasks WHERE kind = 'reset-vessel'");
    assert.deepEqual(task, { state: 'done', attempts: 2 });
  });

  it('finds the owners’ keys again after it was killed', async () => {
    await using site = await Site.start();
    const donor = await site.api().join('donor');
    const key = await site.donorKey('donor');
    const peer = await site.peer(donor, 'donor', 1);
    const killed = site.clearinghouse.backendPid;
    assert.ok(killed);
    process.kill(killed, 'SIGKILL');
    await eventually(async () => (site.clearinghouse.backendPid === killed ? undefined : true));
    assert.equal((await donor.post('/vessels/acquire', { count: 1 })).status, 201, 'the key is still there');
    assert.equal(await site.donorKey('donor'), key);
    assert.equal(peer.vessels.get('v1')?.users.length, 1);
  });
});

function retried(site: Site): boolean {
  return (
    site.rows("SELECT id FROM tasks WHERE kind = 'reset-vessel' AND state = 'waiting' AND attempts > 0").length > 0
  );
}

/** On the first page `vessels` is how many there are. */
function vesselsOffered({ body }: ApiAnswer): unknown {
  return body.vessels;
}
