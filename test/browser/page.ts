import AxeBuilder from '@axe-core/playwright';
import { type Download, expect, type Page } from '@playwright/test';

export const PASSWORD = 'four words of mine';

/** Everything that a page complains about, apart from the refusals that a test asks for. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const isRefusal = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isRefusal) complaints.push(message.text());
  });
  return complaints;
}

/** @returns the download of the key that was made. */
export async function register(page: Page, username: string): Promise<Download> {
  await page.getByRole('link', { name: 'Join' }).first().click();
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(PASSWORD);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Make my key' }).click();
  const key = await download;
  await expect(page.getByText('Your key is ready.')).toBeVisible();
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'My vessels' })).toBeVisible();
  return key;
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  expect(await sidewaysOf(page), `${page.url()} is no wider than the screen`).toEqual([]);
}

/** The elements that stick out, when the page can be scrolled sideways. */
export async function sidewaysOf(page: Page): Promise<string[]> {
  return await page.evaluate(`(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const out = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return ['it scrolls sideways', ...out.map((one) => one.outerHTML.slice(0, 120)).slice(0, 5)];
  })()`);
}

/** No violation of what axe can see: names, roles, contrast, order. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`),
  );
  expect(found, page.url()).toEqual([]);
}
