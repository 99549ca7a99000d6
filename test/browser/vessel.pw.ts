import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { generateIdentity } from '@potluck/protocol';
import { donate, emptyPayload } from './donor.ts';
import { complaintsOf, expectAccessible, expectNoSidewaysScroll, register } from './page.ts';
import { World } from './world.ts';

const PROGRAM = `log('hello', callargs.join('+'), '\\n');
let count = 0;
setInterval(() => log('tick', count++, '\\n'), 100);
`;

test.describe('a vessel’s page', () => {
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;

  test.beforeAll(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    await donate(world, site.url, { name: 'donor', vessels: 5 });
  });

  test.afterAll(async () => await world[Symbol.asyncDispose]());

  /** Registers, acquires one vessel and opens its page. @returns the path of the key's file */
  async function begin(page: Page, username: string): Promise<string> {
    await page.goto(site.url);
    const key = join(world.directory, `${username}.private.jwk`);
    await (await register(page, username)).saveAs(key);
    await page.getByLabel('How many vessels?').fill('1');
    await page.getByRole('button', { name: 'Acquire' }).click();
    await expect(page.getByRole('heading', { name: '1 vessel' })).toBeVisible();
    await page.getByRole('link', { name: /^127\.0\.0\.1:\d+$/ }).click();
    await expect(page.getByRole('heading', { name: /127\.0\.0\.1:\d+ v\d/ })).toBeVisible();
    return key;
  }

  async function upload(page: Page, name: string, text: string): Promise<void> {
    await expect(page.getByLabel('Upload files')).toBeEnabled();
    await page.getByLabel('Upload files').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    await expect(page.getByRole('row', { name: new RegExp(name) })).toBeVisible();
  }

  test('uploads, runs, follows, stops, downloads, deletes and resets, with the key that was just made', async ({
    page,
  }) => {
    const complaints = complaintsOf(page);
    await begin(page, 'anna');
    await expect(page.locator('#key-state')).toHaveText('Open.');
    await expect(page.locator('#state')).toHaveText('empty');
    await upload(page, 'ticks.js', PROGRAM);

    await test.step('runs it and follows its log', async () => {
      await page.getByLabel('Arguments').fill('one "two words"');
      await page.getByRole('button', { name: 'Run' }).click();
      await expect(page.locator('#state')).toHaveText('running');
      await expect(page.locator('#running')).toHaveText('ticks.js');
      await expect(page.getByRole('log')).toContainText('hello one+two words');
      await expect(page.getByRole('log')).toContainText('tick 3');
    });

    await test.step('pauses the log, and shows afterwards what came', async () => {
      await page.getByRole('button', { name: 'Pause' }).click();
      const before = await page.getByRole('log').textContent();
      const last = Number(/tick (\d+) \n$/.exec(before ?? '')?.[1]);
      await page.getByRole('button', { name: 'Go on' }).click();
      await expect(page.getByRole('log')).toContainText(`tick ${last + 5} `);
      const numbers = [...((await page.getByRole('log').textContent()) ?? '').matchAll(/tick (\d+) \n/g)];
      expect(numbers.map(([, number]) => Number(number))).toEqual(numbers.map((_, index) => index));
    });

    await test.step('shows what it uses', async () => {
      await expect(page.getByRole('img', { name: /^Memory: now .* of 47\.7 MiB, at most / })).toBeVisible();
      await expect(
        page.getByRole('img', { name: /^Processor, of a core: now .* % of 2\.0 %, at most / }),
      ).toBeVisible();
    });

    await test.step('stops it', async () => {
      await page.getByRole('button', { name: 'Stop' }).click();
      await expect(page.locator('#state')).toHaveText('stopped');
      await expect(page.locator('#log-state')).toContainText('Stopped');
      await expect(page.getByRole('button', { name: 'Stop' })).toBeDisabled();
    });

    await test.step('goes on in the log with the next run, and says no line twice', async () => {
      await page.getByLabel('Arguments').fill('again');
      await page.getByRole('button', { name: 'Run' }).click();
      await expect(page.getByRole('log')).toContainText('hello again');
      const text = (await page.getByRole('log').textContent()) ?? '';
      expect(text.match(/hello one/g)).toHaveLength(1);
    });

    await test.step('gives a file back as it was', async () => {
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download ticks.js' }).click();
      expect(await readFile(await (await download).path(), 'utf8')).toBe(PROGRAM);
    });

    await test.step('deletes a file when it was asked twice', async () => {
      await upload(page, 'notes.txt', 'notes');
      await page.getByRole('button', { name: 'Delete notes.txt' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await expect(page.getByRole('row', { name: /notes\.txt/ })).toHaveCount(0);
    });

    await test.step('resets it, and then it is empty', async () => {
      await page.getByRole('button', { name: 'Reset' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
      await expect(page.locator('#state')).toHaveText('empty');
      await expect(page.getByText('No file yet.')).toBeVisible();
    });

    await test.step('renews it, and stays on its page', async () => {
      await page.getByRole('button', { name: 'Renew' }).click();
      await expect(page.getByText('Renewed for 7 days from now.')).toBeVisible();
      await expect(page.getByText('in 7 days')).toBeVisible();
    });
    expect(complaints).toEqual([]);
  });

  test('opens the key from its file, refuses others in words, and keeps it until it is forgotten', async ({ page }) => {
    const complaints = complaintsOf(page);
    const keyPath = await begin(page, 'bert');
    await page.getByRole('button', { name: 'Forget it in this browser' }).click();
    await page.reload();
    await expect(page.locator('#key-state')).toContainText('Closed.');
    await expect(page.getByRole('log')).toBeHidden();
    const other = join(world.directory, 'other.private.jwk');
    await writeFile(other, JSON.stringify(generateIdentity().privateJwk));
    const file = page.getByLabel('Open bert.private.jwk');
    await file.setInputFiles(other);
    await expect(page.getByRole('alert')).toContainText('Expected the key of your account');
    await file.setInputFiles({ name: 'a.jwk', mimeType: 'text/plain', buffer: Buffer.from('no key') });
    await expect(page.getByRole('alert')).toContainText('Expected the file of a private key');
    const jwk = JSON.parse(await readFile(keyPath, 'utf8'));
    const mixed = { ...jwk, d: generateIdentity().privateJwk.d };
    await file.setInputFiles({ name: 'm.jwk', mimeType: 'text/plain', buffer: Buffer.from(JSON.stringify(mixed)) });
    await expect(page.getByRole('alert')).toContainText(/Expected a (matching pair|key that this browser)/);
    const { d: _, ...open } = jwk;
    await file.setInputFiles({ name: 'p.jwk', mimeType: 'text/plain', buffer: Buffer.from(JSON.stringify(open)) });
    await expect(page.getByRole('alert')).toContainText('got a public one');
    await file.setInputFiles(keyPath);
    await expect(page.locator('#state')).toHaveText('empty');
    await page.reload();
    await expect(page.locator('#key-state')).toHaveText('Open.');
    const isReadable = await page.evaluate<boolean>(`new Promise((resolve) => {
      const opening = indexedDB.open('potluck-keys', 1);
      opening.onsuccess = () => {
        const asking = opening.result.transaction('keys').objectStore('keys').getAll();
        asking.onsuccess = () => { opening.result.close(); resolve(asking.result.some(({ privateKey }) => privateKey.extractable)); };
      };
    })`);
    expect(isReadable).toBe(false);
    await page.getByRole('button', { name: 'Log out' }).click();
    await expect(page.getByRole('link', { name: 'Join the table' })).toBeVisible();
    const left = await page.evaluate<unknown[]>('indexedDB.databases()');
    expect(left).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('believes no reply that the site has changed, and the node takes no request that it has', async ({ page }) => {
    const keyPath = await begin(page, 'carl');
    let direction: 'none' | 'reply' | 'request' = 'none';
    await page.routeWebSocket(/\/pass\//, (socket) => {
      const server = socket.connectToServer();
      const passed = (data: string | Buffer, change: boolean): string | Buffer => {
        if (!change || typeof data === 'string') return data;
        const copy = Buffer.from(data);
        copy[copy.length - 100] = (copy[copy.length - 100] ?? 0) ^ 1;
        return copy;
      };
      socket.onMessage((data) => server.send(passed(data, direction === 'request')));
      server.onMessage((data) => socket.send(passed(data, direction === 'reply')));
    });
    await page.reload();
    await expect(page.locator('#state')).toHaveText('empty');
    direction = 'reply';
    await expect(page.locator('#trouble')).toContainText('Expected a reply signed by the node, got something else');
    direction = 'request';
    await expect(page.locator('#trouble')).toContainText(/signature|expected another payload|closed/i);
    direction = 'none';
    await expect(page.locator('#trouble')).toBeHidden();
    expect(keyPath).not.toBe('');
  });

  test('reaches a node that has no address, through the relay', async ({ page }) => {
    const complaints = complaintsOf(page);
    await donate(world, site.url, { name: 'nat', vessels: 1, config: { advertise: [] } });
    await page.goto(site.url);
    await register(page, 'erna');
    const handle = await page.evaluate<string>(`(async () => {
      const headers = { accept: 'application/json', 'content-type': 'application/json' };
      const { csrfToken } = await (await fetch('/session', { headers })).json();
      const body = JSON.stringify({ count: 1, type: 'nat' });
      const asked = { method: 'POST', headers: { ...headers, 'x-csrf-token': csrfToken }, body };
      return (await (await fetch('/vessels/acquire', asked)).json()).vessels[0].handle;
    })()`);
    await page.goto(`${site.url}/vessels/${handle}`);
    await expect(page.getByRole('heading', { name: 'behind a relay v1' })).toBeVisible();
    await upload(page, 'ticks.js', PROGRAM);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.getByRole('log')).toContainText('tick 3');
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(page.locator('#state')).toHaveText('stopped');
    expect(complaints).toEqual([]);
  });

  test('is named in the list with its program, which changes as it does', async ({ page, context }) => {
    const complaints = complaintsOf(page);
    await begin(page, 'frieda');
    await upload(page, 'ticks.js', PROGRAM);
    const list = await context.newPage();
    await list.goto(`${site.url}/vessels`);
    const program = list.locator('[data-program]');
    await expect(program).toHaveText('nothing yet');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(program).toHaveText('running ticks.js');
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(program).toHaveText(/^ticks\.js stopped/);
    await expectAccessible(list);

    await test.step('and also when the key was forgotten, for a node tells anybody', async () => {
      await page.getByRole('button', { name: 'Forget' }).click();
      await expect(page.locator('#key-state')).toHaveText(/^Closed/);
      await list.reload();
      await expect(program).toHaveText(/^ticks\.js stopped/);
    });
    expect(complaints).toEqual([]);
  });

  test('says that a vessel is not yours', async ({ page }) => {
    await page.goto(site.url);
    await register(page, 'dora');
    await page.goto(`${site.url}/vessels/${'A'.repeat(43)}:v1`);
    await expect(page.getByRole('heading', { name: 'Not your vessel' })).toBeVisible();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`fits a phone, ${colorScheme}`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 360, height: 780 }, colorScheme });
      const page = await context.newPage();
      await begin(page, `phone_${colorScheme}`);
      await upload(page, 'a-program-with-a-long-name-that-goes-on.js', PROGRAM);
      await page.getByRole('button', { name: 'Run' }).click();
      await expect(page.getByRole('log')).toContainText('tick 1');
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
      if (process.env.SHOTS !== undefined)
        await page.screenshot({ path: `${process.env.SHOTS}/vessel-${colorScheme}.png`, fullPage: true });
      await page.goto(`${site.url}/vessels`);
      await page.getByRole('button', { name: 'Release all' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Release all' }).click();
      await expect(page.getByText('Your plate is empty')).toBeVisible();
    });
  }
});
