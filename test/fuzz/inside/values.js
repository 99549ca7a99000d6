/**
 * Hostile values, by name. The same text runs in the vessel, where the calls get them, and outside, where the model
 * looks at its own copies: the two sides share the question and nothing of the answer.
 * @param watch `own` and `dead` (addresses), `touched` (how often a value's own code ran)
 */
export function makeValues(watch) {
  return {
    ...numbers(),
    ...texts(),
    ...names(),
    ...urls(),
    ...places(watch),
    ...bytes(),
    ...objects(),
    ...tricks(watch),
    ...options(watch),
  };
}

const { assign } = Object;
const values = (table) => Object.fromEntries(Object.entries(table).map(([name, value]) => [name, () => value]));

function numbers() {
  const plain = { zero: 0, one: 1, two: 2, negative: -1, minuszero: -0, half: 0.5, nan: NaN, infinite: Infinity };
  const large = { int31: 2 ** 31 - 1, int32: 2 ** 32, int53: 2 ** 53, huge: 1e308, tiny: 5e-324, port65536: 65536 };
  const edge = {
    hour: 3600,
    late: 1e9,
    toolate: 1e9 + 1,
    hourms: 3_600_000,
    toolong: 3600.5,
    mib1: 2 ** 20 + 1,
    seven: 7,
  };
  return values({ ...plain, ...large, ...edge, yes: true, no: false, undef: undefined, nul: null, big: 10n });
}

function texts() {
  return {
    ...values({
      a: 'a',
      empty: '',
      word: 'hello',
      accent: 'é',
      face: '😀',
      lone: '\ud800',
      lone2: 'a\udc00b',
      nil: '\0',
    }),
    ...values({
      space: ' ',
      mixed: 'aé😀\ud83d',
      digits: '28301',
      b64: 'aGk=',
      b64bad: 'a===',
      b64open: ' aG k',
      proto: '__proto__',
    }),
    long255: () => 'x'.repeat(255),
    long256: () => 'x'.repeat(256),
    udp: () => 'u'.repeat(65_507),
    udp1: () => 'u'.repeat(65_508),
    second: () => 'u'.repeat(9216),
    second1: () => 'u'.repeat(9217),
    udpwide: () => 'é'.repeat(32_753),
    udpwide1: () => 'é'.repeat(32_754),
    udplone1: () => '\udc00'.repeat(21_836),
    tcp1: () => 'x'.repeat(2 ** 20 + 1),
    tcpwide1: () => '😀'.repeat(2 ** 18 + 1),
  };
}

function urls() {
  const whole = [
    'http://a.b/c?d#e',
    'https://u:p@H:443/%7e/../x',
    'ftp://[::1]:21/',
    'data:,a b',
    'FILE:///C:/a/../b',
    'blob:https://a/b',
  ];
  const hosts = [
    'http://1.2.3/',
    'http://0x7f.1',
    'http://a b/',
    'http://é.b/',
    'http://a:65536/',
    'http://a:/',
    'http://%41.b',
    'http://a.b.',
  ];
  const relative = [
    '/p/./q',
    '?a=1&b=%zz',
    '#é',
    '//h/x',
    'x/../../y',
    ' \t/z\n',
    'x:y',
    '\\\\a\\b',
    'http:',
    'HTTP:\\a',
  ];
  const all = [...whole, ...hosts, ...relative].map((text, index) => [`url${index}`, text]);
  const digests = {
    sha1: 'SHA-1',
    sha256: 'sha-256',
    sha384: 'SHA-384',
    sha512: 'SHA-512',
    shaobject: { name: 'SHA-256' },
  };
  return values({ ...Object.fromEntries(all), ...digests, query: 'a=1&a=2&b=%C3%A9+x&&c' });
}

function names() {
  const right = { filea: 'a.txt', fileb: '-b', filec: 'c_9', file120: 'n'.repeat(120) };
  const wrong = { file121: 'n'.repeat(121), filedot: '.a', fileup: 'A', fileslash: '../a', filehidden: 'private_a' };
  return values({ ...right, ...wrong });
}

/** Ports and addresses: listed ones, one that is not, one where nobody listens, and what only looks like an address. */
function places(watch) {
  return {
    own: () => watch.own,
    dead: () => watch.dead,
    ...values({ p1: 28_301, p2: 28_302, p3: 28_303, unlisted: 28_999 }),
    ...values({
      foreign: '8.8.4.4',
      private: '10.1.2.3',
      metadata: '169.254.169.254',
      any: '0.0.0.0',
      cast: '224.0.0.1',
    }),
    ...values({ loop: '127.0.0.1', loop6: '::1', mapped: '::ffff:127.0.0.1', zone: 'fe80::1%lo', other: '127.9.9.9' }),
    ...values({ spaced: ' 127.0.0.1', cut: '127.0.0.1\0', over: '256.1.1.1' }),
  };
}

function bytes() {
  class Sub extends Uint8Array {}
  const classes = [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array];
  const others = [...classes, BigUint64Array, Float16Array, Float32Array, Float64Array];
  return {
    u0: () => new Uint8Array(0),
    u3: () => Uint8Array.of(0, 127, 255),
    uutf: () => Uint8Array.of(0xc3, 0xa9, 0xff, 0xe2, 0x82),
    usub: () => Sub.of(1, 2, 3),
    upart: () => new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2),
    ufake: () => Object.defineProperty(Uint8Array.of(1, 2), 'length', { value: 1e9 }),
    unamed: () => Object.defineProperty(Uint8Array.of(1, 2), Symbol.toStringTag, { value: 'Map' }),
    uproto: () => Object.create(Uint8Array.prototype),
    uproxy: () => new Proxy(Uint8Array.of(1, 2), {}),
    u65507: () => new Uint8Array(65_507).fill(200),
    u65508: () => new Uint8Array(65_508),
    utcp1: () => new Uint8Array(2 ** 20 + 1),
    u65537: () => new Uint8Array(65_537),
    buffer: () => Uint8Array.of(104, 105).buffer,
    view: () => new DataView(Uint8Array.of(104, 105).buffer, 1),
    ...Object.fromEntries(others.map((Class) => [Class.name.toLowerCase(), () => new Class(2)])),
  };
}

function objects() {
  const cyclic = () => {
    const self = { one: 1 };
    self.self = self;
    return self;
  };
  return {
    object: () => ({ a: 1 }),
    none: () => Object.create(null),
    array: () => [1, 'two', [3]],
    // biome-ignore lint/suspicious/noSparseArray: that is the point.
    sparse: () => [, 1, , 2],
    wide: () => Object.assign([], { length: 4_000_000 }),
    cyclic,
    date: () => new Date(0),
    baddate: () => new Date(NaN),
    map: () => new Map([[1, { a: 2 }]]),
    set: () => new Set([1, 'b']),
    regex: () => /a/g,
    promise: () => Promise.resolve(1),
    string: () => new String('127.0.0.1'),
    number: () => new Number(28_301),
    symbol: () => Symbol('s'),
    error: () => new RangeError('r'),
    fn: () => () => {},
    asyncfn: () => async () => {},
    bound: () => (() => {}).bind(null),
    fnproxy: () => new Proxy(() => {}, {}),
  };
}

/** Objects whose code runs when they are looked into: a call that only wants to know their kind must not. */
function tricks(watch) {
  const stop = () => {
    watch.touched += 1;
    throw assign(new RangeError('trap'), { name: 'Trap' });
  };
  const traps = Object.fromEntries(
    ['get', 'set', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'apply', 'construct'].map((name) => [
      name,
      stop,
    ]),
  );
  const seen = (value) => {
    watch.touched += 1;
    return value;
  };
  return {
    thrower: () => new Proxy({}, traps),
    revoked: () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
    // biome-ignore lint/suspicious/noThenProperty: that is the point.
    thenable: () => ({ then: (ok) => ok(seen(1)) }),
    totext: () => ({ toString: () => seen('127.0.0.1') }),
    tonumber: () => ({ valueOf: () => seen(28_301) }),
    toprimitive: () => ({ [Symbol.toPrimitive]: () => seen(1) }),
    tothrow: () => ({ toString: stop, valueOf: stop }),
    tagthrow: () => Object.defineProperty({}, Symbol.toStringTag, { get: stop }),
  };
}

function options(watch) {
  const stop = () => {
    watch.touched += 1;
    throw assign(new RangeError('trap'), { name: 'Trap' });
  };
  return {
    binary: () => ({ encoding: 'binary' }),
    utf8: () => ({ encoding: 'utf8' }),
    latin1: () => ({ encoding: 'latin1' }),
    encodingtrap: () => Object.defineProperty({}, 'encoding', { get: stop }),
    timeout1: () => ({ timeout: 1, encoding: 'binary' }),
    timeout0: () => ({ timeout: 0 }),
    timeoutnull: () => ({ timeout: null }),
    localhalf: () => ({ localport: 28_303 }),
    fatal: () => ({ fatal: true }),
    stream: () => ({ stream: true }),
  };
}
