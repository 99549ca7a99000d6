#!/usr/bin/env node
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { addCrowd, addDays, askNobody } from './crowd.ts';
import { emptyPayload } from './donor.ts';
import config from './playwright.config.ts';
import { enter, type Visitor, wear } from './visitors.ts';
import { World } from './world.ts';

/** `node test/browser/screenshots.ts` makes the pictures that the README shows: a clearinghouse, a browser, made-up machines. */
const INTO = join(import.meta.dirname, '..', '..', 'docs', 'screens');
/** More is a slow page for whoever reads the README. */
const MOST_BYTES = 150_000;

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

const SHOTS: readonly Shot[] = [
  { name: 'dashboard', path: '/', width: 1100, height: 760, colorScheme: 'light' },
  { name: 'vessels', path: '/vessels', width: 1100, height: 900, colorScheme: 'dark' },
  { name: 'map', path: '/map', width: 1100, height: 760, colorScheme: 'light' },
  { name: 'phone', path: '/vessels', width: 360, height: 760, colorScheme: 'light' },
];

async function shoot(browser: Browser, { url, visitor }: { url: string; visitor: Visitor }, shot: Shot): Promise<void> {
  const { name, path, width, height, colorScheme } = shot;
  await using context = await browser.newContext({ viewport: { width, height }, colorScheme });
  await askNobody(context);
  await wear(context, url, visitor);
  const page: Page = await context.newPage();
  await page.goto(url + path, { waitUntil: 'load' });
  if (name === 'phone' || name === 'vessels') await page.evaluate("document.getElementById('held').scrollIntoView()");
  const bytes = await page.screenshot({ type: 'png' });
  if (bytes.length > MOST_BYTES)
    process.stderr.write(`${name}.png has ${bytes.length} bytes, more than ${MOST_BYTES}\n`);
  await writeFile(join(INTO, `${name}.png`), bytes);
}

await mkdir(INTO, { recursive: true });
await using world = await World.create();
const { url, state } = await world.clearinghouse('--payload', await emptyPayload(world.directory));
const visitor = await enter(url, 'anna');
await addCrowd({ state, donor: 'anna', holder: 'anna', nodes: 40, held: 12 });
await addDays(state, 'anna', 14);
await using browser = await chromium.launch(config.use?.launchOptions);
for (const shot of SHOTS) await shoot(browser, { url, visitor }, shot);
