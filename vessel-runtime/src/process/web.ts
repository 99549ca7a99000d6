import { createHash, type Hash } from 'node:crypto';
import { CALL_LIMITS, OP } from '@potluck/repy-api';
import { CallFailure } from './failure.ts';
import type { Primitive } from './world.ts';

/** Where a URL may become longer than this no more is made of it: a character may take nine when it is escaped. */
const MOST_HREF = CALL_LIMITS.urlLength * 9;

/** What may be set, by its number in the list that `partsOf` makes. */
const SETTABLE = {
  2: 'protocol',
  3: 'username',
  4: 'password',
  5: 'host',
  6: 'hostname',
  7: 'port',
  8: 'pathname',
  9: 'search',
  10: 'hash',
} as const;

/** Names as the web has them, in capitals. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
]);

/** What the web has and what the host does better: its tables for hosts' names, its hashes. */
export function web(): Record<number, (...args: never[]) => Primitive> {
  return { ...urls(), ...digests() };
}

function urls(): Record<number, (...args: never[]) => Primitive> {
  return {
    [OP.urlparse]: (url: string, base: string, hasBase: boolean) => {
      if (url.length > CALL_LIMITS.urlLength || base.length > CALL_LIMITS.urlLength) return '';
      const parsed = URL.parse(url, hasBase ? base : undefined);
      return parsed === null ? '' : partsOf(parsed);
    },
    [OP.urlset]: (href: string, part: number, value: string) => {
      const name = SETTABLE[part as keyof typeof SETTABLE];
      const parsed = href.length > CALL_LIMITS.urlLength ? null : URL.parse(href);
      if (name === undefined || parsed === null || value.length > CALL_LIMITS.urlLength) {
        throw new CallFailure('RepyArgumentError', 'expected a URL, one of its parts and a value, got something else');
      }
      parsed[name] = value;
      return partsOf(parsed);
    },
  };
}

function partsOf(url: URL): string {
  if (url.href.length > MOST_HREF)
    throw new CallFailure('RepyArgumentError', 'expected a shorter URL, got a longer one');
  const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = url;
  return JSON.stringify([href, origin, protocol, username, password, host, hostname, port, pathname, search, hash]);
}

/** One digest at a time: the code inside makes all three steps of one at a stretch. */
function digests(): Record<number, (...args: never[]) => Primitive> {
  let hash: Hash | undefined;
  const current = (): Hash => {
    if (hash !== undefined) return hash;
    throw new CallFailure('RepyArgumentError', 'expected a digest that has begun, got none');
  };
  return {
    [OP.digestbegin]: (algorithm: string) => {
      const name = ALGORITHMS.get(algorithm.slice(0, 16).toUpperCase());
      if (name === undefined) {
        const known = [...ALGORITHMS.keys()].join(', ');
        throw new CallFailure('RepyArgumentError', `expected one of ${known}, got "${algorithm.slice(0, 16)}"`);
      }
      hash = createHash(name);
      return 1;
    },
    [OP.digestadd]: (data: string) => {
      current().update(data, 'latin1');
      return 1;
    },
    [OP.digestend]: () => {
      const digest = current().digest('latin1');
      hash = undefined;
      return digest;
    },
  };
}
