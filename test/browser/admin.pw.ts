import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type Page, test } from '@playwright/test';
import { User } from '../network/user.ts';
import { donate, emptyPayload } from './donor.ts';
import { expectAccessible } from './page.ts';
import { World } from './world.ts';

const CLI = join(import.meta.dirname, '..', '..', 'clearinghouse-web', 'bin', 'clearinghouse.ts');

async function logIn(page: Page, url: string, username: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(`secret of ${username}`);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).not.toHaveURL(/login/);
}

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect(wide, `${page.url()} is no wider than the screen`).toBeLessThanOrEqual(0);
}

test.describe('the pages of administrators', () => {
  let world: World;
  let url: string;
  let user: User;

  test.beforeAll(async () => {
    world = await World.create();
    const site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    url = site.url;
    await donate(world, url, { name: 'donor', vessels: 3 });
    await new User(url).join('boss');
    await promisify(execFile)(process.execPath, [CLI, 'admin', 'boss', '--state', site.state]);
    user = await new User(url).join('user');
    await user.ask('/vessels/acquire', { count: 1 });
  });
  test.afterAll(async () => await world[Symbol.asyncDispose]());

  test('are for administrators, and led to from their pages only', async ({ page }) => {
    await logIn(page, url, 'donor');
    await expect(page.getByRole('link', { name: 'Admin' })).toHaveCount(0);
    await page.goto(`${url}/admin/users`);
    await expect(page.getByRole('heading', { name: 'For administrators only' })).toBeVisible();
  });

  test('drain a machine, suspend a user and stop everything, by the keyboard, and tell it in the audit log', async ({
    page,
    browser,
  }) => {
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await logIn(page, url, 'boss');
    await using elsewhere = await browser.newContext();
    const his = await elsewhere.newPage();
    await logIn(his, url, 'user');
    await his.goto(`${url}/vessels`);
    await expect(his.getByRole('heading', { name: '1 vessel' })).toBeVisible();
    await his.evaluate('globalThis.isTheSame = true');
    const banner = his.getByRole('alert', { name: 'Everything is stopped' });

    await test.step('drains a machine', async () => {
      await page.getByRole('link', { name: 'Admin' }).click();
      await page.getByRole('link', { name: 'Machines' }).click();
      await page
        .getByRole('link', { name: /^[\w-]{8}…$/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Drain' }).press('Enter');
      await expect(page.getByRole('status')).toContainText('Draining');
      await expect(page.getByText('draining: 1 held')).toBeVisible();
      await page.getByRole('button', { name: 'Offer it again' }).press('Enter');
      await expect(page.getByRole('status')).toContainText('No longer draining');
    });

    await test.step('stops everything, after it was asked, and lifts it', async () => {
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.getByLabel('Reason').fill('a drill');
      await page.getByLabel('Reason').press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Stop everything' }).press('Enter');
      await expect(page.getByRole('heading', { name: 'Everything is stopped' })).toBeVisible();
      await expect(banner, 'read out on the page that a user has open').toContainText(': a drill');
      await expect(async () => {
        await page.reload();
        await expect(page.getByText('Every vessel is stopped.')).toBeVisible({ timeout: 500 });
      }).toPass();
      expect((await user.ask('/vessels/acquire', { count: 1 })).code).toBe('STOPPED');
      for (const path of ['/vessels', '/account', '/status']) {
        await page.goto(url + path);
        await expect(page.getByText(/Everything is stopped by an administrator, .*: a drill/)).toBeVisible();
        await expectAccessible(page);
        await expectNoSidewaysScroll(page);
      }
      await page.goto(`${url}/admin`);
      await page.getByRole('button', { name: 'Lift the stop' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Lift the stop' }).click();
      await expect(page.getByRole('heading', { name: 'Emergency stop' })).toBeVisible();
      await expect(banner).toBeHidden();
      expect(await his.evaluate('globalThis.isTheSame')).toBe(true);
    });

    await test.step('suspends a user, who sees it on the page where he is, and is told when he logs in', async () => {
      await page.getByRole('link', { name: 'Users' }).click();
      await page.getByLabel('Name begins with').fill('us');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('link', { name: 'user', exact: true }).click();
      await expect(page.getByRole('heading', { name: '1 vessel' })).toBeVisible();
      await page.getByLabel('Reason', { exact: true }).fill('spam');
      await page.getByRole('button', { name: 'Suspend user' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
      await expect(page.getByRole('status')).toContainText('Suspended.');
      await expect(page.getByRole('heading', { name: '0 vessels' })).toBeVisible();
      await expect(his.getByRole('alert')).toContainText('You are no longer logged in here as user');
      await his.getByRole('link', { name: 'Log in again' }).click();
      await his.getByLabel('Username').fill('user');
      await his.getByLabel('Password').fill('secret of user');
      await his.getByRole('button', { name: 'Log in', exact: true }).click();
      await expect(his.getByRole('alert')).toContainText('suspended');
    });

    await test.step('deletes him, and he is nowhere any more', async () => {
      await page.getByText('Delete the account').click();
      await page.getByLabel('Why is it deleted?').fill('he asked for it');
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Delete user' }).press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).press('Enter');
      await expect(page.getByRole('status')).toContainText('Deleted.');
      await expect(page.getByRole('link', { name: 'user', exact: true })).toHaveCount(0);
    });

    await test.step('and all of it stands in the audit log', async () => {
      await page.getByRole('link', { name: 'Audit log' }).click();
      for (const action of [
        'node.drain',
        'node.undrain',
        'site.emergency-stop',
        'site.lift-stop',
        'account.ban',
        'account.delete',
      ]) {
        await expect(page.getByRole('row', { name: new RegExp(`${action}.*boss`) }).first()).toBeVisible();
      }
      await page.getByLabel('What', { exact: true }).fill('account.ban');
      await page.getByRole('button', { name: 'Filter' }).click();
      await expect(page.getByRole('row', { name: /account\.ban/ })).toHaveCount(1);
    });
    expect(complaints).toEqual([]);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`fit a phone, ${colorScheme}`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme });
      const page = await context.newPage();
      await logIn(page, url, 'boss');
      for (const path of ['', '/users', '/users/donor', '/nodes', '/leases', '/audit']) {
        await page.goto(`${url}/admin${path}`);
        await expectNoSidewaysScroll(page);
      }
      await page.goto(`${url}/admin/nodes`);
      await page
        .getByRole('link', { name: /^[\w-]{8}…$/ })
        .first()
        .click();
      await expect(page.getByRole('heading', { name: /^Machine/ })).toBeVisible();
      await expectNoSidewaysScroll(page);
    });
  }
});
