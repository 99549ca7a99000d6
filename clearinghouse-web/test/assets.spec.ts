import assert from 'node:assert/strict';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ASSETS } from '../src/site/render.ts';
import { Site } from './support/site.ts';

interface Fetched {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

describe('assets', () => {
  let site: Site;
  let styles: string;

  before(async () => {
    site = await Site.start();
    const page = await (await fetch(site.clearinghouse.url)).text();
    styles = /href="(\/assets\/potluck\.css\?v=[\w-]+)"/.exec(page)?.[1] ?? '';
    assert.notEqual(styles, '', 'expected the page to link its style sheet');
  });

  after(async () => await site[Symbol.asyncDispose]());

  /** As they come over the wire: `fetch` would decompress them. */
  async function get(path: string, headers: Record<string, string> = {}): Promise<Fetched> {
    return await new Promise((resolve, reject) => {
      const asked = request(new URL(path, site.clearinghouse.url), { headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
        );
      });
      asked.on('error', reject).end();
    });
  }

  it('come as they are, or as the browser wants them compressed', async () => {
    const plain = await get(styles);
    const br = await get(styles, { 'accept-encoding': 'gzip, br' });
    const gzip = await get(styles, { 'accept-encoding': 'gzip' });
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.match(String(plain.headers['content-type']), /^text\/css/);
    assert.deepEqual(
      [br, gzip].map(({ headers }) => headers['content-encoding']),
      ['br', 'gzip'],
    );
    assert.ok(brotliDecompressSync(br.body).equals(plain.body));
    assert.ok(gunzipSync(gzip.body).equals(plain.body));
    assert.ok(br.body.length < plain.body.length / 3);
  });

  it('are kept for good at the address that names their content, and for an hour at any other', async () => {
    assert.equal((await get(styles)).headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal((await get('/assets/potluck.css?v=old')).headers['cache-control'], 'public, max-age=3600');
  });

  it('are not sent again to who has them', async () => {
    const { headers } = await get(styles);
    const again = await get(styles, { 'if-none-match': String(headers.etag) });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
  });

  it('that take long to make are made anew when that has failed once, and not when it went well', async () => {
    let made = 0;
    const path = ASSETS.later('client/late.js', async () => {
      made += 1;
      if (made === 1) throw new TypeError('no room');
      return Buffer.from(`export default ${made};`);
    });
    assert.equal((await get(path)).status, 500);
    for (const _ of ['made', 'kept']) assert.equal((await get(path)).body.toString(), 'export default 2;');
  });

  for (const path of ['/assets/none.js', '/assets/../views/home.eta', '/assets/%2e%2e/package.json', '/assets/']) {
    it(`are only those: ${path} is not there`, async () => {
      const { status, body } = await get(path, { accept: 'application/json' });
      assert.equal(status, 404);
      assert.equal(JSON.parse(body.toString()).code, 'NO_SUCH_PAGE');
    });
  }
});
