import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { identityFrom, NodeClient, privateJwkSchema, unpackMessage } from '@potluck/protocol';
import { bundleProgram } from '@potluck/repy-api';
import { donate, emptyPayload } from './donor.ts';
import { begin, openEditor, openFiles, program, release, run } from './editor-page.ts';
import { complaintsOf, expectAccessible, expectNoSidewaysScroll } from './page.ts';
import { type Daemon, stop, World } from './world.ts';

const TICKS = `import { greeting } from './part.ts';
interface Beat { readonly count: number }
const beat: Beat = { count: callargs.length };
log(greeting('vessel'), beat.count);
setInterval(() => log('.'), 200);
`;
const PART = "export const greeting = (name: string): string => 'hello '.concat(name, ', arguments: ');\n";

const LISTENS = `export function listen(port: number): void {
  recvmess(getmyip(), port, () => {});
}
`;
const FAILS = `import { listen } from './part.ts';
listen(Number(callargs[0]));
log('listening');
exitall();
`;

test.describe('running from the editor', () => {
  let world: World;
  let donor: Daemon;
  let place: { url: string; directory: string };

  test.beforeAll(async () => {
    world = await World.create();
    const { url } = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    donor = await donate(world, url, { name: 'donor', vessels: 9 });
    place = { url, directory: world.directory };
  });

  test.afterAll(async () => await world[Symbol.asyncDispose]());

  test('runs a program in two files of TypeScript on three vessels, and shows their logs side by side', async ({
    page,
  }) => {
    const complaints = complaintsOf(page);
    const keyPath = await begin(page, place, { username: 'anna', vessels: 3 });
    await openFiles(page, { 'part.ts': PART, 'ticks.ts': TICKS });
    await page.getByLabel('Arguments').fill('a "b c"');
    await run(page);
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

    await test.step('runs it again in its own place', async () => {
      await run(page);
      await expect(page.locator('#log-summary')).toHaveText('3 running');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    });

    await test.step('asks before it takes the place of what another page started', async () => {
      await page.reload();
      await expect(page.locator('#key-state')).toHaveText('Open.');
      await page.getByLabel('Begin with an example').selectOption('hello.js');
      await run(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
      await expect(page.locator('#log-summary')).toHaveText('3 failed');
      await page.getByLabel('Open', { exact: true }).selectOption('ticks.ts');
      await run(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Stop and run' }).click();
      await expect(page.locator('#log-summary')).toHaveText('3 running');
    });

    await test.step('stops all', async () => {
      await page.getByRole('button', { name: 'Stop all' }).click();
      await expect(page.getByText(/^Stopped: /)).toHaveCount(3);
    });

    await test.step('runs on those that are chosen only, and says how each ended', async () => {
      await page.getByLabel('Arguments').fill('a');
      await page.getByLabel('Begin with an example').selectOption('hello.js');
      await page
        .getByRole('checkbox', { name: /^Run on/ })
        .first()
        .uncheck();
      await run(page);
      await expect(page.getByRole('log')).toHaveCount(2);
      await expect(page.getByText(/^Ended: /)).toHaveCount(2);
      for (const log of await page.getByRole('log').all()) await expect(log).toContainText('Hello, a from');
    });
    expect(complaints).toEqual([]);
    await release(page, place.url);
  });

  test('says that the key must be open, and that a vessel must be chosen', async ({ page }) => {
    await begin(page, place, { username: 'dora', vessels: 1 });
    await page.getByRole('checkbox', { name: /^Run on/ }).uncheck();
    await run(page);
    await expect(page.locator('#run-trouble')).toContainText('at least one vessel');
    await page.getByRole('button', { name: 'Forget it in this browser' }).click();
    await run(page);
    await expect(page.locator('#run-trouble')).toContainText('your key to be open');
    await release(page, place.url);
    await test.step('also to who holds none, and writes all the same', async () => {
      await openEditor(page);
      await expect(page.getByText('You hold no vessel')).toBeVisible();
      await program(page).fill('log(1);');
      await expect(program(page)).toHaveText('log(1);');
      await run(page);
      await expect(page.locator('#run-trouble')).toContainText('your key to be open');
    });
  });

  test('stops what is about to start, and what nobody knows to have started', async ({ page }) => {
    /** What becomes of the answer to a start. */
    let answer: 'held' | 'lost' | 'passed' = 'held';
    const answered = Promise.withResolvers<() => void>();
    await page.routeWebSocket(/\/pass\//, (socket) => {
      const server = socket.connectToServer();
      let method: string | undefined;
      socket.onMessage((data) => {
        method = methodIn(data) ?? method;
        server.send(data);
      });
      server.onMessage((data) => {
        if (method !== 'StartVessel' || answer === 'passed') socket.send(data);
        else if (answer === 'lost') void socket.close();
        else answered.resolve(() => socket.send(data));
      });
    });
    const summary = page.locator('#log-summary');
    const stopAll = page.getByRole('button', { name: 'Stop all' });
    await begin(page, place, { username: 'gerd', vessels: 1 });
    await openFiles(page, { 'part.ts': PART, 'ticks.ts': TICKS });
    await run(page);
    const letGo = await answered.promise;
    await expect(summary).toHaveText('1 starting');
    await stopAll.click();
    letGo();
    await expect(summary).toHaveText('1 stopped');

    answer = 'lost';
    await run(page);
    await expect(summary).toHaveText('1 lost');
    await stopAll.click();
    await expect(summary).toHaveText('1 stopped');
    answer = 'passed';
    await page.reload();
    await page.getByLabel('Begin with an example').selectOption('hello.js');
    await run(page);
    await expect(page.getByText(/^Ended: /), 'nothing ran any more').toHaveCount(1);
    await release(page, place.url);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`shows a log behind each tab on a phone, ${colorScheme}`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 360, height: 780 }, colorScheme });
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      await begin(page, place, { username: `phone_${colorScheme}`, vessels: 2 });
      const [first, second] = [page.getByRole('tab').first(), page.getByRole('tab').last()];
      await openFiles(page, { 'part.ts': LISTENS, 'fails.ts': FAILS });
      const ports = await page.locator('.targets td.ports').first().textContent();
      await page.getByLabel('Arguments').fill(String(Number.parseInt(ports ?? '', 10)));
      await run(page);

      await test.step('and which of them failed', async () => {
        await expect(first).toContainText('ended');
        await expect(second).toContainText('failed');
        await expect(page.locator('#log-summary')).toHaveText('1 ended, 1 failed');
        await expectNoSidewaysScroll(page);
        await expectAccessible(page);
      });

      await test.step('by the arrow keys', async () => {
        await expect(page.getByRole('tabpanel')).toHaveCount(1);
        await expect(page.getByRole('log')).toContainText('listening');
        await first.focus();
        await page.keyboard.press('ArrowRight');
        await expect(second).toBeFocused();
        await expect(second).toHaveAttribute('aria-selected', 'true');
        await expect(page.getByRole('log')).toContainText('Uncaught ResourceForbiddenError');
        await shoot(page, `run-phone-${colorScheme}`);
      });

      await test.step('side by side when it is turned, and as it was when it is turned back', async () => {
        await page.setViewportSize({ width: 780, height: 360 });
        await expect(page.getByRole('log')).toHaveCount(2);
        await expect(page.getByRole('tablist')).toHaveCount(0);
        await page.setViewportSize({ width: 360, height: 780 });
        await expect(page.getByRole('log')).toContainText('Uncaught ResourceForbiddenError');
      });

      await test.step('and goes to the line that a trace names, in its own file', async () => {
        await page
          .getByRole('log')
          .getByRole('button', { name: /^part\.ts:2:/ })
          .click();
        await expect(page.getByLabel('Open', { exact: true })).toHaveValue('part.ts');
        await expect(program(page)).toBeFocused();
        await page.keyboard.type('// here ');
        await expect(page.locator('.cm-line').nth(1)).toContainText('// here ');
      });
      expect(complaints).toEqual([]);
      await release(page, place.url);
    });
  }

  test('says when a machine is lost, and how its programs ended when it is there again', async ({ page }) => {
    // Attempts to reach it begin while it is there, so that none is too late.
    let isThere = Promise.resolve();
    const back = Promise.withResolvers<void>();
    await page.routeWebSocket(/\/pass\//, async (socket) => {
      await isThere;
      socket.connectToServer();
    });
    await begin(page, place, { username: 'elsa', vessels: 2 });
    await openFiles(page, { 'part.ts': PART, 'ticks.ts': TICKS });
    await run(page);
    await expect(page.locator('#log-summary')).toHaveText('2 running');
    isThere = back.promise;
    await stop(donor, 'SIGKILL');
    await expect(page.locator('#log-summary')).toHaveText('2 reconnecting');
    await expect(page.getByText('The connection is lost: trying again.')).toHaveCount(2);
    await world.startNode('donor');
    const list = await page.context().newPage();
    await list.goto(`${place.url}/vessels`);
    await expect(list.getByRole('row', { name: /active/ })).toHaveCount(2);
    back.resolve();
    await expect(page.locator('#log-summary')).toHaveText('2 failed');
  });
});

/** What a browser asks a node for; nothing when it is no question. */
function methodIn(data: string | Buffer): string | undefined {
  if (typeof data === 'string') return undefined;
  const [, payload = ''] = unpackMessage(data).envelope.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).method;
}

async function shoot(page: Page, name: string): Promise<void> {
  if (process.env.SHOTS !== undefined)
    await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
}
