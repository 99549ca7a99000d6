import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { generateIdentity, identityFrom, NodeClient, privateJwkSchema, signKeyProof } from '@potluck/protocol';
import { donate, donationIn, install, realPayload, uninstall } from './donor.ts';
import { complaintsOf, expectAccessible, expectNoSidewaysScroll, PASSWORD, register } from './page.ts';
import { World } from './world.ts';

test.describe('the portal', () => {
  let world: World;
  let node: string;
  let site: Awaited<ReturnType<World['clearinghouse']>>;

  test.beforeAll(async () => {
    world = await World.create();
    node = join(world.directory, 'node');
    site = await world.clearinghouse('--payload', await realPayload());
  });

  test.afterAll(async () => {
    await uninstall(node);
    await world[Symbol.asyncDispose]();
  });

  test('from registration to release: a key of one’s own, a machine, a vessel', async ({ page }) => {
    const complaints = complaintsOf(page);
    await page.goto(site.url);
    const keyFile = await register(page, 'anna');
    expect(keyFile.suggestedFilename()).toBe('anna.private.jwk');
    const keyPath = join(world.directory, 'anna.private.jwk');
    await keyFile.saveAs(keyPath);
    const key = identityFrom(privateJwkSchema.parse(JSON.parse(await readFile(keyPath, 'utf8'))));
    await expect(page.getByText('Your plate is empty')).toBeVisible();

    await test.step('downloads the archive and donates', async () => {
      await page.getByRole('link', { name: 'Donations' }).click();
      await expect(page.getByText('No machine yet')).toBeVisible();
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download for Linux' }).click();
      const archive = await download;
      expect(archive.suggestedFilename()).toBe('potluck-linux-x64.tgz');
      const path = join(world.directory, 'archive.tgz');
      await archive.saveAs(path);
      const donation = await donationIn(path, world.directory);
      expect(donation.donor).toBe('anna');
      await install(join(world.directory, 'unpacked', 'potluck'), node);
      await expect(async () => {
        await page.reload();
        await expect(page.getByRole('row', { name: /127\.0\.0\.1.*active.*2/ })).toBeVisible({ timeout: 500 });
      }).toPass();
    });

    await test.step('acquires', async () => {
      await page.getByRole('link', { name: 'Vessels' }).click();
      await expect(page.getByRole('meter')).toHaveAttribute('aria-valuemax', '20');
      await page.getByLabel('How many vessels?').fill('2');
      await page.getByRole('button', { name: 'Acquire' }).click();
      await expect(page.locator('.notice')).toContainText('yours for 4 h;');
      await expect(page.getByRole('row', { name: /in (4 h|3 h 59 min)/ })).toHaveCount(2);
      await expect(page.getByRole('meter')).toHaveAttribute('aria-valuenow', '2');
    });

    await test.step('and the key that the browser made is a user’s key on the node', async () => {
      const { host, port } = JSON.parse(await readFile(join(node, 'state', 'address.json'), 'utf8'));
      await using client = await NodeClient.connect({ address: { host, port }, identity: key });
      const { result } = await client.call('GetVessels', {});
      expect(result.vessels.map(({ users }) => users)).toEqual([[key.id], [key.id]]);
    });

    await test.step('renews one, then releases it after it was asked twice', async () => {
      await page.getByRole('button', { name: /^Renew .* v1$/ }).click();
      await expect(page.locator('.notice')).toContainText('Renewed');
      await expect(page.getByRole('row', { name: /in 7 days/ })).toHaveCount(1);
      await page.getByRole('button', { name: /^Release .* v1$/ }).click();
      await page.getByRole('button', { name: 'Keep' }).click();
      await expect(page.getByRole('heading', { name: '2 vessels' })).toBeVisible();
      await page.getByRole('button', { name: /^Release .* v1$/ }).click();
      await page.getByRole('button', { name: 'Release', exact: true }).click();
      await expect(page.getByRole('heading', { name: '1 vessel' })).toBeVisible();
    });

    await test.step('chooses with the keyboard, and releases what was chosen', async () => {
      await expect(page.getByRole('button', { name: 'Release chosen' })).toBeDisabled();
      await page.getByRole('checkbox', { name: 'Choose all vessels' }).focus();
      await page.keyboard.press('Space');
      await page.getByRole('button', { name: 'Release chosen' }).press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Release' }).press('Enter');
      await expect(page.getByText('Your plate is empty')).toBeVisible();
    });

    await test.step('and each credit that came and went stands in the statement', async () => {
      await page.getByRole('link', { name: 'Account' }).click();
      await page.getByRole('link', { name: 'what changed them' }).click();
      await expect(page.getByText('20 credits left: 20 in all, 0 in use.')).toBeVisible();
      const rows = page.getByRole('row');
      for (const [why, change, count] of [
        ['Given to you when you joined', '+10', 1],
        ['A donated machine came up', '+10', 1],
        ['Vessel acquired', '−1', 2],
        ['Vessel released', '+1', 2],
      ] as const) {
        await expect(rows.filter({ hasText: why }).getByRole('cell', { name: change, exact: true })).toHaveCount(count);
      }
    });

    await test.step('logs out', async () => {
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.goto(`${site.url}/vessels`);
      await expect(page).toHaveURL(/\/login\?next=%2Fvessels$/);
    });
    expect(complaints).toEqual([]);
  });

  test('says that a password is wrong, and keeps the username', async ({ page }) => {
    const complaints = complaintsOf(page);
    await page.goto(`${site.url}/login`);
    await page.getByLabel('Username').fill('anna');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByRole('alert')).toContainText('The username or the password is wrong.');
    await expect(page.getByLabel('Username')).toHaveValue('anna');
    await expect(page.getByLabel('Password')).toBeFocused();
    expect(complaints).toEqual([]);
  });

  test('says in the page why vessels cannot be had', async ({ page }) => {
    await page.goto(site.url);
    await register(page, 'greedy');
    await page.getByLabel('How many vessels?').fill('11');
    await page.getByRole('button', { name: 'Acquire' }).click();
    await expect(page.getByRole('alert')).toContainText('Not enough credits.');
    await expect(page.getByLabel('How many vessels?')).toHaveValue('11');
    await expect(page, 'where it can be loaded again').toHaveURL(`${site.url}/vessels`);
    await page.getByLabel('How many vessels?').fill('1');
    await page.getByLabel('Which ones?').fill('country=IS');
    await page.getByRole('button', { name: 'Acquire' }).click();
    const rules = page.getByLabel('Which ones?');
    await expect(rules).toHaveAccessibleDescription(/^Expected 1 free vessel in IS, got 0.*country=IS/);
    await expect(rules).toHaveAttribute('aria-invalid', 'true');
    await expect(rules).toHaveValue('country=IS');
    await page.reload();
    await expect(page.getByText('Your plate is empty')).toBeVisible();
  });

  test('refuses a form that another site sends', async ({ page }) => {
    await page.goto(site.url);
    await register(page, 'victim');
    const evil = page.context();
    await evil.route('http://evil.example/', async (route) => {
      const body = `<form method="post" action="${site.url}/logout"><button>Click me</button></form>`;
      await route.fulfill({ contentType: 'text/html', body });
    });
    await page.goto('http://evil.example/');
    await page.getByRole('button', { name: 'Click me' }).click();
    await expect(page.getByRole('heading', { name: 'This form has gone stale' })).toBeVisible();
    await page.goto(`${site.url}/vessels`);
    await expect(page.getByRole('heading', { name: 'My vessels' })).toBeVisible();
  });

  test('takes a key made elsewhere: by its file, which stays in the browser, or by a line that it has signed', async ({
    page,
  }) => {
    const bodies: string[] = [];
    page.on('request', (request) => bodies.push(request.postData() ?? ''));
    await page.goto(`${site.url}/register`);
    await page.getByLabel('Username').fill('bringer');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('One step is missing');
    await page.getByText('I have a key already').click();
    const identity = generateIdentity();
    const line = page.getByLabel('Or a line that your key has signed');
    await line.fill(JSON.stringify(identity.privateJwk));
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByText('got a private key')).toBeVisible();
    await expect(line).toHaveValue('');
    await line.fill(await signKeyProof(generateIdentity(), { audience: site.url, subject: 'somebody_else' }));
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.locator('#keyProof-help')).toContainText('for the account "bringer", got one for another');
    bodies.length = 0;
    const file = Buffer.from(JSON.stringify(identity.privateJwk));
    await page
      .getByLabel('Your private key file')
      .setInputFiles({ name: 'own.private.jwk', mimeType: 'text/plain', buffer: file });
    await expect(page.getByText('Your key has signed.')).toBeVisible();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'My vessels' })).toBeVisible();
    expect(bodies.join()).not.toContain(identity.privateJwk.d);
    await page.goto(`${site.url}/account`);
    await expect(page.getByText(identity.id)).toBeVisible();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`fits a phone, ${colorScheme}`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme });
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      for (const path of ['/', '/register', '/login', '/nowhere']) {
        await page.goto(`${site.url}${path}`);
        await expectNoSidewaysScroll(page);
      }
      await donate(world, site.url, { name: `donor_${colorScheme}`, vessels: 2 });
      await page.goto(site.url);
      await register(page, `phone_${colorScheme}`);
      await page.getByLabel('How many vessels?').fill('2');
      await page.getByLabel('Where?').selectOption('Behind a relay (NAT)');
      await page.getByRole('button', { name: 'Acquire' }).click();
      await expect(page.getByRole('alert')).toContainText('behind a relay, got 0: 2 short');
      await expect(page.getByLabel('Where?')).toHaveValue('nat');
      await expect(page.getByLabel('Where?')).toHaveAccessibleDescription(/^Expected 2 free vessels behind a relay/);
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
      await page.getByLabel('Where?').selectOption('All in one network (LAN)');
      await page.getByRole('button', { name: 'Acquire' }).click();
      await expect(page.getByRole('heading', { name: '2 vessels' })).toBeVisible();
      await expectNoSidewaysScroll(page);
      await page.getByRole('button', { name: 'Release all' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Release all' }).click();
      await expect(page.getByText('Your plate is empty')).toBeVisible();
      await page.getByRole('button', { name: 'Menu' }).press('Enter');
      await page.keyboard.press('Tab');
      await expect(page.getByRole('link', { name: 'Vessels', exact: true })).toBeFocused();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('link', { name: 'Donations' })).toBeHidden();
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('link', { name: 'Donations' }).click();
      await expectNoSidewaysScroll(page);
      await page.getByRole('link', { name: 'What it does, step by step' }).click();
      await expect(page.getByRole('heading', { name: /^Bring a dish/ })).toBeVisible();
      await expectNoSidewaysScroll(page);
      expect(complaints).toEqual([]);
    });
  }
});
