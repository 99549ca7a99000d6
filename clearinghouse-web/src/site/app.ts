import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import { PortalError, ServiceError } from '../errors.ts';
import { DATABASE_LIMITS, LIMITS } from '../limits.ts';
import { within } from '../within.ts';
import { callerOf, checkMeans, isProgram } from './caller.ts';
import { limitersOf, scales } from './limiters.ts';
import { portalErrorOf, problemOf, titleOf } from './problems.ts';
import { ASSETS, send, sendPage, wantsJson } from './render.ts';
import type { Page, Route, SiteComponents, SiteFacts, Visit } from './route.ts';
import { ROUTES } from './routes.ts';
import { entriesSchema } from './schemas.ts';
import { checkAccess, checkOrigin, sessionTokenOf } from './session.ts';
import { keepBody } from './signature.ts';

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST'];

/** The site: the routes of the one table, behind the same checks. */
export function createApp(components: SiteComponents, facts: SiteFacts): Express {
  const app = express();
  const secure = facts.publicUrl().startsWith('https:');
  app.disable('x-powered-by');
  app.set('etag', false);
  // With https there is a proxy in front of this process, and only it may say who asks.
  app.set('trust proxy', secure ? ['loopback', ...facts.proxies] : false);
  app.use(countedBy(facts.onAnswered), helmet(helmetOptions(secure)));
  app.use('/assets', ASSETS.handler);
  const parsers = [
    express.json({ limit: LIMITS.bodyBytes, verify: keepBody }),
    express.urlencoded({
      extended: false,
      limit: LIMITS.bodyBytes,
      parameterLimit: 2 * LIMITS.vesselsPerRequest,
      verify: keepBody,
    }),
  ];
  const limiters = limitersOf();
  const everything = { ...components, ...facts, weigh: scales() };
  for (const route of ROUTES) {
    const before = [...(route.method === 'post' ? parsers : []), ...(route.limit ? [limiters[route.limit]] : [])];
    const after = [limiters.account, limiters.stranger, refusedNow];
    app[route.method](
      route.path,
      ...before,
      meeting(route, everything),
      ...after,
      async (_request: Request, response: Response) => {
        await answer(route, response.locals.visit);
      },
    );
  }
  app.use(limiters.stranger, (request: Request) => {
    throw new PortalError('NO_SUCH_PAGE', `expected a page of this site, got ${request.path.slice(0, 200)}`);
  });
  app.use(async (error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const visit =
      response.locals.visit ??
      (await visitOf(request, response, everything).catch(() => nobody(request, response, everything)));
    await refuse(visit, portalErrorOf(error));
  });
  return app;
}

type Everything = SiteComponents & SiteFacts & Pick<Visit, 'weigh'>;

function nobody(request: Request, response: Response, rest: Everything): Visit {
  const sessionToken = sessionTokenOf({ request, publicUrl: rest.publicUrl });
  return { ...rest, request, response, sessionToken, account: undefined, signed: undefined, token: undefined };
}

/** Finds out who asks, before the route has its turn. */
function meeting(route: Route<unknown>, everything: Everything): RequestHandler {
  return async (request, response, next) => {
    const visit = visitOf(request, response, everything);
    const known = route.always ? within(DATABASE_LIMITS.statusMs, visit, hangs) : visit;
    response.locals.visit = await known.catch((error: unknown) => {
      // A stranger, who is counted as one before he is refused.
      if (error instanceof PortalError || route.always === undefined) response.locals.refusal = error;
      return nobody(request, response, everything);
    });
    next();
  };
}

/** By the route's pattern: paths name vessels and accounts, and strangers make up any. */
function countedBy(onAnswered: SiteFacts['onAnswered']): RequestHandler {
  return (request, response, next) => {
    if (onAnswered === undefined) return next();
    const begun = performance.now();
    response.once('close', () => {
      const isAsset = request.baseUrl === '/assets' || request.path.startsWith('/assets/');
      const route = isAsset ? 'assets' : String(request.route?.path ?? 'none');
      const method = METHODS.includes(request.method) ? request.method : 'other';
      // A stream of events ends when its page is closed, and was answered.
      const isStream = response.headersSent && response.get('content-type')?.startsWith('text/event-stream') === true;
      const status = response.writableFinished || isStream ? response.statusCode : 'aborted';
      onAnswered({ route, method, status, ms: performance.now() - begun });
    });
    next();
  };
}

function hangs(): ServiceError {
  return new ServiceError('DATABASE_AWAY', 'expected to know who asks, the database does not say it in time');
}

/** What `visitOf` has thrown. */
const refusedNow: RequestHandler = (_request, response, next) => next(response.locals.refusal);

async function answer(route: Route<unknown>, visit: Visit): Promise<void> {
  const { _csrf: formToken, ...entered } = entriesOf(visit.request.body);
  /** Whether the caller is one for whom the route is: only he is shown its page in answer to a refusal. */
  let mayShow = false;
  try {
    checkAccess(visit, route.access);
    checkMeans(route, visit);
    const { params, query: asked } = visit.request;
    for (const entries of [params, asked, entered]) entriesSchema.parse(entries);
    mayShow = true;
    // No other site's page can make a browser sign.
    if (route.method === 'post' && !isProgram(visit.request)) checkOrigin(visit, formToken);
    const body = route.body.parse(entered);
    const query = route.query?.parse(asked);
    await visit.signed?.claim();
    const answered = await route.handle(visit, body, query);
    if (answered !== undefined) await send(visit, { status: route.success ?? 200, ...answered });
  } catch (thrown) {
    const error = portalErrorOf(thrown);
    if (visit.response.headersSent) throw thrown;
    const isForPeople = mayShow && (error.status < 500 || route.always === true) && !wantsJson(visit);
    await refuse(visit, error, isForPeople ? await route.refused?.(visit, error, entered) : undefined);
  }
}

/** @param page what to show to people instead of the general page. */
async function refuse(visit: Visit, error: PortalError, page?: Page): Promise<void> {
  const { response, request, logger } = visit;
  if (error.code === 'INTERNAL') logger.error({ err: error.cause, path: request.path }, error.message);
  response.vary('accept');
  const { retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds === 'number') response.set('retry-after', String(retryAfterSeconds));
  if (error.status === 401) response.set('www-authenticate', 'Bearer, Potluck');
  if (wantsJson(visit)) {
    response
      .status(error.status)
      .type('application/problem+json')
      .send(JSON.stringify(problemOf(error)));
  } else if (error.code === 'NOT_AUTHENTICATED') {
    const next = request.method === 'GET' ? request.path : '/vessels';
    response.redirect(303, `/login?next=${encodeURIComponent(next)}`);
  } else {
    const title = titleOf(error);
    await sendPage(visit, page ?? { view: 'problem', title, data: { problem: problemOf(error) } }, error.status);
  }
}

/** @throws PortalError of a signature or a token that is not good */
async function visitOf(request: Request, response: Response, rest: Everything): Promise<Visit> {
  const sessionToken = sessionTokenOf({ request, publicUrl: rest.publicUrl });
  return { ...rest, request, response, sessionToken, ...(await callerOf(request, rest, sessionToken)) };
}

function entriesOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
}

function helmetOptions(secure: boolean): Parameters<typeof helmet>[0] {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure,
    // On plain http a browser ignores it with a warning in its console.
    crossOriginOpenerPolicy: secure,
    originAgentCluster: secure,
    referrerPolicy: { policy: 'same-origin' },
  };
}
