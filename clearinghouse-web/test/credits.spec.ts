import assert from 'node:assert/strict';
import type { Api } from './support/api.ts';
import { eventually, Site } from './support/site.ts';

interface Statement {
  readonly credits: { total: number; used: number };
  readonly entries: readonly { number: number; amount: number; balance: number; why: string; vessel: string | null }[];
  readonly next?: string;
}

describe('the statement of credits', () => {
  let site: Site;
  let user: Api;

  before(async () => {
    site = await Site.start();
    user = await site.api().join('user');
    const peer = await site.peer(user, 'user', 3);
    await user.post('/vessels/acquire', { count: 2 });
    await user.post('/vessels/release', { all: true });
    await peer.hangUp();
    await peer.close();
    await eventually(async () => ((await statement()).entries[0]?.why === 'donation-away' ? true : undefined));
  });
  after(async () => await site[Symbol.asyncDispose]());

  const statement = async (path = '/account/credits', by = user): Promise<Statement> =>
    (await by.get(path)).body as unknown as Statement;
  const REASONS = ['donation-away', 'release', 'release', 'acquire', 'acquire', 'donation', 'registration'];

  it('has a line for each change and its reason, the newest first, and sums up', async () => {
    const { entries, credits } = await statement();
    assert.deepEqual(
      entries.map(({ why }) => why),
      REASONS,
    );
    assert.equal(
      entries.reduce((sum, { amount }) => sum + amount, 0),
      entries[0]?.balance,
    );
    assert.equal(entries[0]?.balance, credits.total - credits.used);
    assert.deepEqual(
      entries.slice(1, 3).map(({ vessel }) => vessel?.replace(/\d/, '')),
      ['v', 'v'],
    );
  });

  it('comes in pages, which leave nothing out and repeat nothing', async () => {
    const seen: string[] = [];
    let path: string | undefined = '/account/credits?limit=3';
    let pages = 0;
    while (path !== undefined) {
      const { entries, next }: Statement = await statement(path);
      seen.push(...entries.map(({ why }) => why));
      path = next === undefined ? undefined : `/account/credits?limit=3&cursor=${next}`;
      pages += 1;
    }
    assert.deepEqual([seen, pages], [REASONS, 3]);
    assert.equal((await user.get('/account/credits?cursor=eyJ4')).body.code, 'INVALID_REQUEST');
  });

  it('is the user’s own, and an administrator’s to see', async () => {
    const admin = await site.administrator('admin');
    assert.deepEqual(await statement('/admin/users/user/ledger', admin), await statement());
    assert.equal((await user.get('/admin/users/admin/ledger')).body.code, 'NOT_ADMINISTRATOR');
    assert.equal((await admin.get('/admin/users/nobody/ledger')).body.code, 'NO_SUCH_ACCOUNT');
    assert.deepEqual(
      (await statement('/account/credits', admin)).entries.map(({ why }) => why),
      ['registration'],
    );
    const page = await admin.get('/admin/users/user/ledger?limit=2', { accept: 'text/html' });
    assert.match(page.text, /Lease|Vessel released/);
    assert.match(page.text, /href="\/admin\/users\/user\/ledger\?cursor=/);
  });

  it('says in words why, for people, who get there from the dashboard and from the account', async () => {
    const { text } = await user.get('/account/credits', { accept: 'text/html' });
    for (const words of ['Given to you when you joined', 'A donated machine came up', 'Vessel acquired']) {
      assert.ok(text.includes(words), words);
    }
    assert.match(text, /<strong>\+10<\/strong>[\s\S]*<strong>−1<\/strong>|<strong>−10<\/strong>/);
    for (const path of ['/', '/account']) {
      assert.match((await user.get(path, { accept: 'text/html' })).text, /href="\/account\/credits"/);
    }
  });
});
