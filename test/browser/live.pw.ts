import { expect, test } from '@playwright/test';
import { addCrowd, askNobody } from './crowd.ts';
import { donate, emptyPayload } from './donor.ts';
import { enter, wear } from './visitors.ts';
import { stop, World } from './world.ts';

test.describe('the list of vessels', () => {
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;

  test.beforeAll(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
  });
  test.afterAll(async () => await world[Symbol.asyncDispose]());

  test('shows without being loaded again that a node goes and comes back, and says so', async ({ page, context }) => {
    const node = await donate(world, site.url, { name: 'donor', vessels: 2 });
    await wear(context, site.url, await enter(site.url, 'watcher'));
    await page.goto(`${site.url}/vessels`);
    await page.getByLabel('How many vessels?').fill('2');
    await page.getByRole('button', { name: 'Acquire' }).click();
    await expect(page.getByRole('row', { name: /active/ })).toHaveCount(2);
    await expect(page.getByRole('cell', { name: 'nothing yet' })).toHaveCount(2);
    await page.evaluate('globalThis.isTheSame = true');
    await page.getByRole('checkbox', { name: /^Choose .* v1$/ }).check();

    await stop(node);
    await expect(page.getByRole('row', { name: /away/ })).toHaveCount(2);
    await expect(page.locator('[data-program]')).toHaveText(['–', '–']);
    await expect(page.locator('[role="status"]', { hasText: /v1 is away now/ })).toBeAttached();
    await expect(page.getByRole('checkbox', { name: /^Choose .* v1$/ })).toBeChecked();

    await world.startNode('donor');
    await expect(page.getByRole('row', { name: /active/ })).toHaveCount(2);
    await expect(page.getByRole('cell', { name: 'nothing yet' })).toHaveCount(2);

    await test.step('and what the user does elsewhere', async () => {
      const other = await context.newPage();
      await other.goto(`${site.url}/vessels`);
      await other.getByRole('button', { name: /^Release .* v2$/ }).click();
      await other.getByRole('button', { name: 'Release', exact: true }).click();
      await expect(page.getByRole('heading', { name: '1 vessel' })).toBeVisible();
      await expect(page.getByRole('meter')).toHaveAttribute('aria-valuenow', '1');
      expect(await page.evaluate('globalThis.isTheSame')).toBe(true);
      await page.getByRole('button', { name: /^Release .* v1$/ }).click();
      await page.getByRole('button', { name: 'Release', exact: true }).click();
      await expect(page.getByText('Your plate is empty')).toBeVisible();
      await expect(other.getByText('Your plate is empty')).toBeVisible();
    });
  });

  test('acquires once, however often its form is sent, and is as it is now when one comes back to it', async ({
    page,
    browser,
  }) => {
    const hasty = await enter(site.url, 'hasty');
    await using scriptless = await browser.newContext({ javaScriptEnabled: false });
    await wear(scriptless, site.url, hasty);
    const form = await scriptless.newPage();
    await form.goto(`${site.url}/vessels`);
    await form.getByLabel('How many vessels?').fill('1');
    // No script holds the second press back: both are sent.
    const sent: Promise<unknown>[] = [];
    scriptless.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.response().catch(() => undefined));
    });
    await form.getByRole('button', { name: 'Acquire' }).dblclick();
    await expect(form.getByRole('heading', { name: '1 vessel' })).toBeVisible();
    await Promise.all(sent);

    await wear(page.context(), site.url, hasty);
    await page.goto(`${site.url}/vessels`);
    await expect(page.getByRole('heading', { name: '1 vessel' })).toBeVisible();
    await page.getByLabel('How many vessels?').fill('1');
    await page.getByRole('button', { name: 'Acquire' }).dblclick();
    await expect(page.getByRole('heading', { name: '2 vessels' })).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('heading', { name: '2 vessels' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Acquire' })).toBeEnabled();

    await test.step('and one of two tabs knows that the other has logged out', async () => {
      const other = await page.context().newPage();
      await other.goto(`${site.url}/donations`);
      await page.getByRole('button', { name: 'Release all' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Release all' }).click();
      await expect(page.getByText('Your plate is empty')).toBeVisible();
      await page.getByRole('button', { name: 'Log out' }).click();
      await expect(page.getByRole('link', { name: 'Join the table' })).toBeVisible();
      await other.evaluate("document.dispatchEvent(new Event('visibilitychange'))"); // No tab is hidden in a test.
      await expect(other.getByRole('alert')).toContainText('You are no longer logged in here as hasty');
    });
  });

  test('is sifted and sorted, 500 rows of them, and acts only on what is seen', async ({ page, context }) => {
    const holder = await enter(site.url, 'holder');
    await wear(context, site.url, holder);
    await askNobody(context);
    await addCrowd({ state: site.state, donor: 'holder', holder: 'holder', nodes: 100, held: 500 });
    await page.goto(`${site.url}/vessels`);
    const rows = page.locator('#held-rows tr:visible');
    await expect(rows).toHaveCount(500);
    await page.getByRole('checkbox', { name: 'Choose all vessels' }).press('Space');
    await page.getByLabel('Find').fill('1.1.1.1');
    await expect(rows.first()).toContainText('1.1.1.1');
    const found = await rows.count();
    expect(found).toBeLessThan(100);
    await expect(page.locator('#held-rows input:checked')).toHaveCount(found);
    await page.getByLabel('Find').fill('');
    await page.getByLabel('Country').selectOption('Japan');
    await expect(rows.first()).toContainText('Japan');
    await page.getByLabel('Country').selectOption('');
    await page.getByLabel('Sort by').selectOption('expires');
    await expect(rows.first()).toContainText(/in \d+ min/);
    await page.getByLabel('Find').fill('nothing is like this');
    await expect(page.getByText('No vessel is like that.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Release chosen' })).toBeDisabled();
  });

  test('goes from row to row by the arrows', async ({ page, context }) => {
    const holder = await enter(site.url, 'typist');
    await wear(context, site.url, holder);
    await askNobody(context);
    await addCrowd({ state: site.state, donor: 'typist', holder: 'typist', nodes: 3, held: 3 });
    await page.goto(`${site.url}/vessels`);
    const boxes = page.locator('#held-rows input[name="handles"]');
    await boxes.first().press('Space');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect(boxes.nth(2)).toBeFocused();
    await expect(page.locator('#held-rows input:checked')).toHaveCount(2);
  });

  test('is there without a script', async ({ browser }) => {
    await using context = await browser.newContext({ javaScriptEnabled: false });
    await wear(context, site.url, await enter(site.url, 'scriptless'));
    await addCrowd({ state: site.state, donor: 'scriptless', holder: 'scriptless', nodes: 8, held: 8 });
    const page = await context.newPage();
    await page.goto(`${site.url}/vessels`);
    await expect(page.locator('#held-rows tr')).toHaveCount(8);
    await expect(page.getByLabel('Find')).toBeHidden();
    await expect(page.locator('[data-program]').first()).toHaveText('–');
  });
});
