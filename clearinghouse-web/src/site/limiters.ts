import { RateLimit } from '@potluck/protocol';
import type { Request, Response } from 'express';
import { type Options, rateLimit } from 'express-rate-limit';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { addressOf } from './caller.ts';
import type { Visit } from './route.ts';

/** What holds back those who ask too often; the `RateLimit` headers of each answer say how much is left. */
export function limitersOf() {
  const { windowMs } = LIMITS;
  return {
    register: limiter({ windowMs, limit: LIMITS.registrations }),
    /** By account and not by address: a class may sit behind one. */
    account: limiter({
      windowMs: 60_000,
      limit: LIMITS.requestsPerMinute,
      skip: (_request, response) => accountOf(response as Response) === undefined,
      keyGenerator: (_request, response) => accountOf(response as Response) ?? '',
    }),
    /** By address, of those who do not say who they are. */
    stranger: limiter({
      windowMs: 60_000,
      limit: LIMITS.strangersPerMinute,
      skip: (_request, response) => accountOf(response as Response) !== undefined,
    }),
  };
}

/** Weighs large answers, by the address to which they go. */
export function scales(init = { perSecond: LIMITS.advertisementsSecondBytes, burst: LIMITS.advertisementsBurstBytes }) {
  const allowances = new RateLimit({ ...init, entries: LIMITS.weighedAddresses });
  /** @throws PortalError TOO_MANY_REQUESTS */
  return (request: Request, bytes: number): void => {
    const waitMs = allowances.take(addressOf(request), performance.now(), bytes);
    if (waitMs === 0) return;
    const message = `expected at most ${init.burst / 2 ** 20} MiB of answers at once to one address, and then ${init.perSecond / 2 ** 20} MiB a second, got more: wait a little`;
    throw new PortalError('TOO_MANY_REQUESTS', message, { details: { retryAfterSeconds: Math.ceil(waitMs / 1000) } });
  };
}

function limiter(options: Partial<Options> & { windowMs: number; limit: number }) {
  const minutes = options.windowMs === 60_000 ? 'a minute' : `${options.windowMs / 60_000} minutes`;
  const message = `expected at most ${options.limit} attempts in ${minutes}, got more: wait a little`;
  return rateLimit({
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    ...options,
    handler: (_request, _response, next) => next(new PortalError('TOO_MANY_REQUESTS', message)),
  });
}

function accountOf(response: Response): string | undefined {
  return (response.locals.visit as Visit | undefined)?.account?.id;
}
