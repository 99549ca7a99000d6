import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { operationIdOf } from '../src/site/openapi.ts';
import { ROUTES } from '../src/site/routes.ts';
import { Site } from './support/site.ts';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly 'x-scope'?: string;
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly 'x-codes'?: readonly string[] }>>;
}
interface Document {
  readonly components: { readonly schemas: Readonly<Record<'Problem' | 'Shortage', { readonly required: string[] }>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe('the document of the API', () => {
  let site: Site;
  let document: Document;
  before(async () => {
    site = await Site.start();
    document = JSON.parse((await site.api().get('/api/openapi.json')).text);
  });
  after(async () => await site[Symbol.asyncDispose]());

  const operations = (): Operation[] => Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const operationOf = (id: string): Operation => {
    const found = operations().find(({ operationId }) => operationId === id);
    assert.ok(found, id);
    return found;
  };

  it('is one of OpenAPI 3.1, by a validator of others', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...document });
    assert.equal(valid, true, JSON.stringify(errors));
    assert.equal(validator.version, '3.1');
  });

  it('has every route once, with a name, a line of what it does, and its answer', () => {
    assert.equal(operations().length, ROUTES.length);
    assert.equal(new Set(operations().map(({ operationId }) => operationId)).size, ROUTES.length);
    for (const { summary, operationId } of operations()) assert.ok(summary, operationId);
    for (const route of ROUTES) {
      assert.ok(route.result !== undefined || route.produces !== undefined, operationIdOf(route));
    }
  });

  it('says who may ask, and what for a token must be', () => {
    assert.deepEqual(operationOf('getVessels').security, [{ session: [] }, { signature: [] }, { token: [] }]);
    assert.equal(operationOf('getVessels')['x-scope'], 'vessels:read');
    assert.deepEqual(operationOf('postAccountTokens').security, [{ session: [] }]);
    assert.deepEqual(operationOf('getHome').security, []);
  });

  it('says with which codes a route refuses', () => {
    const { responses } = operationOf('postVesselsAcquire');
    assert.deepEqual(Object.keys(responses), ['201', '400', '401', '403', '409', '413', '422', '429', '500']);
    assert.ok(responses['409']?.['x-codes']?.includes('NOT_ENOUGH_CREDITS'));
    const { Problem, Shortage } = document.components.schemas;
    assert.match(JSON.stringify(Problem), /"UNABLE_TO_ACQUIRE".*#\/components\/schemas\/Shortage/);
    assert.deepEqual(Shortage.required, ['wanted', 'found', 'short', 'unit']);
  });

  it('is a page for people, too, without a script of its own', async () => {
    const { text, status } = await site.api().get('/api', { accept: 'text/html' });
    assert.equal(status, 200);
    for (const { operationId } of operations()) assert.match(text, new RegExp(`id="${operationId}"`));
    assert.equal(text.match(/<script/g)?.length, 1, 'the one of every page');
  });
});
