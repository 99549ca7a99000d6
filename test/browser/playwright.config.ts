import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';

/** Written by the set-up: the path of a browser, or nothing when Playwright brings its own. */
const NOTE = join(import.meta.dirname, '..', '..', '.potluck', 'chromium');
const browser = existsSync(NOTE) ? readFileSync(NOTE, 'utf8').trim() : '';

/** Where the processes that tests start find what others of them have compiled: half of a start is compiling. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', '..', '.potluck', 'compiled');

/** A browser started by a test speaks with the site under test and with nobody else. */
const QUIET = [
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

export default defineConfig({
  testDir: '.',
  testMatch: '*.pw.ts',
  outputDir: '../../test-results',
  workers: 2,
  retries: 0,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    headless: true,
    acceptDownloads: true,
    trace: 'retain-on-failure',
    launchOptions: {
      ...(browser !== '' && { executablePath: browser }),
      // Chromium's own sandbox refuses to start as root.
      args: [...QUIET, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    },
  },
});
