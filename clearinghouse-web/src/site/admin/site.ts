import { z } from 'zod';
import type { PortalError } from '../../errors.ts';
import type { Page, Route, Visit } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { memberOf } from '../session.ts';
import { noticeOf, optionalText, reasonSchema } from './lists.ts';
import { siteSchema } from './shapes.ts';

const NOTICES = {
  stopped: 'Everything is being stopped. Machines that are away are stopped as soon as they are back.',
  tried: 'It is being tried now.',
  lifted: 'Lifted. Every vessel is being given back to its holder; programs start again when he starts them.',
};
const noticeQuery = z.object({ notice: optionalText });
const countSchema = z.object({ vessels: z.int() });
const TROUBLES = 20;

/** How the site is, and the switch that stops everything. */
export const site: Route<object, z.infer<typeof noticeQuery>> = {
  method: 'get',
  path: '/admin',
  summary: 'How the site is: nodes by their life, vessels, the queue, failed tasks, and whether everything is stopped',
  access: 'admin',
  body: nothingSchema,
  query: noticeQuery,
  result: siteSchema,
  handle: async (visit, _body, { notice }) => {
    const facts = await factsOf(visit);
    return { json: facts, page: await pageOf(visit, { facts, notice: noticeOf(NOTICES, notice) }) };
  },
};

export const stopEverything: Route<z.infer<typeof reasonSchema>> = {
  method: 'post',
  path: '/admin/emergency-stop',
  summary: 'Stops all programs and lets nobody use or acquire a vessel until it is lifted',
  access: 'admin',
  body: reasonSchema,
  result: countSchema,
  handle: async (visit, { reason }) => {
    const { store, account } = memberOf(visit);
    const vessels = await store.emergency.stop(account.id, reason);
    tell(visit);
    return { json: { vessels }, redirect: '/admin?notice=stopped' };
  },
  refused: async (visit, error) => await pageOf(visit, { facts: await factsOf(visit), error }),
};

export const liftStop: Route<object> = {
  method: 'post',
  path: '/admin/emergency-stop/lift',
  summary: 'Lifts the emergency stop: each vessel is its holder’s again',
  access: 'admin',
  body: nothingSchema,
  result: countSchema,
  handle: async (visit) => {
    const { store, account } = memberOf(visit);
    const vessels = await store.emergency.lift(account.id);
    tell(visit);
    return { json: { vessels }, redirect: '/admin?notice=lifted' };
  },
};

const taskSchema = z.object({ task: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

export const retryTask: Route<object> = {
  method: 'post',
  path: '/admin/tasks/:task/retry',
  summary: 'Tries a task now that waits to be tried again',
  access: 'admin',
  problems: ['NO_SUCH_THING'],
  body: nothingSchema,
  result: z.object({ task: z.int() }),
  handle: async (visit) => {
    const { store, account, queue, request } = memberOf(visit);
    const { task } = taskSchema.parse(request.params);
    await store.care.hasten(account.id, task);
    queue.wake();
    return { json: { task }, redirect: '/admin?notice=tried' };
  },
  refused: async (visit, error) => await pageOf(visit, { facts: await factsOf(visit), error }),
};

function tell({ queue, bus }: Visit): void {
  queue.wake();
  bus.publish('vessel.changed', {});
}

async function factsOf({ store }: Visit): Promise<z.infer<typeof siteSchema>> {
  const stopped = await store.emergency.state();
  return {
    health: await store.condition.health(),
    troubles: await store.condition.troubles(TROUBLES),
    stopped: stopped === undefined ? null : { ...stopped, left: await store.emergency.left() },
  };
}

interface Shown {
  readonly facts: z.infer<typeof siteSchema>;
  readonly notice?: string | undefined;
  readonly error?: PortalError;
}

async function pageOf({ store }: Visit, { facts, ...more }: Shown): Promise<Page> {
  const names = await store.overview.names(facts.stopped === null ? [] : [facts.stopped.actor]);
  return { view: 'admin/site', title: 'Administration', data: { ...facts, names, ...more } };
}
