import { keyIdSchema } from '@potluck/protocol';
import { z } from 'zod';
import { PortalError } from '../../errors.ts';
import type { NodeRow } from '../../store/overview.ts';
import { afterOf, pageOf, pageQuerySchema } from '../paging.ts';
import type { Member, Page, Route, Visit } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { memberOf } from '../session.ts';
import { namesIn, noticeOf, optionalText } from './lists.ts';
import { lifeSchema, nodesSchema, oneNodeSchema } from './shapes.ts';

const NOTICES = {
  drain: 'Draining: nobody gets anything on it any more. It is empty when the last lease has ended.',
  undrain: 'No longer draining: its vessels may be had again.',
  retry: 'It is being looked at, and what it has now is believed.',
};
const nodesQuery = pageQuerySchema.extend({
  life: z.preprocess((value) => (value === '' ? undefined : value), lifeSchema.optional()),
});
const noticeQuery = z.object({ notice: optionalText });
const HISTORY = 50;

export const listNodes: Route<object, z.infer<typeof nodesQuery>> = {
  method: 'get',
  path: '/admin/nodes',
  summary: 'All donated nodes, or those in one state of their life',
  access: 'admin',
  body: nothingSchema,
  query: nodesQuery,
  result: nodesSchema,
  handle: async ({ store }, _body, query) => {
    const { limit, life } = query;
    const [after] = afterOf(query, z.tuple([keyIdSchema])) ?? [];
    const rows = await store.overview.nodes(life, { limit: limit + 1, after });
    const { items: nodes, next } = pageOf(rows, query, ({ node }) => [node]);
    return {
      json: { nodes },
      next,
      page: { view: 'admin/nodes', title: 'Machines', data: { nodes, next, life, lives: lifeSchema.options } },
    };
  },
};

export const showNode: Route<object, z.infer<typeof noticeQuery>> = {
  method: 'get',
  path: '/admin/nodes/:node',
  summary: 'One node, its vessels, and what has happened to it',
  access: 'admin',
  problems: ['NO_SUCH_NODE'],
  body: nothingSchema,
  query: noticeQuery,
  result: oneNodeSchema,
  handle: async (visit, _body, { notice }) => {
    const { page, ...json } = await lookAt(visit);
    return { json, page: page({ notice: noticeOf(NOTICES, notice) }) };
  },
};

export const drainNode = act('drain', 'Gives nobody anything on a node any more', async ({ store, account }, node) => {
  await store.care.drain(account.id, node, true);
});
export const undrainNode = act(
  'undrain',
  'Offers the vessels of a drained node again',
  async ({ store, account }, node) => {
    await store.care.drain(account.id, node, false);
  },
);
export const retryNode = act(
  'retry',
  'Believes a broken node anew, and looks at it',
  async ({ store, account }, node) => {
    await store.care.retry(account.id, node);
  },
);
export const forgetNode = act(
  'forget',
  'Forgets a broken or gone node, and all that it gave',
  async ({ store, account }, node) => {
    await store.care.forget(account.id, node);
  },
);

type Act = (member: Member, node: NodeRow['node']) => Promise<void>;

function act(name: 'drain' | 'undrain' | 'retry' | 'forget', summary: string, carryOut: Act): Route<object> {
  return {
    method: 'post',
    path: `/admin/nodes/:node/${name}`,
    summary,
    access: 'admin',
    problems: ['NO_SUCH_NODE'],
    body: nothingSchema,
    result: z.object({ node: keyIdSchema }),
    handle: async (visit) => {
      const node = nodeIn(visit);
      await carryOut(memberOf(visit), node);
      visit.queue.wake();
      visit.bus.publish('node.changed', { node });
      const redirect = name === 'forget' ? '/admin/nodes' : `/admin/nodes/${node}?notice=${name}`;
      return { json: { node }, redirect };
    },
    refused: async (visit, error) => (await lookAt(visit)).page({ error }),
  };
}

async function lookAt(visit: Visit) {
  const { store } = visit;
  const id = nodeIn(visit);
  const node = await store.overview.node(id);
  if (node === undefined) throw noSuchNode(id);
  const vessels = await store.overview.vessels(id);
  const history = await store.audit.list({ subject: id }, { limit: HISTORY });
  const names = await namesIn(store, history);
  const page = (more: object): Page => ({
    view: 'admin/node',
    title: `Machine ${id.slice(0, 8)}`,
    data: { node, vessels, history, names, ...more },
  });
  return { node, vessels, history, page };
}

function nodeIn({ request }: Visit): NodeRow['node'] {
  const parsed = keyIdSchema.safeParse(request.params.node);
  if (parsed.success) return parsed.data;
  throw noSuchNode(String(request.params.node).slice(0, 100));
}

function noSuchNode(got: string): PortalError {
  return new PortalError('NO_SUCH_NODE', `expected a node that has been donated, got "${got}"`);
}
