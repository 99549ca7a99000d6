import { type Identity, parseJson, problemSchema, signSiteRequest } from '@potluck/protocol';
import { z } from 'zod';
import { ClearinghouseError, refusalOf } from './errors.ts';
import { CLIENT_LIMITS, exchange } from './exchange.ts';
import { OPERATIONS, type Operations } from './operations.ts';

export interface ClearinghouseInit {
  /** Where people reach it. */
  readonly url: URL | string;
  /** An API token; or the key of the account, which signs each request. Neither for what anyone may ask. */
  readonly token?: string | undefined;
  readonly identity?: Identity | undefined;
  /** The account's name; needed when several have the key. */
  readonly account?: string | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** How an operation is asked for, as the generated table has it. */
interface Operation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON Schema */
  readonly result: object;
}

/** The lists of the document. */
export type ListName = {
  [N in keyof Operations]: 'cursor' extends keyof Operations[N]['input'] ? N : never;
}[keyof Operations];

/** Results are checked: what a clearinghouse answers is what its document says, or an error. */
const schemas = new Map<object, z.ZodType>();

/** A clearinghouse's API by the names of its document: `call('getVessels', {})`. */
export class Clearinghouse {
  readonly #base: URL;
  readonly #init: ClearinghouseInit;

  constructor(init: ClearinghouseInit) {
    this.#init = init;
    this.#base = new URL(init.url);
    this.#base.pathname = this.#base.pathname.replace(/\/?$/, '/');
  }

  /** @throws ClearinghouseError, one class for each kind of refusal; the signal's reason */
  async call<N extends keyof Operations>(
    name: N,
    input: Operations[N]['input'],
    options: CallOptions = {},
  ): Promise<Operations[N]['result']> {
    const operation: Operation = OPERATIONS[name];
    const { method } = operation;
    const { path, rest } = pathOf(operation, input);
    const body = method === 'POST' ? Buffer.from(JSON.stringify(rest)) : undefined;
    const headers = await this.#authorization({ method, path, body });
    const url = new URL(path.slice(1), this.#base);
    const { signal = new AbortController().signal, timeoutMs } = options;
    const { status, text } = await exchange(url, { method, headers, signal, timeoutMs, ...(body && { body }) });
    const json = parseJson(text);
    if (status >= 400) throw this.#refusal(status, json);
    const answer = schemaOf(operation.result).safeParse(json);
    if (answer.success) return answer.data as Operations[N]['result'];
    throw this.#notOurs(status);
  }

  /** A list from its beginning to its end, page after page. @throws as `call` */
  async *pages<N extends ListName>(
    name: N,
    input: Operations[N]['input'],
    options: CallOptions = {},
  ): AsyncGenerator<Operations[N]['result'], void> {
    let asked: Operations[N]['input'] = input;
    for (let page = 1; page <= CLIENT_LIMITS.pages; page += 1) {
      const result = await this.call(name, asked, options);
      yield result;
      if (result.next === undefined) return;
      asked = { ...input, cursor: result.next };
    }
    const message = `expected a list of at most ${CLIENT_LIMITS.pages} pages of ${this.#base.origin}, got more`;
    throw new ClearinghouseError('CLEARINGHOUSE_BROKEN', message);
  }

  async #authorization(request: { method: string; path: string; body: Uint8Array | undefined }) {
    const { token, identity, account } = this.#init;
    if (token !== undefined) return { authorization: `Bearer ${token}` };
    if (identity === undefined) return {};
    const { method, path, body } = request;
    const audience = this.#base.href.replace(/\/$/, '');
    const signed = { audience, method, path, account, ...(body && { body }) };
    return { authorization: await signSiteRequest(identity, signed) };
  }

  #refusal(status: number, json: unknown): ClearinghouseError {
    const problem = problemSchema.safeParse(json);
    return problem.success ? refusalOf({ ...problem.data, status }) : this.#notOurs(status);
  }

  #notOurs(status: number): ClearinghouseError {
    const { origin } = this.#base;
    const message = `expected an answer of a clearinghouse at ${origin}, got something else with HTTP status ${status}`;
    return new ClearinghouseError('CLEARINGHOUSE_BROKEN', message, { details: { status } });
  }
}

/** What the path names goes into it, and of a question the rest behind the `?`. */
function pathOf({ method, path }: Operation, input: object): { path: string; rest: Record<string, unknown> } {
  const rest: Record<string, unknown> = { ...input };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (method === 'POST') return { path: filled, rest };
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return { path: query === '' ? filled : `${filled}?${query}`, rest: {} };
}

function schemaOf(result: object): z.ZodType {
  const known = schemas.get(result) ?? z.fromJSONSchema(result as Parameters<typeof z.fromJSONSchema>[0]);
  schemas.set(result, known);
  return known;
}
