import { join } from 'node:path';
import { expect, type Locator, type Page } from '@playwright/test';
import { register } from './page.ts';

/** Where the tests of the editor take place. */
interface Place {
  readonly url: string;
  /** For the key's file. */
  readonly directory: string;
}

/** Registers, acquires, and opens the editor. @returns the path of the key's file */
export async function begin(page: Page, { url, directory }: Place, init: { username: string; vessels: number }) {
  const { username, vessels } = init;
  await page.goto(url);
  const key = join(directory, `${username}.private.jwk`);
  await (await register(page, username)).saveAs(key);
  await page.getByLabel('How many vessels?').fill(String(vessels));
  await page.getByRole('button', { name: 'Acquire' }).click();
  await expect(page.getByRole('heading', { name: `${vessels} vessel` })).toBeVisible();
  await openEditor(page);
  return key;
}

export async function openEditor(page: Page): Promise<void> {
  await page.goto(new URL('/run', page.url()).href); // On a phone its link is in the menu.
  await expect(page.locator('#editor-page')).toHaveAttribute('data-ready', 'yes');
}

export function program(page: Page): Locator {
  return page.getByRole('textbox', { name: 'Program', exact: true });
}

/** Opens files by the page's own field; the last of them is in the editor then. */
export async function openFiles(page: Page, files: Readonly<Record<string, string>>): Promise<void> {
  const parts = Object.entries(files).map(([name, text]) => ({
    name,
    mimeType: 'text/plain',
    buffer: Buffer.from(text),
  }));
  await page.getByLabel('Open files').setInputFiles(parts);
  await expect(page.getByLabel('Open', { exact: true })).toHaveValue(parts.at(-1)?.name ?? '');
}

export async function run(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
}

export async function release(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/vessels`);
  await page.getByRole('button', { name: 'Release all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release all' }).click();
  await expect(page.getByText('Your plate is empty')).toBeVisible();
}
