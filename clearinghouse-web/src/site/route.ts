import type { GatewayAddress, Scope } from '@potluck/protocol';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Bus } from '../bus/bus.ts';
import type { PortalCode, PortalError } from '../errors.ts';
import type { Answered } from '../metrics.ts';
import type { PasswordCost } from '../password.ts';
import type { Queue } from '../queue.ts';
import type { Account } from '../store/accounts.ts';
import type { Store } from '../store/store.ts';
import type { Token } from '../store/tokens.ts';

/** What every route works with. */
export interface SiteComponents {
  readonly store: Store;
  /** News for live pages: `subscribe('vessel.changed', ...)`; publish what a route has changed. */
  readonly bus: Bus;
  readonly queue: Queue;
  readonly logger: Logger;
}

export interface SiteFacts {
  /** Where people reach the site; no slash at the end. */
  readonly publicUrl: () => string;
  readonly gateway: () => GatewayAddress;
  /** Whether this site's backend runs. */
  readonly backendRuns: () => boolean;
  /** Beside those of this machine, which proxies are believed when they say who asks. */
  readonly proxies: readonly string[];
  /** The file that archives are built from, if there is one. */
  readonly payload: string | undefined;
  /** Of passwords that are set from now on. */
  readonly passwordCost: PasswordCost;
  /** Is told of each request that was answered. */
  readonly onAnswered?: ((answered: Answered) => void) | undefined;
}

/** One request, with what is known about who asks. */
export interface Visit extends SiteComponents, SiteFacts {
  /** Counts a large answer of so many bytes, before it is sent. @throws PortalError TOO_MANY_REQUESTS */
  readonly weigh: (request: Request, bytes: number) => void;
  readonly request: Request;
  readonly response: Response;
  readonly account: Account | undefined;
  /** The cookie's value; of nobody in particular before the log-in. */
  readonly sessionToken: string;
  /** When a program has signed it: no cookie counts then. */
  readonly signed: Signed | undefined;
  /** When a program has shown it: no cookie counts then. */
  readonly token: Token | undefined;
}

/** A request that the account's key has signed. */
export interface Signed {
  /** To be called once, before the request is carried out. @throws PortalError REPLAYED */
  claim(): Promise<void>;
}

export interface Page {
  /** Name of the template. */
  readonly view: string;
  readonly title: string;
  readonly data?: object;
}

/** What a route answers: `json` for programs, `page` or `redirect` for people. */
export interface Answer {
  readonly status?: number;
  readonly json: unknown;
  readonly page?: Page;
  readonly redirect?: string;
  /** For a list that goes on: the cursor that asks for the rest, see `paging.ts`. It stands in `json.next` and in `Link`. */
  readonly next?: string | undefined;
}

export interface Route<B, Q = unknown> {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** One line for the reference of the API. */
  readonly summary?: string;
  /** `admin`: users whose role it is; the check is the same for pages, programs and signatures. */
  readonly access: 'anyone' | 'user' | 'admin';
  /** What an API token must be for; without one the route takes no token. */
  readonly scope?: Scope;
  /** Only for somebody in a browser: not for what a signature or a token could do without its user. */
  readonly inPerson?: true;
  /** Which limit on attempts it falls under. */
  readonly limit?: 'register';
  readonly body: z.ZodType<B>;
  /** What may stand behind the `?`; anything is let pass and not looked at unless given. */
  readonly query?: z.ZodType<Q>;
  /** It answers when the database does not, too: nobody is known then. */
  readonly always?: true;
  /** With what it refuses, beyond what every route of its access does. */
  readonly problems?: readonly PortalCode[];
  /** What a program is answered; every answer in the tests is checked against it. */
  readonly result?: z.ZodType;
  /** The HTTP status when all went well; 200 unless given. */
  readonly success?: 201;
  /** For what answers no JSON: the media type. */
  readonly produces?: string;
  /** `undefined` when it has written the response itself. */
  handle(visit: Visit, body: B, query: Q): Promise<Answer | undefined>;
  /** The page to show instead of the general one when it is refused. */
  refused?(visit: Visit, error: PortalError, entered: Readonly<Record<string, unknown>>): Promise<Page>;
}

/** An account that is known to be there, as `access: 'user'` and `'admin'` make sure. */
export type Member = Visit & { readonly account: Account };
