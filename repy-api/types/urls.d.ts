// #region URLs
// As the web has them. What they refuse is a `TypeError` of the language, for that is how the web has it.

/**
 * A URL, by the WHATWG URL Standard: each part can be read and, but for `origin`, set; what cannot be is let be. A URL,
 * its base and each new value have at most 65536 characters.
 * @throws TypeError it is none, also together with the base
 * @example
 * const url = new URL('../b?c=1#d', 'http://ada@example.org:8080/x/a');
 * log(url.href, url.host, url.pathname, '\n'); // logs: http://ada@example.org:8080/b?c=1#d example.org:8080 /b
 */
declare class URL {
  constructor(url: string | URL, base?: string | URL);
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  /** Always the same list: a change of it changes the URL, and the other way. */
  readonly searchParams: URLSearchParams;
  /**
   * Its `href`.
   * @example
   * log(new URL('http://example.org').toString(), '\n'); // logs: http://example.org/
   */
  toString(): string;
  /**
   * Its `href`, so that JSON holds it.
   * @example
   * log(new URL('http://example.org').toJSON(), '\n'); // logs: http://example.org/
   */
  toJSON(): string;
  /**
   * Whether it is a URL.
   * @example
   * log(URL.canParse('example.org'), URL.canParse('b', 'http://example.org'), '\n'); // logs: false true
   */
  static canParse(url: string | URL, base?: string | URL): boolean;
  /**
   * The URL, or null.
   * @example
   * log(URL.parse('HTTP://example.org')?.protocol, URL.parse('example.org'), '\n'); // logs: http: null
   */
  static parse(url: string | URL, base?: string | URL): URL | null;
}

/**
 * The part of a URL after `?`, or a form: names and values in their order. Made of a text, of pairs, or of an object.
 * @throws TypeError something else than pairs
 * @example
 * const params = new URLSearchParams({ name: 'Ada L.', 'a&b': '1' });
 * log(params.toString(), '\n'); // logs: name=Ada+L.&a%26b=1
 */
declare class URLSearchParams implements Iterable<[name: string, value: string]> {
  constructor(init?: string | Iterable<readonly [name: string, value: string]> | Readonly<Record<string, string>>);
  readonly size: number;
  /**
   * Adds one more.
   * @example
   * const params = new URLSearchParams('a=1');
   * params.append('a', '2');
   * log(params.toString(), '\n'); // logs: a=1&a=2
   */
  append(name: string, value: string): void;
  /**
   * Takes all of a name away, or only those with this value.
   * @example
   * const params = new URLSearchParams('a=1&a=2&b=3');
   * params.delete('a', '1');
   * log(params.toString(), '\n'); // logs: a=2&b=3
   */
  delete(name: string, value?: string): void;
  /**
   * The first value of a name, or null.
   * @example
   * log(new URLSearchParams('a=1&a=2').get('a'), '\n'); // logs: 1
   */
  get(name: string): string | null;
  /**
   * All values of a name.
   * @example
   * log(new URLSearchParams('a=1&b=2&a=3').getAll('a'), '\n'); // logs: ["1", "3"]
   */
  getAll(name: string): string[];
  /**
   * Whether a name is there, or a name with this value.
   * @example
   * log(new URLSearchParams('a=1').has('a'), new URLSearchParams('a=1').has('a', '2'), '\n'); // logs: true false
   */
  has(name: string, value?: string): boolean;
  /**
   * Gives a name one value.
   * @example
   * const params = new URLSearchParams('a=1&b=2&a=3');
   * params.set('a', '4');
   * log(params.toString(), '\n'); // logs: a=4&b=2
   */
  set(name: string, value: string): void;
  /**
   * Sorts by names, in UTF-16 units; what has the same name stays in its order.
   * @example
   * const params = new URLSearchParams('b=1&a=2&b=0');
   * params.sort();
   * log(params.toString(), '\n'); // logs: a=2&b=1&b=0
   */
  sort(): void;
  /**
   * Calls a function with each value and its name.
   * @throws TypeError not a function
   * @example
   * new URLSearchParams('a=1').forEach((value, name) => log(name, value, '\n')); // logs: a 1
   */
  forEach(fn: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void;
  /**
   * Names and values, as iterating over it gives them.
   * @example
   * for (const [name, value] of new URLSearchParams('a=1').entries()) log(name, value, '\n'); // logs: a 1
   */
  entries(): IteratorObject<[name: string, value: string]>;
  /**
   * Names.
   * @example
   * log([...new URLSearchParams('a=1&b=2').keys()], '\n'); // logs: ["a", "b"]
   */
  keys(): IteratorObject<string>;
  /**
   * Values.
   * @example
   * log([...new URLSearchParams('a=1&b=2').values()], '\n'); // logs: ["1", "2"]
   */
  values(): IteratorObject<string>;
  /**
   * As it stands in a URL.
   * @example
   * log(new URLSearchParams([['q', 'ü ?']]).toString(), '\n'); // logs: q=%C3%BC+%3F
   */
  toString(): string;
  [Symbol.iterator](): IteratorObject<[name: string, value: string]>;
}
// #endregion
