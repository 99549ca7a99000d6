import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { Site } from './support/site.ts';

/** The goal for the script that a page loads at first, compressed. */
const FIRST_LOAD_BYTES = 150 * 1024;
/** For the compiler that checks types, once and for good, compressed. */
const COMPILER_BYTES = 1200 * 1024;

describe('scripts for browsers', () => {
  let site: Site;
  let page: string;
  let list: string;
  let editor: { checker: string; compiler: string };

  before(async () => {
    site = await Site.start();
    const donor = await site.api().join('donor');
    await site.peer(donor, 'donor', 1);
    await donor.post('/vessels/acquire', { count: 1 });
    const [held] = (await donor.get('/vessels')).body.vessels;
    page = (await donor.get(`/vessels/${held?.handle}`, { accept: 'text/html' })).text;
    editor = (await donor.get('/run')).body;
    list = (await donor.get('/vessels', { accept: 'text/html' })).text;
  });

  after(async () => await site[Symbol.asyncDispose]());

  /** As it comes over the wire. */
  async function get(path: string) {
    const asked = request(new URL(path, site.clearinghouse.url), { headers: { 'accept-encoding': 'br' } }).end();
    const [response] = await once(asked, 'response');
    const body = Buffer.concat(await response.toArray());
    return { status: response.statusCode, headers: response.headers, bytes: body.length };
  }

  /** Of the page and, from these, whatever they import at once. */
  async function scripts(page: string): Promise<string[]> {
    const found = new Set([...page.matchAll(/<script src="([^"]+)"/g)].map(([, path = '']) => path));
    for (const path of found) {
      const text = await (await fetch(new URL(path, site.clearinghouse.url))).text();
      for (const [, name] of text.matchAll(/(?:import|from)\s*"\.\/([\w.-]+)"/g)) {
        found.add(new URL(name ?? '', new URL(path, site.clearinghouse.url)).pathname);
      }
    }
    return [...found];
  }

  it('are kept by browsers for good, under names that change with what is in them', async () => {
    const [own = ''] = (await scripts(page)).filter((path) => path.includes('/client/vessel-'));
    assert.match(own, /^\/assets\/client\/vessel-[A-Z0-9]{8}\.js$/);
    const { status, headers } = await get(own);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(headers['content-encoding'], 'br');
    assert.match(headers['content-type'] ?? '', /javascript/);
  });

  it(`of a vessel's page, and of the list, are at most ${FIRST_LOAD_BYTES} bytes together`, async () => {
    for (const html of [page, list]) {
      const sizes = await Promise.all((await scripts(html)).map(async (path) => (await get(path)).bytes));
      const bytes = sizes.reduce((a, b) => a + b, 0);
      assert.ok(sizes.length >= 4 && bytes > 10_000 && bytes <= FIRST_LOAD_BYTES, `got ${bytes} bytes`);
    }
  });

  it(`of the editor's compiler are loaded by nobody else, at most ${COMPILER_BYTES} bytes, and may do nothing`, async () => {
    for (const html of [page, list]) assert.doesNotMatch(html, /typescript-/);
    const { checker, compiler } = editor;
    const worker = await get(checker);
    assert.equal(worker.headers['content-security-policy'], "default-src 'none'; script-src 'self'");
    const { status, headers, bytes } = await get(compiler);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.ok(bytes > 500_000 && bytes <= COMPILER_BYTES, `got ${bytes} bytes`);
  });
});
