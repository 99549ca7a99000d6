import { join } from 'node:path';
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { RequestError } from '@potluck/protocol';
import { openDatabase } from '../../clearinghouse-web/src/store/database.ts';
import { Peer } from '../../clearinghouse-web/test/support/peer.ts';
import { donationAt, emptyPayload, offered } from './donor.ts';
import { ESCAPE, EVERYTHING, FILE, LINK, LOG, LONG_HOST, liesOf, MARKUP, TEMPLATE, TRICKS, WIDE } from './liar.ts';
import { sidewaysOf } from './page.ts';
import { complaintsIn, filled, pagesFor, WHO } from './table.ts';
import { enter, type Visitor, wear } from './visitors.ts';
import { World } from './world.ts';

const POLICY =
  "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'";
/** What the clearinghouse lets pass in a name. */
const NAMES = [MARKUP, ESCAPE, LINK, TEMPLATE, WIDE];
const REASON = [MARKUP, ESCAPE, LINK, TEMPLATE, WIDE.repeat(3)].join(' ');
const NAME = 'victim_'.padEnd(40, 'with_a_long_name_');

/** What comes with a link that somebody was sent. */
const LINKS = [
  '/login?next=X',
  '/vessels?notice=X',
  '/admin?notice=X',
  '/admin/users?search=X',
  '/admin/users?cursor=X',
  '/admin/nodes?life=X',
  '/admin/leases?holder=X',
  '/admin/audit?actor=X&action=X&subject=X',
  '/X',
  '/vessels/X',
  '/download/X',
  '/admin/users/X',
  '/admin/nodes/X',
];

test.describe('what somebody else has chosen', () => {
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;
  let victim: Visitor;
  let boss: Visitor;
  let peer: Peer;
  let parameters: Readonly<Record<string, string>>;
  const stack = new AsyncDisposableStack();

  test.beforeAll(async () => {
    world = stack.use(await World.create());
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    victim = await enter(site.url, NAME);
    boss = await enter(site.url, 'boss');
    await world.run('clearinghouse-web/bin/clearinghouse.ts', ['admin', 'boss', '--state', site.state]);
    for (const name of NAMES) await makeToken(name);
    await lieAboutVessels();
    await refuseInspection();
    await enter(site.url, 'banned');
    const { status } = await boss.api.post('/admin/users/banned/ban', { reason: REASON });
    expect(status).toBe(200);
    const [held] = (await victim.api.get('/vessels')).body.vessels;
    const { handle = '', node = '' } = held ?? {};
    parameters = { token: victim.token, keyId: victim.keyId, username: 'banned', handle, node, id: node };
  });

  test.afterAll(async () => await stack.disposeAsync());

  async function makeToken(name: string) {
    const body = { name, scopes: ['vessels:read'], days: 1, current: `secret of ${NAME}` };
    return await victim.api.post('/account/tokens', body);
  }

  /** A machine that says it is somewhere else, gives its vessels, and then lies. */
  async function lieAboutVessels(): Promise<void> {
    const { gateway, owner } = await donationAt(world, `${site.url}/download/${victim.token}/potluck-linux-x64.tgz`);
    peer = stack.use(await new Peer(owner, 2, { claims: [{ host: LONG_HOST, port: 65_535 }] }).listen());
    await peer.advertise(gateway);
    await offered(site.url, 2);
    const acquired = await victim.api.post('/vessels/acquire', { count: 2 });
    expect(acquired.status, acquired.text).toBe(201);
    peer.lies = liesOf(peer, owner);
  }

  /** Another one, which was away for days and is inspected anew: it answers by its own words. The last of eight attempts is minutes away. */
  async function refuseInspection(): Promise<void> {
    const { gateway, owner } = await donationAt(world, `${site.url}/download/${boss.token}/potluck-linux-x64.tgz`);
    const sulker = stack.use(await new Peer(owner, 1).listen());
    await sulker.advertise(gateway);
    await offered(site.url, 1);
    await sulker.hangUp();
    sulker.gate = () => {
      throw new RequestError('INTERNAL', EVERYTHING);
    };
    const db = openDatabase(join(site.state, 'clearinghouse.sqlite'));
    try {
      await db.updateTable('nodes').set({ life: 'gone' }).where('id', '=', sulker.identity.id).execute();
      await sulker.advertise(gateway);
      const said = db
        .selectFrom('tasks')
        .select('error')
        .where('kind', '=', 'inspect-node')
        .where('error', 'is not', null);
      await expect.poll(async () => (await said.executeTakeFirst())?.error).toContain(MARKUP);
      const why = (await said.executeTakeFirst())?.error ?? '';
      expect(why, 'no trick of a node is kept').not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
      const broken = { life: 'broken', life_reason: `inspect-node: ${why}` } as const;
      await db.updateTable('nodes').set(broken).where('id', '=', sulker.identity.id).execute();
    } finally {
      await db.destroy();
    }
  }

  /** Whoever asks, without the policy that would stop what gets as far as running: that is another wall. */
  async function open(context: BrowserContext, who: (typeof WHO)[number]): Promise<Page> {
    const visitor = { 'a visitor': undefined, 'a user': victim, 'an administrator': boss }[who];
    if (visitor !== undefined) await wear(context, site.url, visitor);
    return await context.newPage();
  }

  async function look(page: Page, path: string): Promise<void> {
    const response = await page.goto(site.url + path);
    expect.soft(response?.headers()['content-security-policy'], `${path} has the policy`).toBe(POLICY);
    await expectHarmless(page);
  }

  async function expectHarmless(page: Page): Promise<void> {
    const left: string[] = await page.evaluate(`(() => {
      const bad = [...document.querySelectorAll('.pwned, [onmouseover], [onerror], a[href^="javascript:" i]')];
      return [...(typeof pwned === 'undefined' ? [] : ['it ran']), ...bad.map((one) => one.outerHTML)];
    })()`);
    expect.soft(left, `${page.url()} has nothing of it but its text`).toEqual([]);
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect.soft(await sidewaysOf(page), `${page.url()} is no wider than ${width} px`).toEqual([]);
    }
  }

  for (const who of WHO) {
    test(`does nothing on any page that ${who} sees, and none is without the policy`, async ({ browser }) => {
      await using context = await browser.newContext({ bypassCSP: true });
      const page = await open(context, who);
      const complaints = complaintsIn(context, site.url);
      for (const path of pagesFor(who)) {
        await test.step(path, async () => await look(page, filled(path, parameters)));
      }
      for (const path of LINKS) {
        const sent = path.replaceAll('X', encodeURIComponent(`${MARKUP}${ESCAPE}`));
        await test.step(path, async () => await look(page, sent));
      }
      expect(complaints).toEqual([]);
    });
  }

  test('is shown as it is by the site, where it may be shown', async ({ browser }) => {
    await using context = await browser.newContext({ bypassCSP: true });
    const complaints = complaintsIn(context, site.url);
    const page = await open(context, 'a user');
    await page.goto(`${site.url}/account`);
    for (const name of NAMES) await expect(page.getByText(name, { exact: true })).toBeVisible();
    await page.getByRole('button', { name: `Revoke ${ESCAPE}` }).click();
    await expect(page.getByRole('dialog')).toContainText(`Revoke “${ESCAPE}”?`);
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.goto(`${site.url}/login?next=${encodeURIComponent(LINK)}`);
    await expect(page.locator('form.card input[name="next"]')).toHaveValue('/');
    await page.getByLabel('Username').fill(EVERYTHING.slice(0, 190).replaceAll('\0', ''));
    await page.getByLabel('Password').fill('four words of mine');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('wrong');
    await expectHarmless(page);
    expect(complaints).toEqual([]);
  });

  test('is shown as it is to administrators', async ({ browser }) => {
    await using context = await browser.newContext({ bypassCSP: true });
    const complaints = complaintsIn(context, site.url);
    const page = await open(context, 'an administrator');
    await page.goto(`${site.url}/admin/audit?action=account.ban`);
    await expect(page.getByRole('cell', { name: REASON })).toBeVisible();
    await page.goto(`${site.url}/admin/nodes?life=broken`);
    await expect(page.getByRole('cell', { name: `${MARKUP} ${ESCAPE} ${LINK}` })).toBeVisible();
    await page.goto(`${site.url}/donations`);
    await expect(page.getByRole('cell', { name: /^broken/ })).toContainText(`${MARKUP} ${ESCAPE} ${LINK}`);
    await boss.api.post('/admin/emergency-stop', { reason: REASON });
    await page.goto(`${site.url}/admin`);
    await expect(page.getByText(REASON)).toHaveCount(2); // On every page, and where it can be lifted.
    await expectHarmless(page);
    await wear(context, site.url, victim);
    await page.goto(`${site.url}/vessels`);
    const rule = '<b/onmouseover=pwned=1>';
    await page.getByLabel('Which ones?').fill(rule);
    await page.getByRole('button', { name: 'Acquire' }).click();
    await expect(page.locator('#rules-wrong')).toContainText(rule);
    await expectHarmless(page);
    await page.getByLabel('Which ones?').fill('');
    await page.getByRole('button', { name: 'Acquire' }).click();
    await expect(page.getByRole('main')).toContainText(REASON);
    await expectHarmless(page);
    await boss.api.post('/admin/emergency-stop/lift', {});
    expect(complaints).toEqual([]);
  });

  test('is shown as it is by a page that asks a node which lies', async ({ browser }) => {
    await using context = await browser.newContext({ bypassCSP: true });
    const complaints = complaintsIn(context, site.url);
    const page = await open(context, 'a user');
    const programs = await context.newPage();
    await programs.goto(`${site.url}/vessels`);
    const program = programs.locator('[data-program]').first();
    // A resolver takes its time to say that nobody has the name which the node claims to have.
    await expect(program).toContainText(`${FILE} ended: ${MARKUP}`, { timeout: 60_000 });
    await expect(program).toHaveAttribute('title', `${EVERYTHING} (exit code 255)`);
    await expectHarmless(programs);

    await page.goto(`${site.url}/vessels/${parameters.handle}`);
    await openKey(page);
    await expect(page.locator('#log')).toHaveJSProperty('textContent', LOG);
    await expect(page.locator('#ending')).toHaveJSProperty('textContent', `${EVERYTHING} (exit code 255)`);
    await expect(page.getByRole('button', { name: `Download ${FILE}` })).toBeVisible();
    await expect(page.getByRole('img', { name: /^Disk: now / })).toBeVisible();
    await expectHarmless(page);
    await page.getByLabel('Upload files').setInputFiles({ name: MARKUP, mimeType: 'a/b', buffer: Buffer.from('') });
    await expect(page.locator('#files-trouble')).toContainText(MARKUP);
    await expectHarmless(page);

    await test.step('and what no schema lets through is said to be so', async () => {
      const { lies } = peer;
      const files = [{ name: MARKUP, size: 1, sha256: '' }];
      const [told] = [lies.GetVessels?.result as { vessels: object[] }];
      const vessels = told.vessels.map((vessel) => ({ ...vessel, program: MARKUP }));
      peer.lies = { ...lies, GetVessels: { result: { ...told, vessels } }, ListFilesInVessel: { result: { files } } };
      await expect(page.locator('#trouble')).toContainText('Expected a result of GetVessels, got another shape');
      await expectHarmless(page);
      peer.lies = lies;
    });
    expect(complaints).toEqual([]);
  });

  test('is shown as it is by the editor', async ({ browser }) => {
    await using context = await browser.newContext({ bypassCSP: true });
    const complaints = complaintsIn(context, site.url);
    const page = await open(context, 'a user');
    await page.goto(`${site.url}/run`);
    await openKey(page);
    const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    await page.getByText('New, open, save, delete').click();
    await page.getByLabel('Open files').setInputFiles(file(`${MARKUP}.js`, ''));
    await expect(page.locator('#program-trouble')).toContainText(`got "${MARKUP}.js"`);
    await page.getByLabel('Open files').setInputFiles(file('evil.js', `import ${JSON.stringify(MARKUP)};`));
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.locator('#problems')).toContainText(MARKUP);
    await expectHarmless(page);
    await page.getByLabel('Open files').setInputFiles(file('good.js', `log(${JSON.stringify(EVERYTHING)})`));
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.getByRole('log')).toHaveCount(2);
    for (const log of await page.getByRole('log').all()) await expect(log).toHaveJSProperty('textContent', LOG);
    await expect(page.getByText(`Ended: ${MARKUP}`)).toHaveCount(2);
    await expectHarmless(page);
    expect(complaints).toEqual([]);
  });

  test('is refused in a name when it would turn or hide what stands beside it', async () => {
    for (const name of [...TRICKS.matchAll(/[\p{Cc}\u202E\u2066]/gu)].map(([trick]) => `a${trick}b`)) {
      expect((await makeToken(name)).body.code, JSON.stringify(name)).toBe('INVALID_REQUEST');
    }
    const refused = await boss.api.post('/admin/users/banned/ban', { reason: `for \u202Emaps` });
    expect(refused.body.code).toBe('INVALID_REQUEST');
  });

  async function openKey(page: Page): Promise<void> {
    const buffer = Buffer.from(JSON.stringify(victim.api.identity.privateJwk));
    await expect(page.locator('#key-state'), 'its script is there').toHaveText(/^Closed/);
    await page.getByLabel(/^Open .*private\.jwk/).setInputFiles({ name: 'k.jwk', mimeType: 'text/plain', buffer });
    await expect(page.locator('#key-state')).toHaveText('Open.');
  }
});
