import assert from 'node:assert/strict';
import { RequestError } from '@potluck/protocol';
import { z } from 'zod';
import { LIMITS } from '../src/limits.ts';
import { portalErrorOf } from '../src/site/problems.ts';
import { ROUTES } from '../src/site/routes.ts';
import { entriesSchema } from '../src/site/schemas.ts';
import { Store } from '../src/store/store.ts';
import type { Api, ApiAnswer } from './support/api.ts';
import { forEachDatabase } from './support/databases.ts';
import { eventually, Site } from './support/site.ts';

const NUL = '\0';

describe('a request with which much is wrong', () => {
  it(`is told of ${LIMITS.fieldsTold} places of it`, () => {
    const told = (count: number): number => {
      const { error } = z.array(z.string()).safeParse(Array(count).fill(0));
      return Object.keys(portalErrorOf(error).details.fields as object).length;
    };
    assert.deepEqual([told(LIMITS.fieldsTold), told(LIMITS.fieldsTold + 1)], [LIMITS.fieldsTold, LIMITS.fieldsTold]);
  });
});

forEachDatabase((test) => {
  describe('a text with a NUL character in it', () => {
    let site: Site;
    let user: Api;

    beforeEach(async () => {
      site = await Site.start({ database: test.kind === 'PostgreSQL' ? test.location : undefined });
      user = await site.api().join('user');
    });
    afterEach(async () => await site?.[Symbol.asyncDispose]());

    function refused({ status, body }: ApiAnswer, detail: RegExp): void {
      assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'], body.detail);
      assert.match(body.detail, detail);
    }

    it('is refused wherever it stands, with the field’s name', async () => {
      const expected = (field: string): RegExp => new RegExp(`^${field}: expected text without NUL characters`);
      refused(
        await (await site.api().open()).post('/login', { username: `a${NUL}`, password: 'secret of user' }),
        expected('username'),
      );
      const token = { name: `a${NUL}b`, scopes: ['account'], days: 1, current: 'secret of user' };
      refused(await user.post('/account/tokens', token), expected('name'));
      refused(
        await user.post('/account/tokens', { ...token, name: 'a', scopes: ['account', NUL] }),
        expected('scopes'),
      );
      refused(await user.post('/account/tokens', { ...token, name: 'a', [`x${NUL}`]: 1 }), expected('x'));
      refused(await user.post('/account/sessions/end', { session: NUL }), expected('session'));
      await using store = await Store.open(locationOf(site));
      await store.administration.setRole('operator', 'user', 'admin');
      refused(await user.get('/admin/users?search=%00'), expected('search'));
      refused(await user.get('/admin/users/us%00er'), expected('username'));
      refused(await user.post('/admin/users/user/ban', { reason: `why${NUL}` }), expected('reason'));
      refused(await user.post('/admin/users/us%00er/ban', { reason: 'why' }), expected('username'));
      const cursor = Buffer.from(JSON.stringify([`u${NUL}`])).toString('base64url');
      refused(await user.get(`/admin/users?cursor=${cursor}`), /^cursor: expected what the answer before said/);
    });

    it('breaks nothing on any route that takes something', async () => {
      for (const { method, path } of ROUTES) {
        const parameters = [...path.matchAll(/:(\w+)/g)];
        if (method === 'get' && parameters.length === 0) continue;
        const address = path.replaceAll(/:\w+/g, 'a%00b');
        const answer = method === 'get' ? await user.get(address) : await user.post(address, { id: NUL, name: NUL });
        assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path}: ${answer.status} ${answer.text}`);
      }
    });

    it('of a node’s error is written down without it', async () => {
      await using store = await Store.open(locationOf(site));
      const donorKey = await eventually(async () => (await store.accounts.byUsername('user'))?.donor_key);
      const peer = await site.peerOf(user, donorKey, { vessels: 1 });
      await eventually(async () => ((await user.get('/')).body.free === 1 ? true : undefined));
      peer.gate = (method) => {
        if (method === 'ChangeUsers') throw new RequestError('DISK_FULL', `no room${NUL}`);
      };
      assert.equal((await user.post('/vessels/acquire', { count: 1 })).body.code, 'UNABLE_TO_ACQUIRE');
      const errors = await eventually(async () => {
        const all = (await store.condition.troubles(10)).map(({ error }) => error);
        return all.length > 0 ? all : undefined;
      });
      assert.ok(
        errors.some((error) => error?.includes('no room\uFFFD')),
        errors.join(),
      );
    });

    function locationOf({ directory }: Site): string {
      return test.kind === 'PostgreSQL' ? test.location : `${directory}/state/clearinghouse.sqlite`;
    }
  });
});

describe('what comes with a request', () => {
  it('is looked through however deep it goes', () => {
    let deep: unknown = 'text';
    for (let depth = 0; depth < 30_000; depth += 1) deep = [deep];
    assert.equal(entriesSchema.safeParse({ deep }).success, true);
    for (let depth = 0; depth < 30_000; depth += 1) deep = { deep, more: depth === 0 ? NUL : '' };
    assert.equal(entriesSchema.safeParse({ deep }).success, false);
  });
});
