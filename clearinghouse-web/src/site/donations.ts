import { pipeline } from 'node:stream/promises';
import { keyIdSchema, reachSchema } from '@potluck/protocol';
import { z } from 'zod';
import { openArchive } from '../archive.ts';
import { PortalError } from '../errors.ts';
import type { Account } from '../store/accounts.ts';
import { nextSchema, type PageQuery, pageQuerySchema, sliceOf } from './paging.ts';
import { countryOf } from './places.ts';
import type { Route, Visit } from './route.ts';
import { nothingSchema } from './schemas.ts';
import { memberOf } from './session.ts';
import { INSTEAD, SUPPORTED, systemOf } from './systems.ts';

/** Of what the machines have given. */
const DAYS = 30;
const ARCHIVE = 'potluck-linux-x64.tgz';
/** A new account's donor key takes the backend some milliseconds; longer than this it is away. */
const DONOR_KEY_MS = 10_000;

const donatedSchema = z.object({
  node: keyIdSchema,
  reach: reachSchema,
  active: z.boolean(),
  life: z.enum(['accepting', 'splitting', 'offered', 'broken', 'gone']).nullable(),
  /** Why it is broken. */
  reason: z.string().nullable(),
  draining: z.boolean(),
  since: z.int(),
  lastSeen: z.int(),
  vessels: z.int(),
  /** Of them, held by somebody. */
  lent: z.int(),
  offer: z.object({ cpu: z.number(), memoryBytes: z.int(), diskBytes: z.int() }),
});

export const donations: Route<object, PageQuery> = {
  method: 'get',
  path: '/donations',
  summary: 'The machines that the account has donated, and its archive.',
  access: 'user',
  scope: 'donations',
  body: nothingSchema,
  query: pageQuerySchema,
  result: z.object({ donations: z.array(donatedSchema), downloadUrl: z.string(), next: nextSchema }),
  handle: async (visit, _body, query) => {
    const { store, account, publicUrl, payload } = memberOf(visit);
    const donated = await store.survey.donated(account.id);
    const { items, next } = sliceOf(donated, query, ({ node }) => node);
    askForHints(visit);
    const downloadUrl = `${publicUrl()}/download/${account.donor_token}/${ARCHIVE}`;
    const donorPage = `${publicUrl()}/download/${account.donor_token}`;
    return {
      json: { donations: items, downloadUrl },
      next,
      page: {
        view: 'donations',
        title: 'My donations',
        data: {
          donations: donated.map((node) => ({ ...node, country: countryOf(node.reach)?.name })),
          given: await store.history.givenByNode(account.id),
          days: await store.history.given(account.id, DAYS),
          creditsPerDonation: (await store.policies.current()).creditsPerDonation,
          ...{ downloadUrl, donorPage, archive: ARCHIVE, available: payload !== undefined },
          ...systemFor(visit),
        },
      },
    };
  },
};

/** What the archive will do on a machine, for whoever was sent the link. */
export const donorPage: Route<object> = {
  method: 'get',
  path: '/download/:token',
  summary: 'For whom the archive of this link is.',
  access: 'anyone',
  body: nothingSchema,
  problems: ['NO_SUCH_PAGE'],
  result: z.object({ donor: z.string(), downloadUrl: z.string() }),
  handle: async (visit) => {
    const donor = await donorOf(visit);
    askForHints(visit);
    const downloadUrl = `${visit.publicUrl()}/download/${donor.donor_token}/${ARCHIVE}`;
    return {
      json: { donor: donor.username, downloadUrl },
      page: {
        view: 'download',
        title: `Bring a dish for ${donor.username}`,
        data: {
          ...{ donor: donor.username, downloadUrl, archive: ARCHIVE, available: visit.payload !== undefined },
          donorPage: `${visit.publicUrl()}/download/${donor.donor_token}`,
          ...systemFor(visit),
        },
      },
    };
  },
};

export const archive: Route<object> = {
  method: 'get',
  path: `/download/:token/${ARCHIVE}`,
  summary: 'The archive that donates a machine to the account of this link.',
  access: 'anyone',
  produces: 'application/gzip',
  problems: ['NO_SUCH_PAGE', 'NO_PAYLOAD', 'NOT_READY'],
  body: nothingSchema,
  handle: async (visit) => {
    const { response, publicUrl, gateway } = visit;
    const donor = await donorOf(visit);
    const owner = await donorKeyOf(visit, donor);
    const { stream, lengthBytes } = await openArchive(visit.payload, {
      clearinghouse: publicUrl(),
      gateway: gateway(),
      donor: donor.username,
      owner,
    });
    response.set({
      'content-type': 'application/gzip',
      'content-length': String(lengthBytes),
      'content-disposition': `attachment; filename="${ARCHIVE}"`,
      'cache-control': 'no-store',
    });
    // A browser that goes away in the middle is its own affair.
    await pipeline(stream, response).catch(() => response.destroy());
    return undefined;
  },
};

/** Whether the archive fits the machine that asks, and if not what to do instead. */
function systemFor({ request }: Visit) {
  const system = systemOf(request);
  return { system, supported: SUPPORTED, instead: system === undefined ? '' : INSTEAD[system] };
}

/** A browser tells its machine's kind only to who asks for it. */
function askForHints({ response }: Visit): void {
  response.set('accept-ch', 'Sec-CH-UA-Platform, Sec-CH-UA-Arch');
}

async function donorOf({ store, request }: Visit): Promise<Account> {
  const donor = await store.accounts.byDonorToken(String(request.params.token));
  if (donor === undefined) throw new PortalError('NO_SUCH_PAGE', "expected a donor's link, got one that nobody has");
  return donor;
}

async function donorKeyOf({ store, queue }: Visit, donor: Account) {
  let key = donor.donor_key;
  await queue.until(async () => {
    key ??= (await store.accounts.byId(donor.id))?.donor_key ?? null;
    return key !== null;
  }, DONOR_KEY_MS);
  if (key === null)
    throw new PortalError('NOT_READY', "expected the donor's key to be made, it is not yet: try again soon");
  return key;
}
