import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { addCrowd, askNobody } from './crowd.ts';
import { emptyPayload } from './donor.ts';
import { sidewaysOf } from './page.ts';
import { complaintsIn, filled, pagesFor, WHO } from './table.ts';
import { enter, type Visitor, wear } from './visitors.ts';
import { World } from './world.ts';

/** What sticks out depends on the width, and what can be read on the colours: two looks see all four. */
const LOOKS = [
  { width: 360, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const;
/** As long as a username may be. */
const LONG_NAME = 'user_'.padEnd(40, 'with_a_long_name_');

test.describe('every page', () => {
  // One test is all the pages that somebody sees: the reference of the API alone has some hundred places for Tab.
  test.describe.configure({ timeout: 600_000 });
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;
  let parameters: Readonly<Record<string, string>>;
  let visitors: ReadonlyMap<string, Visitor>;

  test.beforeAll(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    const user = await enter(site.url, LONG_NAME);
    visitors = new Map([
      ['a user', user],
      ['an administrator', await enter(site.url, 'boss')],
    ]);
    await world.run('clearinghouse-web/bin/clearinghouse.ts', ['admin', 'boss', '--state', site.state]);
    const { username, token, keyId } = user;
    const [node = ''] = await addCrowd({ state: site.state, donor: username, holder: username, nodes: 9, held: 12 });
    parameters = { token, keyId, username, node, handle: `${node}:v1`, id: node };
  });

  test.afterAll(async () => await world[Symbol.asyncDispose]());

  for (const who of WHO) {
    test(`is for ${who} on each screen, in light and dark, by the keyboard alone`, async ({ browser }) => {
      await using context = await browser.newContext({ reducedMotion: 'reduce' });
      await askNobody(context);
      // What changes under the hands is another test's: nothing does, and nobody asks again.
      const nothing = { contentType: 'text/event-stream', body: 'retry: 3600000\n\n' };
      await context.route('**/events', async (route) => await route.fulfill(nothing));
      const visitor = visitors.get(who);
      if (visitor !== undefined) await wear(context, site.url, visitor);
      const page = await context.newPage();
      const complaints = complaintsIn(context, site.url);
      for (const path of pagesFor(who)) {
        await test.step(path, async () => {
          await page.goto(site.url + filled(path, parameters));
          await expect.soft(page.locator('h1'), `${path} has one title`).toHaveCount(1);
          expect.soft(await repeatedIdsOf(page), `on ${path} an id names one thing`).toEqual([]);
          for (const { width, colorScheme } of LOOKS) {
            await page.setViewportSize({ width, height: 800 });
            await page.emulateMedia({ colorScheme });
            expect.soft(await sidewaysOf(page), `${path} is no wider than ${width} px`).toEqual([]);
            const seen = `${path} is for everybody, ${colorScheme}, ${width} px wide`;
            expect.soft(await violationsOf(page), seen).toEqual([]);
          }
          const { missed, unseen } = await tabThrough(page);
          expect.soft(missed, `on ${path} Tab comes to everything`).toEqual([]);
          expect.soft(unseen, `on ${path} it shows where the focus is`).toEqual([]);
        });
      }
      expect(complaints).toEqual([]);
    });
  }
});

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
  let isEditor = false;
  for (let press = 0; press < count + 5; press += 1) {
    if (isEditor) await page.keyboard.press('Escape'); // As the editor tells its reader: Tab indents there.
    await page.keyboard.press('Tab');
    isEditor = await page.evaluate(`(async () => {
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
      return hosts.length > 0;
    })()`);
  }
  return await page.evaluate(
    `({ missed: [...globalThis.toReach].map((one) => one.outerHTML.slice(0, 120)), unseen: globalThis.unseen })`,
  );
}
