import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { PortalCode, PortalError } from '../errors.ts';
import type { Stopped } from '../store/emergency.ts';
import type { Ending } from '../store/holdings.ts';
import { csrfTokenOf } from '../store/sessions.ts';
import { Assets } from './assets.ts';
import { isProgram } from './caller.ts';
import type { Answer, Page, Visit } from './route.ts';
import { keepSession } from './session.ts';
import * as words from './words.ts';
import { world } from './world.ts';

const ROOM = join(import.meta.dirname, '..', '..');
/** The library's one file for browsers, as it is published. */
const WEBAUTHN = join(
  fileURLToPath(import.meta.resolve('@simplewebauthn/browser')),
  '../../dist/bundle/index.umd.min.js',
);
export const ASSETS = new Assets(join(ROOM, 'public'), {
  'world.svg': () => world().picture,
  'webauthn.js': () => readFileSync(WEBAUTHN),
});

const eta = new Eta({ views: join(ROOM, 'views'), cache: true, autoTrim: false });

/** Programs sign, say that they want JSON, or send it; everybody else is shown a page. */
export function wantsJson(visit: Pick<Visit, 'request'>): boolean {
  const { request } = visit;
  if (isProgram(request)) return true;
  if (request.is('application/json')) return true;
  return request.accepts(['text/html', 'application/json']) === 'application/json';
}

export async function send(visit: Visit, answer: Answer): Promise<void> {
  const { response } = visit;
  response.vary('accept');
  if (wantsJson(visit) || (answer.page === undefined && answer.redirect === undefined)) {
    const { next } = answer;
    if (next !== undefined) response.set('link', `<${nextUrl(visit, next)}>; rel="next"`);
    response.status(answer.status ?? 200).json(next === undefined ? answer.json : { ...Object(answer.json), next });
  } else if (answer.redirect !== undefined) {
    response.redirect(303, answer.redirect);
  } else if (answer.page !== undefined) {
    await sendPage(visit, answer.page, answer.status ?? 200);
  }
}

function nextUrl({ request }: Visit, cursor: string): string {
  const url = new URL(request.originalUrl, 'http://site');
  url.searchParams.set('cursor', cursor);
  return url.pathname + url.search;
}

export async function sendPage(visit: Visit, page: Page, status: number): Promise<void> {
  // Never in answer to a form of another site: it comes without the cookie, and would make the browser forget it.
  if (visit.request.method === 'GET') keepSession(visit);
  const html = eta.render(page.view, {
    ...page.data,
    words,
    asset: (name: string) => ASSETS.url(name),
    title: page.title,
    account: visit.account,
    ...(await bannersOf(visit)),
    path: visit.request.path,
    csrfToken: csrfTokenOf(visit.sessionToken),
    publicUrl: visit.publicUrl(),
  });
  visit.response.status(status).type('html').set('cache-control', 'no-store').send(html);
}

interface Banners {
  readonly ending?: Ending | undefined;
  readonly emergency?: Stopped | undefined;
}

/** Every page of somebody says which of his leases end soon, and whether all is stopped; that of a fault says the fault. */
async function bannersOf({ account, store, logger }: Visit): Promise<Banners> {
  if (account === undefined) return {};
  try {
    return { ending: await store.leases.ending(account.id), emergency: await store.emergency.state() };
  } catch (error) {
    logger.error({ err: error }, 'cannot tell which leases end soon, nor whether all is stopped');
    return {};
  }
}

/** What is wrong with which field of a form. @param byCode the field that a code is about. */
export function fieldsOf(error: PortalError, byCode: Partial<Record<PortalCode, string>>): Record<string, string> {
  const { fields } = error.details;
  if (typeof fields === 'object' && fields !== null) return fields as Record<string, string>;
  const field = byCode[error.code];
  return field === undefined ? {} : { [field]: error.message };
}
