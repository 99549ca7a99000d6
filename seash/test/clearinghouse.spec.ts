import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CLIENT_LIMITS } from '@potluck/clearinghouse';
import { generateIdentity, signAdvertisement } from '@potluck/protocol';
import { advertisementsAt, clearinghouseUrl, LOOKUP_LIMITS } from '../src/clearinghouse.ts';
import { sightingsOf } from '../src/lookup.ts';

const { signal } = new AbortController();
const key = generateIdentity().id;

describe('a lookup at a clearinghouse', () => {
  let server: Server | undefined;

  const site = async (listener: RequestListener): Promise<URL> => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return clearinghouseUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  };
  const answering = async (body: unknown, status = 200): Promise<URL> =>
    await site((_request, response) => void response.writeHead(status).end(JSON.stringify(body)));

  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve)));
    server = undefined;
  });

  it('believes what nodes signed, the newest of each, and tells of the rest', async () => {
    const node = generateIdentity();
    const [old, current] = await Promise.all(
      [1111, 2222].map(async (port) => {
        const facts = { addresses: [{ host: '127.0.0.1', port }], keys: [key], version: '0.1.0' };
        return await signAdvertisement(node, facts, 60);
      }),
    );
    const url = await answering({ advertisements: [old, 'rubbish', current, old] });
    const { sightings, failures } = await sightingsOf(await advertisementsAt(url, key, signal), key);
    assert.equal(sightings.length, 1);
    assert.equal(sightings[0]?.node, node.id);
    assert.deepEqual(
      failures.map(({ error }) => error.code),
      ['BAD_REPLY'],
    );
  });

  it('believes no advertisement that does not name the key: who answers could send us anywhere', async () => {
    const [node, other] = [generateIdentity(), generateIdentity()];
    const facts = { addresses: [{ host: '127.0.0.1', port: 1111 }], version: '0.1.0' };
    const others = await signAdvertisement(node, { ...facts, keys: [other.id] }, 60);
    const { sightings, failures } = await sightingsOf([others], key);
    assert.deepEqual([sightings.length, failures.length], [0, 1]);
    assert.equal((await sightingsOf([others], node.id)).sightings.length, 1, 'a node is found under its own key');
  });

  it('asks below the path that the URL has', async () => {
    const paths: (string | undefined)[] = [];
    const url = await site((request, response) => {
      paths.push(request.url);
      response.end('{"advertisements":[]}');
    });
    await advertisementsAt(clearinghouseUrl(`${url}potluck`), key, signal);
    assert.deepEqual(paths, [`/potluck/advertisements/${key}`]);
  });

  it('is CLEARINGHOUSE_REFUSED with the reason of the site', async () => {
    const facts = { type: 'urn:x', title: 'No', code: 'TOO_MANY_REQUESTS', kind: 'invalid_request' };
    const url = await answering({ ...facts, status: 429, detail: 'too many requests' }, 429);
    await assert.rejects(advertisementsAt(url, key, signal), {
      code: 'CLEARINGHOUSE_REFUSED',
      message: /got HTTP status 429: too many requests$/,
    });
  });

  it('is CLEARINGHOUSE_REFUSED without a reason when what stands before the site refuses', async () => {
    await assert.rejects(advertisementsAt(await answering('<p>', 502), key, signal), {
      code: 'CLEARINGHOUSE_REFUSED',
      message: /got HTTP status 502$/,
    });
  });

  it(`takes ${LOOKUP_LIMITS.advertisements} advertisements, and not one more`, async () => {
    const many = (length: number) => ({ advertisements: Array<string>(length).fill('x') });
    const { advertisements } = LOOKUP_LIMITS;
    assert.equal((await advertisementsAt(await answering(many(advertisements)), key, signal)).length, advertisements);
    server?.close();
    await assert.rejects(advertisementsAt(await answering(many(advertisements + 1)), key, signal), {
      code: 'CLEARINGHOUSE_BROKEN',
    });
  });

  for (const [what, body] of Object.entries({ HTML: '<p>', 'another shape': { advertisements: [1] }, nothing: '' })) {
    it(`is CLEARINGHOUSE_BROKEN when the answer is ${what}`, async () => {
      await assert.rejects(advertisementsAt(await answering(body), key, signal), { code: 'CLEARINGHOUSE_BROKEN' });
    });
  }

  it('reads no answer without end', async () => {
    const url = await site((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    await assert.rejects(advertisementsAt(url, key, signal), {
      code: 'CLEARINGHOUSE_BROKEN',
      message: new RegExp(`at most ${CLIENT_LIMITS.answerBytes} bytes`),
    });
  });

  it('follows no redirection', async () => {
    const url = await site(
      (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
    );
    await assert.rejects(advertisementsAt(url, key, signal), { code: 'CLEARINGHOUSE_UNREACHABLE' });
  });

  it('is CLEARINGHOUSE_UNREACHABLE when nobody listens', async () => {
    const url = await answering({});
    await new Promise((resolve) => server?.close(resolve));
    await assert.rejects(advertisementsAt(url, key, signal), {
      code: 'CLEARINGHOUSE_UNREACHABLE',
      message: /got a refused connection$/,
    });
  });

  it('can be cancelled while the site is silent', async () => {
    const cancel = new AbortController();
    const url = await site(() => cancel.abort());
    await assert.rejects(advertisementsAt(url, key, cancel.signal), { code: 'CANCELLED' });
  });

  it('takes only http and https URLs', () => {
    for (const text of ['', 'localhost:8080', 'ftp://example.org', 'file:///etc/passwd', 'javascript:1']) {
      assert.throws(() => clearinghouseUrl(text), { code: 'USAGE' });
    }
    assert.equal(clearinghouseUrl('https://example.org/a').href, 'https://example.org/a/');
  });
});
