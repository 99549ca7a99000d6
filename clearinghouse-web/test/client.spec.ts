import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { version as bundler } from 'esbuild';
import { versionMajorMinor } from 'typescript6';
import { kept } from '../src/site/client.ts';
import { compilerName, ingredients } from '../src/site/compiler.ts';
import { Site } from './support/site.ts';

/** All that a page loads at first, compressed; what its scripts ask for later, as the editor, is not in it. */
const FIRST_LOAD_BYTES = 150 * 1024;
/** For the compiler that checks types, once and for good, compressed. */
const COMPILER_BYTES = 1200 * 1024;

describe('scripts for browsers', () => {
  let site: Site;
  let page: string;
  let editor: { checker: string; compiler: string };
  /** By what they are, as the user gets them. */
  const pages = new Map<string, string>();

  before(async () => {
    site = await Site.start();
    const donor = await site.api().join('donor');
    await site.peer(donor, 'donor', 1);
    await donor.post('/vessels/acquire', { count: 1 });
    const [held] = (await donor.get('/vessels')).body.vessels;
    const paths = ['/', '/vessels', `/vessels/${held?.handle}`, '/run', '/donations', '/account', '/account/credits'];
    for (const path of [...paths, '/login', '/register', '/map', '/status', '/api']) {
      pages.set(path, (await donor.get(path, { accept: 'text/html' })).text);
    }
    editor = (await donor.get('/run')).body;
    page = pages.get(`/vessels/${held?.handle}`) ?? '';
  });

  after(async () => await site[Symbol.asyncDispose]());

  /** As it comes over the wire. */
  async function get(path: string) {
    const asked = request(new URL(path, site.clearinghouse.url), { headers: { 'accept-encoding': 'br' } }).end();
    const [response] = await once(asked, 'response');
    const body = Buffer.concat(await response.toArray());
    return { status: response.statusCode, headers: response.headers, bytes: body.length };
  }

  /** What a page links, and from the scripts among it whatever they import at once. */
  async function linked(page: string): Promise<string[]> {
    const links = page.matchAll(/<(?:link rel="(?:stylesheet|icon)" href|script src|img src)="([^"]+)"/g);
    const found = new Set([...links].map(([, path = '']) => path));
    for (const path of [...found].filter((one) => /\.js\b/.test(one))) await addImports(found, path);
    return [...found];
  }

  async function addImports(found: Set<string>, path: string): Promise<void> {
    const url = new URL(path, site.clearinghouse.url);
    const text = await (await fetch(url)).text();
    for (const [, name = ''] of text.matchAll(/(?:import|from)\s*["']\.\/([\w.-]+)["']/g)) {
      const { pathname } = new URL(name, url);
      if (found.has(pathname)) continue;
      found.add(pathname);
      await addImports(found, pathname);
    }
  }

  it('are kept by browsers for good, under names that change with what is in them', async () => {
    const [own = ''] = (await linked(page)).filter((path) => path.includes('/client/vessel-'));
    assert.match(own, /^\/assets\/client\/vessel-[A-Z0-9]{8}\.js$/);
    const { status, headers } = await get(own);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(headers['content-encoding'], 'br');
    assert.match(headers['content-type'] ?? '', /javascript/);
  });

  it(`are with the style sheets and pictures of each page at most ${FIRST_LOAD_BYTES} bytes`, async () => {
    for (const [path, html] of pages) {
      const files = await linked(html);
      const sizes = await Promise.all(files.map(async (file) => (await get(file)).bytes));
      const bytes = sizes.reduce((a, b) => a + b, 0);
      assert.ok(files.length >= 3 && bytes > 5_000 && bytes <= FIRST_LOAD_BYTES, `${path} loads ${bytes} bytes`);
    }
  });

  it(`of the editor's compiler are loaded by nobody else, at most ${COMPILER_BYTES} bytes, and may do nothing`, async () => {
    for (const html of pages.values()) assert.doesNotMatch(html, /src="[^"]*typescript-/);
    const { checker, compiler } = editor;
    const worker = await get(checker);
    assert.equal(worker.headers['content-security-policy'], "default-src 'none'; script-src 'self'");
    const { status, headers, bytes } = await get(compiler);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.ok(bytes > 500_000 && bytes <= COMPILER_BYTES, `got ${bytes} bytes`);
  });

  it('are made once, and again when that failed', async () => {
    let count = 0;
    const made = kept(async () => {
      count += 1;
      assert.notEqual(count, 1, 'expected the disk to answer');
      return count;
    });
    const failed = await Promise.allSettled([made(), made()]);
    assert.deepEqual(
      failed.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.deepEqual(await Promise.all([made(), made(), made()]), [2, 2, 2]);
  });

  it("of the editor's compiler have another name when anything that they are made of is another", () => {
    const made = ingredients();
    assert.equal(editor.compiler, `/assets/client/${compilerName(made)}`);
    assert.equal(made.recipe, readFileSync(new URL('../src/site/compiler.ts', import.meta.url), 'utf8'));
    assert.equal(made.bundler, bundler);
    assert.ok(made.compiler?.startsWith(versionMajorMinor));
    for (const [what, text] of Object.entries(made)) {
      assert.notEqual(compilerName({ ...made, [what]: `${text} ` }), compilerName(made), what);
    }
  });
});
