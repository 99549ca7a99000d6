import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { CLIENT_LIMITS } from '@potluck/clearinghouse';
import { generateIdentity, type ProblemKind, SITE_SCHEME, verifySiteRequest } from '@potluck/protocol';
import { Account } from '../src/account.ts';
import { clearinghouseUrl } from '../src/clearinghouse.ts';

const identity = generateIdentity();
const { signal } = new AbortController();
const NONE = JSON.stringify({ vessels: [] });
const HOLDINGS = { credits: { total: 200, used: 120 }, userPort: null };

function vesselOf(index: number) {
  const vessel = `v${Math.max(1, index)}`;
  const reach = { addresses: [], relays: [] };
  const times = { expiresAt: 2, warnAt: 1 };
  return {
    handle: `${identity.id}:${index}`,
    node: identity.id,
    vessel,
    reach,
    active: true,
    ...times,
    messports: [],
    connports: [],
  };
}

type Answer = (response: ServerResponse, asked: { path: string; body: string }) => void;

describe("a user's account at a site", () => {
  let server: Server;
  let account: Account;
  let origin: string;
  /** What is answered, in turn; the last one again and again. */
  let answers: Answer[];
  let asked: { path: string; body: string }[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => void take(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    account = new Account({ clearinghouse: clearinghouseUrl(`${origin}/potluck`), identity });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const path = request.url ?? '';
    asked.push({ path, body: body.toString() });
    const jws = (request.headers.authorization ?? '').slice(SITE_SCHEME.length + 1);
    const { signer, audience } = await verifySiteRequest(
      jws,
      { method: request.method ?? '', path: path.replace('/potluck', ''), body },
      Date.now() / 1000,
    );
    assert.deepEqual({ signer, audience }, { signer: identity.id, audience: `${origin}/potluck` });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response, { path, body: body.toString() });
  }

  const problem =
    (kind: ProblemKind, code: string, details: object = { wanted: 3 }): Answer =>
    (response) => {
      const detail = 'expected something else';
      const facts = { type: 'urn:x', title: 'No', status: 409, detail, code, kind, details };
      response.writeHead(409).end(JSON.stringify(facts));
    };
  const cut: Answer = (response) => void response.destroy();

  it('is asked for below the path that the URL has, signed for this site', async () => {
    answers = [(response) => void response.end(NONE)];
    assert.deepEqual(await account.acquire({ count: 1, type: 'wan' }, signal), []);
    assert.deepEqual(
      asked.map(({ path }) => path),
      ['/potluck/vessels/acquire'],
    );
  });

  it('acquires once under one name, also when the answer was lost and the next says that it goes on', async () => {
    answers = [cut, problem('unable_to_acquire', 'IN_PROGRESS'), (response) => void response.end(NONE)];
    await account.acquire({ count: 2, type: 'random' }, signal);
    assert.equal(asked.length, 3);
    assert.equal(new Set(asked.map(({ body }) => body)).size, 1);
    assert.match(asked[0]?.body ?? '', /"idempotencyKey":"[0-9a-f-]{36}"/);
  });

  it('gives up after three lost answers, and releases and renews no second time by itself', async () => {
    answers = [cut];
    await assert.rejects(account.acquire({ count: 1, type: 'lan' }, signal), { code: 'CLEARINGHOUSE_UNREACHABLE' });
    assert.equal(asked.length, 3);
    await assert.rejects(account.release(['x'], signal), { code: 'CLEARINGHOUSE_UNREACHABLE' });
    assert.equal(asked.length, 4);
  });

  it('renews what is not on a machine that is being drained, and says what was left out', async () => {
    const draining = problem('unable_to_acquire', 'DRAINING', { handles: ['b'] });
    const renewed: Answer = (response) => void response.end(JSON.stringify({ ...HOLDINGS, vessels: [vesselOf(1)] }));
    answers = [draining, renewed];
    const { vessels, drained } = await account.renew(['a', 'b'], signal);
    assert.deepEqual([vessels.length, drained], [1, ['b']]);
    assert.deepEqual(
      asked.map(({ body }) => JSON.parse(body).handles),
      [['a', 'b'], ['a']],
    );
    answers = [draining];
    await assert.rejects(account.renew(['b'], signal), { code: 'UNABLE_TO_ACQUIRE' });
  });

  for (const [kind, code] of [
    ['internal', 'CLEARINGHOUSE_FAILED'],
    ['authentication', 'NOT_AUTHENTICATED'],
    ['invalid_request', 'INVALID_REQUEST'],
    ['not_enough_credits', 'NOT_ENOUGH_CREDITS'],
    ['unable_to_acquire', 'UNABLE_TO_ACQUIRE'],
  ] as const) {
    it(`throws ${code} for a refusal of the kind ${kind}, with the site's sentence and details`, async () => {
      answers = [problem(kind, 'ITS_OWN')];
      await assert.rejects(account.holdings(signal), {
        code,
        message: 'expected something else',
        details: { wanted: 3, status: 409, code: 'ITS_OWN' },
      });
    });
  }

  it('throws CLEARINGHOUSE_BROKEN for what no clearinghouse answers', async () => {
    for (const [status, text] of [
      [200, '<p>'],
      [200, '{"vessels":[1]}'],
      [500, 'oops'],
      [404, '{"detail":1}'],
    ] as const) {
      answers = [(response) => void response.writeHead(status).end(text)];
      await assert.rejects(account.holdings(signal), { code: 'CLEARINGHOUSE_BROKEN' });
    }
  });

  it('sees all that is held, page after page, each signed with its query', async () => {
    const held = Array.from({ length: 120 }, (_, index) => vesselOf(index));
    const page = (vessels: readonly object[], next?: string): Answer => {
      return (response) => void response.end(JSON.stringify({ ...HOLDINGS, vessels, next }));
    };
    answers = [page(held.slice(0, 100), 'after 100'), page(held.slice(100))];
    const { vessels, credits } = await account.holdings(signal);
    assert.deepEqual(
      vessels.map(({ handle }) => handle),
      held.map(({ handle }) => handle),
    );
    assert.deepEqual(credits, HOLDINGS.credits);
    assert.deepEqual(
      asked.map(({ path }) => path),
      ['/potluck/vessels', '/potluck/vessels?cursor=after+100'],
    );
  });

  it('is nothing at all when a later page does not come', async () => {
    answers = [(response) => void response.end(JSON.stringify({ ...HOLDINGS, vessels: [], next: 'x' })), cut];
    await assert.rejects(account.holdings(signal), { code: 'CLEARINGHOUSE_UNREACHABLE' });
  });

  it(`has at most ${CLIENT_LIMITS.pages} pages: a site that never ends its list is not asked for ever`, async () => {
    const more: Answer = (response) => void response.end(JSON.stringify({ ...HOLDINGS, vessels: [], next: 'x' }));
    const last: Answer = (response) => void response.end(JSON.stringify({ ...HOLDINGS, vessels: [] }));
    answers = [...Array<Answer>(CLIENT_LIMITS.pages - 1).fill(more), last];
    await account.holdings(signal);
    assert.equal(asked.length, CLIENT_LIMITS.pages);
    answers = [more];
    await assert.rejects(account.holdings(signal), { code: 'CLEARINGHOUSE_BROKEN', message: /pages/ });
    assert.equal(asked.length, 2 * CLIENT_LIMITS.pages);
  });

  it('may tell more than this version knows of', async () => {
    answers = [
      (response) => void response.end(JSON.stringify({ ...HOLDINGS, vessels: [{ ...vesselOf(1), new: 1 }], more: 2 })),
    ];
    assert.equal((await account.holdings(signal)).vessels[0]?.vessel, 'v1');
  });

  it('can be cancelled while the site is silent', async () => {
    const cancel = new AbortController();
    answers = [() => cancel.abort()];
    await assert.rejects(account.acquire({ count: 1, type: 'nat' }, cancel.signal), { code: 'CANCELLED' });
    assert.equal(asked.length, 1);
  });
});
