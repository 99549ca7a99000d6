import { CALL_LIMITS, OP } from '../ops.ts';
import { invoke } from './bridge.ts';
import { fillParams, linkParams, needCount, URLSearchParams, webText } from './params.ts';
import { charCodeAt, parseJson, slice, typeError } from './primordials.ts';

/** The members that the host tells of a URL, in this order; see `OP.urlparse`. */
const PART = {
  href: 0,
  origin: 1,
  protocol: 2,
  username: 3,
  password: 4,
  host: 5,
  hostname: 6,
  port: 7,
  pathname: 8,
  search: 9,
  hash: 10,
} as const;
type Part = keyof typeof PART;
type Parts = readonly string[];

/** @returns the parts, or undefined for what is no URL or too long. */
function parse(url: string, base: string | undefined): Parts | undefined {
  const most = CALL_LIMITS.urlLength;
  if (url.length > most || (base !== undefined && base.length > most)) return undefined;
  const answer = invoke(OP.urlparse, url, base ?? '', base !== undefined) as string;
  return answer === '' ? undefined : (parseJson(answer) as Parts);
}

function parseGiven(given: readonly unknown[], call: string): Parts | undefined {
  needCount(given, 1, call);
  return parse(webText(given[0]), given[1] === undefined ? undefined : webText(given[1]));
}

function needParts(parts: Parts | undefined): Parts {
  if (parts === undefined)
    throw typeError(`expected a URL of at most ${CALL_LIMITS.urlLength} characters, got another text`);
  return parts;
}

/** What makes an object of parts that are known already. */
const MADE = {};

/** A URL, as the WHATWG URL Standard has it: parsed by the host, whose tables for names of hosts are large. */
export class URL {
  #parts: Parts;
  #params: URLSearchParams | undefined;

  constructor(...given: unknown[]) {
    this.#parts = given[0] === MADE ? (given[1] as Parts) : needParts(parseGiven(given, 'URL'));
  }

  static canParse(...given: unknown[]): boolean {
    return parseGiven(given, 'canParse') !== undefined;
  }

  static parse(...given: unknown[]): URL | null {
    const parts = parseGiven(given, 'parse');
    return parts === undefined ? null : new URL(MADE, parts);
  }

  get href(): string {
    return this.#get('href');
  }
  set href(value: unknown) {
    this.#parts = needParts(parse(webText(value), undefined));
    this.#refill();
  }
  get origin(): string {
    return this.#get('origin');
  }
  get protocol(): string {
    return this.#get('protocol');
  }
  set protocol(value: unknown) {
    this.#set('protocol', value);
  }
  get username(): string {
    return this.#get('username');
  }
  set username(value: unknown) {
    this.#set('username', value);
  }
  get password(): string {
    return this.#get('password');
  }
  set password(value: unknown) {
    this.#set('password', value);
  }
  get host(): string {
    return this.#get('host');
  }
  set host(value: unknown) {
    this.#set('host', value);
  }
  get hostname(): string {
    return this.#get('hostname');
  }
  set hostname(value: unknown) {
    this.#set('hostname', value);
  }
  get port(): string {
    return this.#get('port');
  }
  set port(value: unknown) {
    this.#set('port', value);
  }
  get pathname(): string {
    return this.#get('pathname');
  }
  set pathname(value: unknown) {
    this.#set('pathname', value);
  }
  get search(): string {
    return this.#get('search');
  }
  set search(value: unknown) {
    this.#set('search', value);
    this.#refill();
  }
  get hash(): string {
    return this.#get('hash');
  }
  set hash(value: unknown) {
    this.#set('hash', value);
  }

  /** Always the same list; a change of it is one of the URL, and the other way. */
  get searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams();
      this.#refill();
      linkParams(this.#params, (text) => this.#set('search', text));
    }
    return this.#params;
  }

  toString(): string {
    return this.#get('href');
  }

  toJSON(): string {
    return this.#get('href');
  }

  get [Symbol.toStringTag](): string {
    return 'URL';
  }

  #get(part: Part): string {
    return this.#parts[PART[part]] ?? '';
  }

  #set(part: Part, value: unknown): void {
    const text = webText(value);
    const href = this.#get('href');
    const most = CALL_LIMITS.urlLength;
    if (text.length > most || href.length > most) throw typeError(`expected at most ${most} characters, got more`);
    this.#parts = parseJson(invoke(OP.urlset, href, PART[part], text) as string) as Parts;
  }

  #refill(): void {
    const search = this.#get('search');
    if (this.#params !== undefined) fillParams(this.#params, charCodeAt(search, 0) === 63 ? slice(search, 1) : search);
  }
}
