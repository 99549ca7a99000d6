import AxeBuilder from '@axe-core/playwright';
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { ROUTES } from '@potluck/clearinghouse-web';
import { addCrowd, askNobody } from './crowd.ts';
import { emptyPayload } from './donor.ts';
import { enter, type Visitor, wear } from './visitors.ts';
import { World } from './world.ts';

/** Not pages, whatever is asked for: a download, a stream, and what only programs read. */
const NO_PAGES = [
  '/download/:token/potluck-linux-x64.tgz',
  '/events',
  '/session',
  '/advertisements/:keyId',
  '/api/openapi.json',
];
const WHO = ['a visitor', 'a user', 'an administrator'] as const;
const LOOKS = [
  { colorScheme: 'light', width: 360 },
  { colorScheme: 'dark', width: 1280 },
] as const;
const PAGES = ROUTES.filter(({ method, path }) => method === 'get' && !NO_PAGES.includes(path));

/** What somebody may see, and of what he may not see one page: he is sent to log in, or is told why not. */
function pagesFor(who: (typeof WHO)[number]): string[] {
  const [own, others] = (
    {
      'a visitor': [['anyone'], ['user', 'admin']],
      'a user': [['anyone', 'user'], ['admin']],
      // All else looks to him as to any user.
      'an administrator': [['admin'], ['user']],
    } as const
  )[who];
  const pathsOf = (kinds: readonly string[]) =>
    PAGES.filter(({ access }) => kinds.includes(access)).map(({ path }) => path);
  return [...pathsOf(own), ...others.flatMap((kind) => pathsOf([kind]).slice(0, 1)), '/nowhere'];
}

/** As long as a username may be. */
const longName = (index: number): string => `user_${index}_`.padEnd(40, 'with_a_long_name_');

test.describe('every page', () => {
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;
  let parameters: Readonly<Record<string, string>>;
  const visitors = new Map<string, Visitor>();

  test.beforeAll(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    // One of each kind for each look: the requests of one account are counted.
    for (const [index] of LOOKS.entries()) {
      visitors.set(`a user ${index}`, await enter(site.url, longName(index)));
      visitors.set(`an administrator ${index}`, await enter(site.url, `admin_${index}`));
      await world.run('clearinghouse-web/bin/clearinghouse.ts', ['admin', `admin_${index}`, '--state', site.state]);
    }
    const [first] = visitors.values();
    expect(first).toBeDefined();
    const { username = '', token = '', keyId = '' } = first ?? {};
    const [node = ''] = await addCrowd({ state: site.state, donor: username, holder: username, nodes: 9, held: 12 });
    parameters = { token, keyId, username, node, handle: `${node}:v1`, id: node };
  });

  test.afterAll(async () => await world[Symbol.asyncDispose]());

  /** The path with each parameter filled in. */
  function filled(path: string): string {
    return path.replace(/:(\w+)/g, (_, name: string) => {
      const value = parameters[name];
      expect(value, `expected a value for the parameter "${name}" of ${path}`).toBeDefined();
      return value ?? '';
    });
  }

  async function wearing(context: BrowserContext, who: string): Promise<void> {
    const visitor = visitors.get(who);
    if (visitor !== undefined) await wear(context, site.url, visitor);
  }

  for (const who of WHO) {
    for (const [index, { colorScheme, width }] of LOOKS.entries()) {
      test(`as ${who} sees it, ${colorScheme}, ${width} px wide`, async ({ browser }) => {
        await using context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
        await askNobody(context);
        await wearing(context, `${who} ${index}`);
        const page = await context.newPage();
        const complaints = complaintsOf(page, site.url);
        for (const path of pagesFor(who)) {
          await test.step(path, async () => {
            await page.goto(site.url + filled(path));
            await expect.soft(page.locator('h1'), `${path} has one title`).toHaveCount(1);
            expect.soft(await sidewaysOf(page), `${path} is no wider than the screen`).toEqual([]);
            expect.soft(await violationsOf(page), `${path} is for everybody`).toEqual([]);
            expect.soft(await repeatedIdsOf(page), `on ${path} an id names one thing`).toEqual([]);
          });
        }
        expect(complaints).toEqual([]);
      });
    }

    test(`as ${who} goes through it with the keyboard alone`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      await askNobody(context);
      await wearing(context, `${who} 0`);
      // What changes under the hands is another test's.
      await context.route('**/events', async (route) => await route.abort());
      const page = await context.newPage();
      for (const path of pagesFor(who)) {
        await test.step(path, async () => {
          await page.goto(site.url + filled(path));
          const { missed, unseen } = await tabThrough(page);
          expect.soft(missed, `on ${path} Tab comes to everything`).toEqual([]);
          expect.soft(unseen, `on ${path} it shows where the focus is`).toEqual([]);
        });
      }
    });
  }
});

/** What a page complains about, and what it wants from anybody but the site. Refusals are asked for here. */
function complaintsOf(page: Page, url: string): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    const isRefusal = /^Failed to load resource: the server responded with a status of 40[34]/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isRefusal)
      complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url))
      complaints.push(`asks ${request.url()}`);
  });
  return complaints;
}

async function violationsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
}

/** A script that asks for one of them is given the other. */
async function repeatedIdsOf(page: Page): Promise<string[]> {
  return await page.evaluate(`(() => {
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
  })()`);
}

/** The elements that stick out, when the page can be scrolled sideways. */
async function sidewaysOf(page: Page): Promise<string[]> {
  return await page.evaluate(`(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => one.outerHTML.slice(0, 120)).slice(0, 5);
  })()`);
}

/** Presses Tab until it comes round. */
async function tabThrough(page: Page): Promise<{ missed: string[]; unseen: string[] }> {
  const count: number = await page.evaluate(`(() => {
    const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const isThere = (one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0
      && !(one.type === 'radio' && !one.checked) && one.type !== 'hidden';
    globalThis.toReach = new Set([...document.querySelectorAll(wanted)].filter(isThere));
    globalThis.unseen = [];
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    return globalThis.toReach.size;
  })()`);
  for (let press = 0; press < count + 5; press += 1) {
    await page.keyboard.press('Tab');
    await page.evaluate(`(async () => {
      let one = document.activeElement;
      globalThis.toReach.delete(one);
      // An editor has its own tree, and draws the focus around all of it.
      const hosts = [];
      while (one.shadowRoot?.activeElement) {
        hosts.push(one, one.parentElement);
        one = one.shadowRoot.activeElement;
      }
      const hasOutline = (shown) => getComputedStyle(shown).outlineStyle !== 'none' && getComputedStyle(shown).outlineWidth !== '0px';
      const around = [one, one.parentElement, one.parentElement?.parentElement, ...hosts].filter((shown) => shown);
      // It does so in its next turns.
      for (let frame = 0; frame < 30 && !around.some(hasOutline); frame += 1) await new Promise(requestAnimationFrame);
      if (one !== document.body && !around.some(hasOutline)) globalThis.unseen.push(one.outerHTML.slice(0, 120));
    })()`);
  }
  return await page.evaluate(
    `({ missed: [...globalThis.toReach].map((one) => one.outerHTML.slice(0, 120)), unseen: globalThis.unseen })`,
  );
}
