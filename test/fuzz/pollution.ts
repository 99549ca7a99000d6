/**
 * What a program may do to its own realm before it calls. None of it may change what a call does: the code around a
 * program took what it needs before. Each is a statement; `spy(...)` looks whether something of another realm came by.
 */
const throwing = (owner: string, names: readonly string[]): string =>
  names
    .map((name) => {
      const key = name.startsWith('Symbol.') ? `[${name}]` : `.${name}`;
      return `${owner}${key} = function (...given) { spy(this, ...given); throw 'spoiled ${name}'; };`;
    })
    .join('\n');

/** Accessors on `Object.prototype` that any careless look-up or assignment meets. */
const accessors = (names: readonly string[]): string =>
  names
    .map(
      (name) => `Object.defineProperty(Object.prototype, ${name}, { __proto__: null, configurable: true,
        get() { spy(this); return undefined; }, set(value) { spy(this, value); throw 'spoiled set'; } });`,
    )
    .join('\n');

const ARRAY = [
  'push',
  'pop',
  'shift',
  'unshift',
  'splice',
  'slice',
  'map',
  'forEach',
  'join',
  'concat',
  'Symbol.iterator',
];
const STRING = [
  'slice',
  'charCodeAt',
  'split',
  'replace',
  'indexOf',
  'startsWith',
  'endsWith',
  'trim',
  'at',
  'Symbol.iterator',
];
const COLLECTION = ['get', 'set', 'has', 'delete', 'forEach', 'clear', 'Symbol.iterator'];
const DESCRIPTOR = ["'get'", "'set'"];
const FIELDS = ["'then'", "'0'", "'1'", "'length'", "'encoding'", "'timeout'", "'localip'", "'code'", "'cause'"];
const MORE = [
  "'value'",
  "'done'",
  "'sock'",
  "'writable'",
  "'constructor2'",
  "'fn'",
  "'args'",
  "'web'",
  'Symbol.asyncIterator',
  'Symbol.toPrimitive',
];

export const POLLUTIONS: Readonly<Record<string, string>> = {
  arrays: throwing('Array.prototype', ARRAY),
  strings: throwing('String.prototype', STRING),
  maps: `${throwing('Map.prototype', COLLECTION)}\n${throwing('Set.prototype', ['add', 'has', 'forEach', 'delete'])}`,
  promises: `${throwing('Promise.prototype', ['then', 'catch', 'finally'])}
    ${throwing('Promise', ['resolve', 'reject', 'all', 'race', 'withResolvers'])}`,
  functions: throwing('Function.prototype', ['call', 'apply', 'bind', 'toString']),
  reflect: `${throwing('Reflect', ['apply', 'construct', 'ownKeys', 'get'])}
    ${throwing('Object', ['keys', 'create', 'defineProperty', 'freeze', 'getPrototypeOf', 'entries', 'assign'])}`,
  statics: `${throwing('Number', ['isInteger', 'isFinite', 'isNaN'])} ${throwing('Array', ['isArray', 'from', 'of'])}
    ${throwing('JSON', ['parse', 'stringify'])} ${throwing('String', ['fromCharCode', 'raw'])} ${throwing('Math', ['min', 'max', 'floor'])}`,
  bytes: `const typed = Object.getPrototypeOf(Uint8Array.prototype);
    ${throwing('typed', ['subarray', 'set', 'slice', 'fill', 'Symbol.iterator'])}
    Object.defineProperty(typed, 'byteLength', { get() { spy(this); throw 'spoiled'; } });
    Object.defineProperty(typed, 'buffer', { get() { spy(this); throw 'spoiled'; } });`,
  errors: `Error.prepareStackTrace = (error, sites) => { for (const site of sites) spy(site.getThis(), site.getFunction()); return error; };
    Error.captureStackTrace = () => { throw 'spoiled'; };`,
  numbered: `Object.defineProperty(Array.prototype, '0', { get() { return 'spoiled'; }, set(value) { spy(this, value); throw 'spoiled'; } });
    Object.defineProperty(Array.prototype, '1', { get() { return 'spoiled'; }, set(value) { spy(this, value); throw 'spoiled'; } });`,
  descriptors: accessors(DESCRIPTOR).replaceAll('return undefined', 'return () => {}'),
  fields: accessors(FIELDS),
  more: accessors(MORE),
  frozen:
    'for (const one of [Object, Array, Function, Promise, Error, Map, Uint8Array, String]) { Object.freeze(one.prototype); Object.freeze(one); }',
  globals: `for (const name of ['Promise', 'Uint8Array', 'Array', 'Map', 'Set', 'Error', 'String', 'Object', 'Symbol', 'Reflect', 'JSON', 'Number',
    'log', 'exitall', 'RepyArgumentError', 'RepyError', 'undefinedname']) globalThis[name] = undefined;`,
  orphans:
    'Object.setPrototypeOf(Array.prototype, null); Object.setPrototypeOf(Promise.prototype, null); Object.setPrototypeOf(String.prototype, null);',
  species: `for (const Class of [Array, Map, Object.getPrototypeOf(Uint8Array)])
    Object.defineProperty(Class, Symbol.species, { get() { spy(this); throw 'spoiled'; } });`,
  text: `${throwing('Object.prototype', ['toString', 'valueOf', 'hasOwnProperty'])} ${throwing('Number.prototype', ['toString', 'valueOf'])}
    ${throwing('RegExp.prototype', ['exec', 'test'])}`,
};
