import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { openDatabase } from '../../clearinghouse-web/src/store/database.ts';
import { donate, emptyPayload } from './donor.ts';
import { begin, openFiles, program, release, run } from './editor-page.ts';
import { complaintsOf, expectAccessible, PASSWORD } from './page.ts';
import { enter, wear } from './visitors.ts';
import { World } from './world.ts';

test.describe('the editor', () => {
  let world: World;
  let place: { url: string; directory: string };
  let state: string;

  test.beforeAll(async () => {
    world = await World.create();
    const site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    const { url } = site;
    state = site.state;
    await donate(world, url, { name: 'donor', vessels: 9 });
    place = { url, directory: world.directory };
  });

  test.afterAll(async () => await world[Symbol.asyncDispose]());

  test('completes, explains and marks by the API’s own declarations', async ({ page }) => {
    const complaints = complaintsOf(page);
    await begin(page, place, { username: 'bert', vessels: 1 });
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
    await run(page);
    await expect(page.locator('#problems')).toContainText(/^fresh\.ts:3:\d+: /);
    await expect(page.locator('.cm-lintRange-error').first()).toBeVisible();
    await expect(page.getByRole('log')).toHaveCount(0);
    await openFiles(page, { 'bad.js': "import 'node:fs';\n" });
    await run(page);
    await expect(page.locator('#problems')).toContainText(
      'bad.js:1:8: expected an import of a file beside the program',
    );
    expect(complaints).toEqual([]);
    await release(page, place.url);
  });

  test('checks the types while one types, by the keyboard, in words, and never in the way of a run', async ({
    page,
  }) => {
    const complaints = complaintsOf(page);
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    await begin(page, place, { username: 'bea', vessels: 1 });
    const hints = page.locator('#hints');
    await expect(hints).toHaveText('No mistake seen.');
    await openFiles(page, { 'part.ts': 'export const port = "80";\n', 'typed.ts': '' });
    await program(page).focus();
    await page.keyboard.insertText(
      "import { port } from './part.ts';\nlog('it runs');\nconst f = () => sendmess('192.0.2.1', port, 'x');\n",
    );
    await expect(hints).toHaveText(/^1 hint, in line 3: Argument of type 'string' is not assignable/);
    await expect(page.locator('.cm-lintRange-warning')).toHaveText('port');
    await page.keyboard.type('fetch("x");');
    await expect(hints).toHaveText(/^2 hints, in line 3: /);
    await page.keyboard.press('F8');
    await expect(page.locator('.cm-tooltip-lint')).toContainText('not assignable');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('button', { name: 'List the hints' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('option', { name: /^expected what a vessel has, got "fetch"/ })).toBeVisible();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await expect(program(page)).toBeFocused();
    await expectAccessible(page);
    await run(page);
    await expect(page.getByRole('log')).toContainText('it runs');
    await page.getByLabel('Open', { exact: true }).selectOption('part.ts');
    await expect(hints).toHaveText('No mistake seen.');
    expect(loaded.filter((path) => /\/typescript-/.test(path))).toHaveLength(1);
    expect(complaints).toEqual([]);
    await release(page, place.url);
  });

  test('asks for the types of the newest text alone, and again when a check takes too long', async ({ page }) => {
    await page.clock.install();
    await page.addInitScript(`globalThis.asked = 0;
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (...all) { asked += 1; return postMessage.apply(this, all); };`);
    let isHeld = true;
    await page.route(/\/typescript-/, async (route) => {
      if (!isHeld) await route.continue();
    });
    await wear(page.context(), place.url, await enter(place.url, 'hilda'));
    await page.goto(`${place.url}/run`);
    const asked = async () => await page.evaluate<number>('asked');
    await expect(page.locator('#editor-page')).toHaveAttribute('data-ready', 'yes');
    await page.clock.runFor(1000);
    expect(await asked()).toBe(1);
    for (const text of ['log(a);', 'log(b);', 'log(1);']) {
      await program(page).fill(text);
      await page.clock.runFor(1000);
    }
    expect(await asked(), 'the others wait').toBe(1);
    await page.clock.runFor(60_000);
    expect(await asked(), 'the newest alone').toBe(2);
    await page.clock.runFor(60_000);
    await expect(page.locator('#hints')).toHaveText('Types are not checked here: no answer within 60 s');
    isHeld = false;
    await program(page).fill('log(c);');
    await expect(page.locator('#hints')).toHaveText(/^1 hint, in line 1: Cannot find name 'c'/);
    expect(await asked()).toBe(3);
  });

  test('says that the log-in has ended meanwhile, and keeps what was written until the next one', async ({ page }) => {
    const keyPath = await begin(page, place, { username: 'erna', vessels: 1 });
    await program(page).fill('log("written before");');
    await endLogIns('erna');
    await run(page);
    await expect(page.getByRole('alert')).toContainText('You are no longer logged in here as erna');
    await expect(page.getByText(/Expected the site to pass this browser on/).first()).toBeVisible();
    await expect(program(page)).toContainText('written before');
    await page.getByRole('link', { name: 'Log in again' }).click();
    await page.getByLabel('Username').fill('erna');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await expect(page).toHaveURL(`${place.url}/run`);
    await expect(program(page)).toContainText('written before');
    await expect(page.getByRole('alert')).toBeHidden();
    await expect(page.locator('#key-state'), 'nobody’s key stayed behind').toHaveText(/^Closed/);
    await page.getByLabel(/^Open erna/).setInputFiles(keyPath);
    await run(page);
    await expect(page.getByRole('log')).toHaveText('written before');
    await release(page, place.url);
  });

  /** As their time does. */
  async function endLogIns(username: string): Promise<void> {
    const db = openDatabase(join(state, 'clearinghouse.sqlite'));
    try {
      const own = db.selectFrom('accounts').select('id').where('username', '=', username);
      await db.updateTable('sessions').set({ expires_at: Date.now() }).where('account_id', '=', own).execute();
    } finally {
      await db.destroy();
    }
  }

  test('complains of nothing while one types over, selects, deletes and brackets coloured text', async ({ page }) => {
    const complaints = complaintsOf(page);
    await begin(page, place, { username: 'cleo', vessels: 1 });
    await program(page).focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('const text = "hello"; // a comment\nreturn 1;');
    for (const [key, typed, line] of [
      ['Control+a', 'x', /^x$/],
      ['Control+z', '', /const text/],
      ['Control+Home', '', /const text/],
      ['Control+Shift+ArrowRight', 'let', /^let text/],
      ['End', '', /a comment$/],
      ['Control+Shift+ArrowLeft', '(', /\(comment\)$/],
      ['Control+Backspace', '"', /"\)$/],
    ] as const) {
      await page.keyboard.press(key);
      await page.keyboard.type(typed);
      await expect(page.locator('.cm-line').first()).toHaveText(line);
    }
    expect(complaints).toEqual([]);
    await release(page, place.url);
  });

  test('keeps programs in the browser, gives them out as files, and can be used by the keyboard alone', async ({
    page,
  }) => {
    const complaints = complaintsOf(page);
    await begin(page, place, { username: 'carl', vessels: 1 });
    await program(page).focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.keyboard.type('log("kept");');
    await page.reload();
    await expect(page.locator('#editor-page')).toHaveAttribute('data-ready', 'yes');
    await expect(program(page)).toContainText('log("kept");');
    await test.step('and shows what another page of the browser changes', async () => {
      const other = await page.context().newPage();
      await other.goto(page.url());
      await program(other).focus();
      await other.keyboard.press('Control+End');
      await other.keyboard.type(' // twice');
      await expect(program(page)).toHaveText('log("kept"); // twice');
      await other.close();
      await program(page).focus();
      await page.keyboard.press('Control+z');
      await expect(program(page)).toHaveText('log("kept");');
    });
    await program(page).focus();
    await page.keyboard.press('Control+Enter');
    await expect(page.getByRole('log')).toContainText('kept');
    await program(page).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Tab');
    await expect(program(page)).toBeFocused();
    await expect(program(page)).toContainText('  log("kept");');
    await expect(program(page)).toHaveAccessibleDescription(/press Escape, then Tab/);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await expect(program(page)).not.toBeFocused();
    await page.getByText('New, open, save, delete').click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as a file' }).press('Enter');
    const file = await download;
    expect(file.suggestedFilename()).toBe('hello.js');
    expect(await readFile(await file.path(), 'utf8')).toBe('log("kept");');
    await test.step('and asks before one leaves, when the browser keeps nothing more', async () => {
      await page.evaluate(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }",
      );
      await program(page).focus();
      await page.keyboard.press('Control+End');
      await page.keyboard.type('\nlog("new");');
      await expect(page.locator('#program-trouble')).toContainText('save it as a file before you leave');
      await page.keyboard.press('Control+Enter');
      await expect(page.getByRole('log')).toContainText('new');
      const asked = page.waitForEvent('dialog');
      const left = page.goto(place.url);
      expect((await asked).type()).toBe('beforeunload');
      await (await asked).accept();
      await left;
    });
    expect(complaints).toEqual([]);
    await release(page, place.url);
  });
});
