import assert from 'node:assert/strict';
import { generateIdentity } from '@potluck/protocol';
import { HISTORY_LIMITS, LIMITS } from '../src/limits.ts';
import { spansOf } from '../src/site/status.ts';
import { Site } from './support/site.ts';

const HOUR_MS = 3_600_000;
const { everyMs } = HISTORY_LIMITS;
const NOON = Date.UTC(2026, 10, 20, 12);
const pulse = (at: number, backend = true) => ({ at, nodes: 2, vessels: 8, free: 5, backend });

describe('the public pages', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => await site[Symbol.asyncDispose]());

  const pageOf = async (path: string): Promise<string> => await (await fetch(site.clearinghouse.url + path)).text();

  it('say that all is well, to programs and to people', async () => {
    const { status, body } = await site.api().get('/status');
    assert.equal(status, 200);
    const { ok, backend, queue, nodes, vessels } = body as never as Record<string, unknown>;
    const none = {
      nodes: { up: 0, away: 0, accepting: 0, splitting: 0, offered: 0, broken: 0 },
      vessels: { all: 0, free: 0 },
    };
    assert.deepEqual({ ok, backend, nodes, vessels }, { ok: true, backend: { ok: true }, ...none });
    assert.equal((queue as { ok: boolean }).ok, true);
    assert.match(await pageOf('/status'), /All is well/);
  });

  it('advertisementsBurstBytes: answers of so many bytes go to one address at once, and no more', async () => {
    const key = generateIdentity().id;
    const bytes = LIMITS.advertisementsBytes / 4;
    for (let n = 0; n < 4; n += 1) {
      const { id } = generateIdentity();
      const until = Date.now() + HOUR_MS;
      await site.query(
        'INSERT INTO nodes (id, reach, relayed, advertisement, advertised_at, advertised_until, connected, first_seen, last_seen) VALUES (?, ?, 0, ?, 0, ?, 0, 0, ?)',
        ...[id, '{"addresses":[],"relays":[]}', 'x'.repeat(bytes), until, Date.now()],
      );
      await site.query('INSERT INTO node_keys (node_id, key_id) VALUES (?, ?)', id, key);
    }
    const ask = async (): Promise<Response> => {
      const answer = await fetch(`${site.clearinghouse.url}/advertisements/${key}`);
      await answer.arrayBuffer();
      return answer;
    };
    for (let n = 0; n < LIMITS.advertisementsBurstBytes / LIMITS.advertisementsBytes; n += 1) {
      assert.equal((await ask()).status, 200);
    }
    let refused = await ask();
    while (refused.status === 200) refused = await ask(); // On a slow machine some has been allowed again.
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.equal((await site.api().get('/')).status, 200);
  });

  it('say when the backend is gone, at once', async () => {
    for (;;) {
      // It is started again, each time a little later.
      const { backendPid } = site.clearinghouse;
      if (backendPid !== undefined) process.kill(backendPid, 'SIGKILL');
      if (/Not all is well/.test(await pageOf('/status'))) return;
    }
  });

  it('invite to bring the first machine, and draw the world even then', async () => {
    assert.match(await pageOf('/map'), /Nobody has donated a machine yet/);
    const [, picture = ''] = /<img src="([^"]+)"/.exec(await pageOf('/map')) ?? [];
    const response = await fetch(new URL(picture, site.clearinghouse.url));
    assert.equal(response.headers.get('content-type'), 'image/svg+xml');
    assert.match(await response.text(), /^<svg .*<path /);
  });
});

describe('the time that has been', () => {
  const hours = (pulses: Parameters<typeof spansOf>[0], at: number) =>
    spansOf(pulses, { at, lengthMs: HOUR_MS, count: 3 }).map(({ site, backend }) => [site, backend]);
  const looks = (from: number, count: number) => Array.from({ length: count }, (_, i) => pulse(from + i * everyMs));

  it('is not known before the first look', () => {
    assert.deepEqual(hours(looks(NOON, 6), NOON + 6 * everyMs), [
      [null, null],
      [null, null],
      [1, 1],
    ]);
  });

  it('is down while nobody looked, and up in part', () => {
    const pulses = [...looks(NOON, 12), ...looks(NOON + 2 * HOUR_MS, 3)];
    assert.deepEqual(hours(pulses, NOON + 2 * HOUR_MS + 6 * everyMs), [
      [1, 1],
      [0, 0],
      [0.5, 0.5],
    ]);
  });

  it('is not called down before the next look is due', () => {
    assert.deepEqual(hours(looks(NOON, 12), NOON + HOUR_MS + 1).at(-1), [null, null]);
  });

  it('tells the backend from the site', () => {
    const pulses = looks(NOON, 12).map(({ at }, index) => pulse(at, index < 6));
    assert.deepEqual(hours(pulses, NOON + HOUR_MS - 1).at(-1), [1, 0.5]);
  });
});
