import { randomUUID } from 'node:crypto';
import {
  type AcquireType,
  acquiredSchema,
  acquireTypeSchema,
  type HeldVessel,
  type Holdings,
  heldVesselSchema,
  holdingsSchema,
  parseRestrictions,
  ruleText,
} from '@potluck/protocol';
import type { z } from 'zod';
import { acquire, rulesOfType } from '../acquire.ts';
import { PortalError } from '../errors.ts';
import type { Holding, VesselRef } from '../store/holdings.ts';
import { clientUrl } from './client.ts';
import { nextSchema, type PageQuery, pageQuerySchema, sliceOf } from './paging.ts';
import { countryOf } from './places.ts';
import { titleOf } from './problems.ts';
import { fieldsOf, wantsJson } from './render.ts';
import type { Page, Route, Visit } from './route.ts';
import {
  acquireSchema as acquireBody,
  type acquireSchema,
  handleSchema,
  nothingSchema,
  type Selection,
  selectionSchema,
} from './schemas.ts';
import { memberOf } from './session.ts';
import { placeInWords, spanInWords } from './words.ts';

/** What a page says of what was just done. */
async function noticeOf({ store, request }: Visit): Promise<string | undefined> {
  const { firstLeaseMs, renewalMs } = await store.policies.current();
  const renewal = spanInWords(renewalMs);
  const notices = new Map(
    Object.entries({
      welcome: 'Welcome to the table. Your key is your name here: keep the downloaded file safe.',
      acquired: `The vessels are yours for ${spanInWords(firstLeaseMs)}; renew them to keep them for ${renewal}.`,
      renewed: `Renewed for ${renewal} from now.`,
      'renewed-some': `Renewed for ${renewal} from now, but for vessels on machines that are being drained: they end when their time is over.`,
      released: 'Released. They are being emptied, and your credits are back.',
    }),
  );
  return notices.get(String(request.query.notice));
}

export const listVessels: Route<object, PageQuery> = {
  method: 'get',
  path: '/vessels',
  summary: 'The vessels that the account holds.',
  access: 'user',
  scope: 'vessels:read',
  body: nothingSchema,
  query: pageQuerySchema,
  result: holdingsSchema.extend({ next: nextSchema }),
  handle: async (visit, _body, query) => {
    const held = await overviewOf(visit);
    const { items, next } = sliceOf(held.vessels, query, ({ handle }) => handle);
    return { json: { ...held, vessels: items }, next, page: await pageOf(visit) };
  },
};

export const showVessel: Route<object> = {
  method: 'get',
  path: '/vessels/:handle',
  summary: 'One of the vessels that the account holds.',
  access: 'user',
  scope: 'vessels:read',
  problems: ['NO_SUCH_VESSEL'],
  body: nothingSchema,
  result: heldVesselSchema,
  handle: async (visit) => {
    const { store, account, request } = memberOf(visit);
    const handle = handleSchema.safeParse(request.params.handle);
    const holdings = handle.success ? await store.leases.holdings(account.id) : [];
    const held = holdings.find(({ node, name }) => node === handle.data?.node && name === handle.data.name);
    if (held === undefined)
      throw new PortalError('NO_SUCH_VESSEL', 'expected a vessel that you hold, got another name');
    const vessel = viewOf(held);
    const notice = await noticeOf(visit);
    const title = `Vessel ${vessel.vessel} on ${placeInWords(vessel.reach)}`;
    return {
      json: vessel,
      page: { view: 'vessel', title, data: { vessel, notice, client: await clientUrl('vessel') } },
    };
  },
};

export const acquireVessels: Route<z.infer<typeof acquireSchema>> = {
  method: 'post',
  success: 201,
  path: '/vessels/acquire',
  summary: 'Acquire vessels, all or none.',
  access: 'user',
  scope: 'vessels:write',
  problems: ['NOT_ENOUGH_CREDITS', 'UNABLE_TO_ACQUIRE', 'IN_PROGRESS', 'KEY_REUSED'],
  body: acquireBody,
  result: acquiredSchema,
  handle: async (visit, wanted) => {
    const { account, bus } = memberOf(visit);
    const vessels = await acquire(visit, account, wanted);
    bus.publish('vessel.changed', { account: account.id });
    return { json: { vessels: vessels.map(viewOf) }, redirect: '/vessels?notice=acquired' };
  },
  refused: async (visit, error, entered) => await pageOf(visit, { error, entered }),
};

export const renewVessels: Route<Selection> = {
  method: 'post',
  path: '/vessels/renew',
  summary: 'Renew vessels, all or none of those named.',
  access: 'user',
  scope: 'vessels:write',
  problems: ['NO_SUCH_VESSEL', 'NOT_ENOUGH_CREDITS', 'DRAINING'],
  body: selectionSchema,
  result: holdingsSchema,
  handle: async (visit, selection) => {
    const { store, bus, account } = memberOf(visit);
    const isAll = selection.all !== undefined && selection.only === undefined;
    const left = isAll ? await store.leases.renewAll(account.id) : [];
    if (!isAll) await store.leases.renew(account.id, await selected(visit, selection));
    bus.publish('vessel.changed', { account: account.id });
    const notice = left.length === 0 ? 'renewed' : 'renewed-some';
    return { json: await overviewOf(visit), redirect: `${selection.next ?? '/vessels'}?notice=${notice}` };
  },
  refused: async (visit, error) => await pageOf(visit, { error }),
};

export const releaseVessels: Route<Selection> = {
  method: 'post',
  path: '/vessels/release',
  summary: 'Give vessels back, all or none of those named.',
  access: 'user',
  scope: 'vessels:write',
  problems: ['NO_SUCH_VESSEL'],
  body: selectionSchema,
  result: holdingsSchema,
  handle: async (visit, selection) => {
    const { store, bus, queue, account } = memberOf(visit);
    await store.leases.release(account.id, await selected(visit, selection));
    queue.wake();
    bus.publish('vessel.changed', { account: account.id });
    return { json: await overviewOf(visit), redirect: '/vessels?notice=released' };
  },
  refused: async (visit, error) => await pageOf(visit, { error }),
};

export async function overviewOf(visit: Visit): Promise<Holdings> {
  const { store, account } = memberOf(visit);
  const [credits, holdings] = [await store.leases.credits(account.id), await store.leases.holdings(account.id)];
  return { credits, userPort: account.user_port, vessels: holdings.map(viewOf) };
}

async function pageOf(
  visit: Visit,
  { error, entered = {} }: { error?: PortalError; entered?: Readonly<Record<string, unknown>> } = {},
): Promise<Page> {
  const { credits, vessels } = await overviewOf(visit);
  const notice = error === undefined ? await noticeOf(visit) : undefined;
  const offered = await visit.store.nodes.counts();
  return {
    view: 'vessels',
    title: 'My vessels',
    data: {
      credits,
      vessels: vessels.map((vessel) => ({ ...vessel, country: countryOf(vessel.reach)?.name })),
      offered,
      creditsPerDonation: (await visit.store.policies.current()).creditsPerDonation,
      notice,
      entered,
      // A form that is sent twice, by a press too many or by a browser that asks again, acquires once; so does one that is
      // pressed again while the first still goes on.
      attempt: error?.code === 'IN_PROGRESS' ? entered.idempotencyKey : randomUUID(),
      error: error && { title: titleOf(error), message: error.message },
      fields: error === undefined ? {} : fieldsOf(error, {}),
      types: TYPE_NAMES,
      wrong: error === undefined ? {} : wrongOf(error, entered),
      publicUrl: visit.publicUrl(),
      client: wantsJson(visit) ? undefined : await clientUrl('vessels'),
    },
  };
}

const TYPE_NAMES: readonly (readonly [AcquireType, string])[] = [
  ['random', 'Anywhere'],
  ['wan', 'Each in another network (WAN)'],
  ['lan', 'All in one network (LAN)'],
  ['nat', 'Behind a relay (NAT)'],
];

/** What is wrong with the type or a rule, or which of them could not be met and by how much. */
function wrongOf(error: PortalError, entered: Readonly<Record<string, unknown>>): { type?: string; rules?: string } {
  if (error.code === 'UNABLE_TO_ACQUIRE' && 'rule' in error.details) {
    const type = acquireTypeSchema.safeParse(entered.type).data ?? 'random';
    const isType = rulesOfType(type).some((rule) => ruleText(rule) === error.details.text);
    return { [isType ? 'type' : 'rules']: error.message };
  }
  const fields = Object.entries(fieldsOf(error, {}));
  const rules = fields.find(([field]) => /^rules(\.|$)/.test(field))?.[1];
  const type = fields.find(([field]) => field === 'type')?.[1];
  return { ...(type !== undefined && { type }), ...(rules !== undefined && { rules }) };
}

async function selected(visit: Visit, { handles, only, all }: Selection): Promise<VesselRef[]> {
  const { store, account } = memberOf(visit);
  const refs =
    only !== undefined ? [only] : all !== undefined ? await store.leases.holdings(account.id) : (handles ?? []);
  if (refs.length === 0 && all === undefined)
    throw new PortalError('INVALID_REQUEST', 'expected at least one vessel to be chosen, got none');
  return refs;
}

function viewOf({ node, name, restrictions, ...rest }: Holding): HeldVessel {
  const { messport, connport } = parseRestrictions(restrictions);
  return {
    handle: `${node}:${name}`,
    node,
    vessel: name,
    address: rest.reach.addresses[0],
    ...rest,
    messports: [...messport].sort((a, b) => a - b),
    connports: [...connport].sort((a, b) => a - b),
  };
}
