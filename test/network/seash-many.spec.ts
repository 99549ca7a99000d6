import assert from 'node:assert/strict';
import { join } from 'node:path';
import { saveIdentity } from '@potluck/protocol';
import { Seash, Shell } from '@potluck/seash';
import { POLICY } from '../../clearinghouse-web/src/limits.ts';
import type { Api } from '../../clearinghouse-web/test/support/api.ts';
import { Site, temporaryDirectory } from '../../clearinghouse-web/test/support/site.ts';

/** More than the site puts on one page of a list. */
const MANY = 120;
const NODES = 6;

describe(`seash with an account that holds ${MANY} vessels`, function () {
  this.timeout(120_000);
  let site: Site;
  let api: Api;

  before(async () => {
    site = await Site.start({ policy: { ...POLICY, freeCredits: MANY } });
    const donor = await site.api().join('donor');
    for (let node = 0; node < NODES; node += 1) await site.peer(donor, 'donor', MANY / NODES);
    api = await site.api().join('alice');
    const { status, text } = await api.signed('POST', '/vessels/acquire', { count: MANY });
    assert.equal(status, 201, text);
  });
  after(async () => await site[Symbol.asyncDispose]());

  it('sees all of them from code', async () => {
    await using session = await Seash.open({ identity: api.identity, clearinghouse: site.clearinghouse.url });
    const { vessels, credits } = await session.account();
    assert.equal(new Set(vessels.map(({ handle }) => handle)).size, MANY);
    assert.equal(credits.used, MANY);
  });

  it('renews and releases all of them', async () => {
    await using directory = await temporaryDirectory();
    await saveIdentity(join(directory.path, 'alice.private.jwk'), api.identity);
    await using shell = new Shell({ directory: directory.path, clearinghouse: site.clearinghouse.url });
    await shell.execute('loadkeys alice');
    const counted = async (line: string) => {
      const result = await shell.execute(line);
      assert.equal(result.ok, true, JSON.stringify(result));
      return (result.vessels as unknown[]).length;
    };
    assert.equal(await counted('renew %all'), MANY);
    assert.equal(await counted('release %all'), MANY);
    assert.equal(await counted('show account'), 0);
  });
});
