import { randomUUID } from 'node:crypto';
import {
  type AccountFacts,
  type AcquireType,
  accountSchema,
  acquiredSchema,
  type HeldVessel,
  type Holdings,
  holdingsSchema,
  type Identity,
  type Problem,
  type ProblemKind,
  parseJson,
  problemSchema,
  signSiteRequest,
} from '@potluck/protocol';
import type { z } from 'zod';
import { exchange, LOOKUP_LIMITS } from './clearinghouse.ts';
import { type ClearinghouseCode, ClearinghouseError } from './errors.ts';

export interface AccountInit {
  /** With a slash at its end. */
  readonly clearinghouse: URL;
  /** Whose key the account has. */
  readonly identity: Identity;
  /** The account's name; needed when several have the key. */
  readonly account?: string | undefined;
}

export interface Wanted {
  readonly count: number;
  readonly type: AcquireType;
  /** By which they are chosen: `country=NL`, `apart=500km`. */
  readonly rules?: readonly string[];
  /** Names the acquisition, so that asking again gives the same vessels; a random one unless given. */
  readonly idempotencyKey?: string | undefined;
}

interface Ask<S extends z.ZodType> {
  readonly path: string;
  readonly result: S;
  /** What is posted; a question unless given. */
  readonly body?: object;
  readonly timeoutMs?: number;
}

const CODES: Record<ProblemKind, ClearinghouseCode> = {
  internal: 'CLEARINGHOUSE_FAILED',
  authentication: 'NOT_AUTHENTICATED',
  invalid_request: 'INVALID_REQUEST',
  not_enough_credits: 'NOT_ENOUGH_CREDITS',
  unable_to_acquire: 'UNABLE_TO_ACQUIRE',
};

/** How often an acquisition is asked for whose answer did not come. */
const ATTEMPTS = 3;

/** What a user asks a clearinghouse of his account, signed by his key. Each method throws ClearinghouseError. */
export class Account {
  readonly #init: AccountInit;

  constructor(init: AccountInit) {
    this.#init = init;
  }

  async facts(signal: AbortSignal): Promise<AccountFacts> {
    return await this.#ask({ path: '/account', result: accountSchema }, signal);
  }

  async holdings(signal: AbortSignal): Promise<Holdings> {
    return await this.#ask({ path: '/vessels', result: holdingsSchema }, signal);
  }

  /** All or nothing. Asks again when the answer was lost: under one name, nothing is acquired twice. */
  async acquire(wanted: Wanted, signal: AbortSignal): Promise<HeldVessel[]> {
    const body = { idempotencyKey: randomUUID(), ...wanted };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const timeoutMs = LOOKUP_LIMITS.acquireMs;
        const ask = { path: '/vessels/acquire', result: acquiredSchema, body, timeoutMs };
        return (await this.#ask(ask, signal)).vessels;
      } catch (error) {
        if (attempt >= ATTEMPTS || !isWorthAsking(error)) throw error;
      }
    }
  }

  /** @param handles `NODEID:v1`. All or none of them. */
  async renew(handles: readonly string[], signal: AbortSignal): Promise<Holdings> {
    return await this.#ask({ path: '/vessels/renew', result: holdingsSchema, body: { handles } }, signal);
  }

  /** @param handles `NODEID:v1`. All or none of them. */
  async release(handles: readonly string[], signal: AbortSignal): Promise<Holdings> {
    return await this.#ask({ path: '/vessels/release', result: holdingsSchema, body: { handles } }, signal);
  }

  async #ask<S extends z.ZodType>(ask: Ask<S>, signal: AbortSignal): Promise<z.infer<S>> {
    const { clearinghouse, identity, account } = this.#init;
    const { path, timeoutMs = LOOKUP_LIMITS.timeoutMs } = ask;
    const method = ask.body === undefined ? 'GET' : 'POST';
    const body = ask.body && Buffer.from(JSON.stringify(ask.body));
    const audience = clearinghouse.href.replace(/\/$/, '');
    const signed = { audience, method, path, account, ...(body && { body }) };
    const authorization = await signSiteRequest(identity, signed);
    const { status, text } = await exchange(new URL(path.slice(1), clearinghouse), {
      ...{ method, signal, timeoutMs, headers: { authorization } },
      ...(body && { body }),
    });
    const json = parseJson(text);
    if (status >= 400) throw refusal(status, json, clearinghouse);
    const answer = ask.result.safeParse(json);
    if (answer.success) return answer.data;
    throw notOurs(clearinghouse, status);
  }
}

function refusal(status: number, json: unknown, clearinghouse: URL): ClearinghouseError {
  const problem = problemSchema.safeParse(json);
  if (!problem.success) return notOurs(clearinghouse, status);
  const { kind, code, detail, details } = problem.data satisfies Problem;
  return new ClearinghouseError(CODES[kind], detail, { details: { ...details, status, code } });
}

function notOurs({ origin }: URL, status: number): ClearinghouseError {
  const message = `expected an answer of a clearinghouse at ${origin}, got something else with HTTP status ${status}`;
  return new ClearinghouseError('CLEARINGHOUSE_BROKEN', message, { details: { status } });
}

/** The answer was lost, or is still being made. */
function isWorthAsking(error: unknown): boolean {
  if (!(error instanceof ClearinghouseError)) return false;
  return error.code === 'CLEARINGHOUSE_UNREACHABLE' || error.details.code === 'IN_PROGRESS';
}
