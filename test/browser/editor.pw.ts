import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { identityFrom, NodeClient, privateJwkSchema } from '@potluck/protocol';
import { bundleProgram } from '@potluck/repy-api';
import { donate, emptyPayload } from './donor.ts';
import { complaintsOf, expectAccessible, expectNoSidewaysScroll, register } from './page.ts';
import { World } from './world.ts';

const TICKS = `import { greeting } from './part.ts';
interface Beat { readonly count: number }
const beat: Beat = { count: callargs.length };
log(greeting('vessel'), beat.count);
setInterval(() => log('.'), 200);
`;
const PART = "export const greeting = (name: string): string => 'hello '.concat(name, ', arguments: ');\n";

test.describe('the editor', () => {
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;

  test.beforeAll(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    await donate(world, site.url, { name: 'donor', vessels: 9 });
  });

  test.afterAll(async () => await world[Symbol.asyncDispose]());

  /** Registers, acquires, and opens the editor. @returns the path of the key's file */
  async function begin(page: Page, username: string, vessels: number): Promise<string> {
    await page.goto(site.url);
    const key = join(world.directory, `${username}.private.jwk`);
    await (await register(page, username)).saveAs(key);
    await page.getByLabel('How many vessels?').fill(String(vessels));
    await page.getByRole('button', { name: 'Acquire' }).click();
    await expect(page.getByRole('heading', { name: `${vessels} vessel` })).toBeVisible();
    await page.getByRole('link', { name: 'Run', exact: true }).click();
    await expect(page.locator('#editor-page')).toHaveAttribute('data-ready', 'yes');
    return key;
  }

  const program = (page: Page) => page.getByRole('textbox', { name: 'Program', exact: true });

  async function release(page: Page): Promise<void> {
    await page.goto(`${site.url}/vessels`);
    await page.getByRole('button', { name: 'Release all' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release all' }).click();
    await expect(page.getByText('Your plate is empty')).toBeVisible();
  }

  test('runs a program in two files of TypeScript on three vessels, and shows their logs side by side', async ({
    page,
  }) => {
    const complaints = complaintsOf(page);
    const keyPath = await begin(page, 'anna', 3);
    await page.getByText('New, open, save, delete').click();
    await page.getByLabel('Open files').setInputFiles([
      { name: 'part.ts', mimeType: 'text/plain', buffer: Buffer.from(PART) },
      { name: 'ticks.ts', mimeType: 'text/plain', buffer: Buffer.from(TICKS) },
    ]);
    await expect(page.getByLabel('Open', { exact: true })).toHaveValue('ticks.ts');
    await page.getByLabel('Arguments').fill('a "b c"');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.getByRole('log')).toHaveCount(3);
    for (const log of await page.getByRole('log').all()) {
      await expect(log).toContainText('hello vessel, arguments:  2');
      await expect(log).toContainText('..');
    }

    await test.step('and what was uploaded is what the shell would have made of it', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'potluck-editor-'));
      await writeFile(join(directory, 'part.ts'), PART);
      await writeFile(join(directory, 'ticks.ts'), TICKS);
      const { sha256 } = await bundleProgram(join(directory, 'ticks.ts'));
      await rm(directory, { recursive: true });
      const identity = identityFrom(privateJwkSchema.parse(JSON.parse(await readFile(keyPath, 'utf8'))));
      const { host, port } = JSON.parse(await readFile(join(world.directory, 'donor', 'address.json'), 'utf8'));
      await using client = await NodeClient.connect({ address: { host, port }, identity });
      const { vessels } = (await client.call('GetVessels', {})).result;
      const own = vessels.filter(({ users }) => users.includes(identity.id));
      expect(own).toHaveLength(3);
      for (const { name: vessel } of own) {
        const { files } = (await client.call('ListFilesInVessel', { vessel })).result;
        expect(files.map(({ name, sha256: hash }) => [name, hash])).toEqual([['ticks.js', sha256]]);
      }
    });

    await test.step('stops all', async () => {
      await page.getByRole('button', { name: 'Stop all' }).click();
      await expect(page.getByText(/^Stopped: /)).toHaveCount(3);
    });

    await test.step('runs on those that are chosen only, and says how each ended', async () => {
      await page.getByLabel('Begin with an example').selectOption('hello.js');
      await page
        .getByRole('checkbox', { name: /^Run on/ })
        .first()
        .uncheck();
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await expect(page.getByRole('log')).toHaveCount(2);
      await expect(page.getByText(/^Ended: /)).toHaveCount(2);
      for (const log of await page.getByRole('log').all()) await expect(log).toContainText('Hello, a from');
    });
    expect(complaints).toEqual([]);
    await release(page);
  });

  test('completes, explains and marks by the API’s own declarations', async ({ page }) => {
    const complaints = complaintsOf(page);
    await begin(page, 'bert', 1);
    await page.getByText('New, open, save, delete').click();
    await page.getByLabel('Name of a new program').fill('fresh.ts');
    await page.getByRole('button', { name: 'New' }).click();
    await expect(program(page)).toBeFocused();
    await page.keyboard.type('recvm');
    await expect(page.getByRole('option', { name: /^recvmess/ })).toBeVisible();
    await expect(page.locator('.cm-completionInfo')).toContainText('Listens for UDP messages');
    // Not by Enter: for a moment after the list has come, CodeMirror takes that for a new line.
    await page.getByRole('option', { name: /^recvmess/ }).click();
    await expect(program(page)).toHaveText('recvmess');
    await page.keyboard.type('(getmyip(), ');
    await expect(page.locator('.signature strong')).toHaveText('localport: number');
    await page.keyboard.type('1);\nconst f = await openfile("a", true);\nf.wri');
    await expect(page.getByRole('option', { name: /^writeat/ })).toBeVisible();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.locator('.cm-line', { hasText: 'recvmess' }).hover({ position: { x: 40, y: 10 } });
    await expect(page.locator('.cm-tooltip-hover')).toContainText('AlreadyListeningError');
    await page.keyboard.type('(;');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.locator('#problems')).toContainText(/^fresh\.ts:3:\d+: /);
    await expect(page.locator('.cm-lintRange-error')).toHaveCount(1);
    await expect(page.getByRole('log')).toHaveCount(0);
    await page.getByLabel('Open files').setInputFiles({
      name: 'bad.js',
      mimeType: 'text/plain',
      buffer: Buffer.from("import 'node:fs';\n"),
    });
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.locator('#problems')).toContainText(
      'bad.js:1:8: expected an import of a file beside the program',
    );
    expect(complaints).toEqual([]);
    await release(page);
  });

  test('keeps programs in the browser, gives them out as files, and can be used by the keyboard alone', async ({
    page,
  }) => {
    const complaints = complaintsOf(page);
    await begin(page, 'carl', 1);
    await program(page).focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.keyboard.type('log("kept");');
    await page.reload();
    await expect(page.locator('#editor-page')).toHaveAttribute('data-ready', 'yes');
    await expect(program(page)).toContainText('log("kept");');
    await program(page).focus();
    await page.keyboard.press('Control+Enter');
    await expect(page.getByRole('log')).toContainText('kept');
    await program(page).focus();
    await page.keyboard.press('Tab');
    await expect(program(page)).not.toBeFocused();
    await page.getByText('New, open, save, delete').click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as a file' }).press('Enter');
    const file = await download;
    expect(file.suggestedFilename()).toBe('hello.js');
    expect(await readFile(await file.path(), 'utf8')).toBe('log("kept");');
    expect(complaints).toEqual([]);
    await release(page);
  });

  test('says that the key must be open, and that a vessel must be chosen', async ({ page }) => {
    await begin(page, 'dora', 1);
    await page.getByRole('checkbox', { name: /^Run on/ }).uncheck();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.locator('#run-trouble')).toContainText('at least one vessel');
    await page.getByRole('button', { name: 'Forget it in this browser' }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.locator('#run-trouble')).toContainText('your key to be open');
    await release(page);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`fits a phone, ${colorScheme}`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 360, height: 780 }, colorScheme });
      const page = await context.newPage();
      await begin(page, `phone_${colorScheme}`, 2);
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await expect(page.getByText(/^Ended: /)).toHaveCount(2);
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
      if (process.env.SHOTS !== undefined) {
        await page.screenshot({ path: `${process.env.SHOTS}/run-phone-${colorScheme}.png`, fullPage: true });
        await page.setViewportSize({ width: 1200, height: 900 });
        await page.screenshot({ path: `${process.env.SHOTS}/run-${colorScheme}.png`, fullPage: true });
      }
      await release(page);
    });
  }
});
