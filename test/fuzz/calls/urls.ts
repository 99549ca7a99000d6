import { createHash } from 'node:crypto';
import type { Call } from '../grammar.ts';
import { nameOf, refuse } from '../world.ts';
import { like } from './web.ts';

/** URLs and digests: the model is Node's own. */
const URLS = Array.from({ length: 24 }, (_, index) => `url${index}`);
const ODD = ['a', 'empty', 'nil', 'lone', 'accent', 'own', 'loop6', 'totext', 'one', 'nul', 'symbol', 'tothrow'];
const ALGORITHMS = ['sha1', 'sha256', 'sha384', 'sha512', 'shaobject', 'word', 'nul', 'thrower'];
const BYTES = [
  'u0',
  'u3',
  'uutf',
  'usub',
  'upart',
  'ufake',
  'buffer',
  'view',
  'float64array',
  'u65537',
  'a',
  'nul',
  'uproxy',
];

const parts = (url: URL): string =>
  `${url.href} ${url.origin} ${url.protocol} ${url.username} ${url.password} ${url.host} ${url.pathname} ${url.search} ${url.hash}`;
const PARTS = `((url) => \`${parts.toString().match(/`(.*)`/s)?.[1]}\`)`;

const pairs = (text: unknown): string => {
  const all = new URLSearchParams(text as string);
  all.append('é ', '+&=');
  all.sort();
  return `${all} ${all.get('a')} ${all.getAll('a').length} ${all.has('b')}`;
};

export const URLS_AND_DIGESTS: readonly Call[] = [
  {
    name: 'URL',
    weight: 6,
    touches: true,
    fixed: 1,
    args: [
      [...URLS, ...URLS, ...ODD],
      ['undef', ...URLS],
    ],
    never: ['undef', 'thrower', 'revoked', 'tagthrow'],
    text: (args) => `${PARTS}(new API.URL(${args.join(', ')}))`,
    model: like((...args) => parts(new URL(...(args as [string, string])))),
  },
  {
    name: 'URLSearchParams',
    weight: 3,
    touches: true,
    fixed: 1,
    args: [[...URLS, 'query', 'a', 'empty', 'nil', 'lone', 'accent', 'mixed']],
    text: ([text]) =>
      `((all) => { all.append('é ', '+&='); all.sort(); return all + ' ' + all.get('a') + ' ' + all.getAll('a').length + ' ' + all.has('b'); })(new API.URLSearchParams(${text}))`,
    model: like(pairs),
  },
  {
    name: 'digest',
    weight: 3,
    promises: true,
    touches: true,
    fixed: 2,
    args: [ALGORITHMS, BYTES],
    text: (args) => `h.bytes(API.crypto.subtle.digest(${args.join(', ')}))`,
    model: (_, [algorithm, data]) => {
      const known = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
      const name = typeof algorithm === 'string' ? algorithm : (algorithm as { name?: string } | null);
      const given = typeof name === 'string' ? name : safeName(name);
      const buffer = ArrayBuffer.isView(data) || data instanceof ArrayBuffer;
      if (!known.includes(`${given}`.toUpperCase()) || !buffer) return (actual) => actual.startsWith('~! ');
      const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data as ArrayBuffer);
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      return `~ ${nameOf(new Uint8Array(createHash(`${given}`.replace('-', '').toLowerCase()).update(bytes).digest()))}`;
    },
  },
];

function safeName(algorithm: { name?: string } | null): string {
  try {
    return `${algorithm?.name}`;
  } catch {
    return refuse('Trap');
  }
}
