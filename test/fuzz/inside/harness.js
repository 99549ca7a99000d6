/* global makeValues, programs, pollute */
// Runs the programs one after another and writes one line for each step. All it needs of the language it takes now:
// what follows may replace anything.
const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor } = Reflect;
const { setPrototypeOf } = Object;
const [OWN, DEAD] = callargs;
const API = {};
for (const name of ownKeys(globalThis)) API[name] = globalThis[name];
const isArray = Array.isArray;
const ownNames = Object.keys;
const tag = (value) => apply(toTag, value, []);
const toTag = Object.prototype.toString;
const SafePromise = Promise;
const text = String;
const Bytes = Uint8Array;
const imul = Math.imul;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const then = uncurry(Promise.prototype.then);
const charCodeAt = uncurry(String.prototype.charCodeAt);
const indexOf = uncurry(String.prototype.indexOf);
const slice = uncurry(String.prototype.slice);
const typedName = uncurry(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get);
const isError = Error.isError ?? ((value) => value instanceof Error);
const asyncIterator = Symbol.asyncIterator;
const ObjectPrototype = Object.prototype;
const BEAT_PORTS = [28_300, 28_304];
const MARKS = ['node:', 'file:', '.mjs', '.ts:', '/tmp', '/usr', '/home', '/root', 'node_modules', 'isolated-vm'];

const watch = { own: OWN, dead: DEAD, touched: 0 };
const factories = makeValues(watch);
/** Made before anything is replaced: their own making needs the language too. */
const V = { __proto__: null };
const makeAll = pollute !== undefined;
for (const key of ownKeys(factories)) {
  const value = makeAll ? factories[key]() : undefined;
  V[key] = makeAll ? () => value : factories[key];
}
const write = API.log;
const line = (words) => write(`\n@ ${words}\n`);

/** Promises that have not settled. */
let waiting = 0;
let wake = () => {};
const beats = [API.recvmess(OWN, BEAT_PORTS[0], () => wake()), API.recvmess(OWN, BEAT_PORTS[1], () => wake())];
let side = 0;
/**
 * One turn of the process's loop: what was on its way when two of them began has arrived when they end. To two sockets by
 * turns: a socket that is sent to while it is read is read on, and the others wait.
 */
const turn = () =>
  new SafePromise((resolve) => {
    wake = resolve;
    side = 1 - side;
    API.sendmess(OWN, side === 0 ? BEAT_PORTS[0] : BEAT_PORTS[1], '');
  });

function hash(value, length) {
  let sum = 0x811c9dc5;
  const isText = typeof value === 'string';
  for (let at = 0; at < length; at++) sum = imul(sum ^ (isText ? charCodeAt(value, at) : value[at]), 0x01000193);
  return sum >>> 0;
}

function name(value) {
  if (typeof value === 'string') return `s${value.length}:${hash(value, value.length)}`;
  if (typeof value === 'number' && value === 0 && 1 / value < 0) return '-0';
  if (typeof value !== 'object' || value === null) return typeof value === 'symbol' ? 'symbol' : text(value);
  if (typedName(value) === 'Uint8Array') return `b${value.length}:${hash(value, value.length)}`;
  return 'object';
}

/** Says which error it is, and whether it tells more of the machine than it should. */
function fault(error) {
  if (typeof error !== 'object' || error === null) return `thrown ${name(error)}`;
  const proper = isError(error) && typeof error.message === 'string';
  const { stack = '', message = '', code } = error;
  let leak = '';
  for (let at = 0; at < MARKS.length; at++) {
    if (indexOf(`${stack}${message}`, MARKS[at]) >= 0) leak = ` leak ${slice(`${stack}`, 0, 600)}`;
  }
  const own = code !== undefined && indexOf(message, 'expected') < 0 ? ` unclear ${message}` : '';
  return `${proper ? error.name : 'no Error'}${code === undefined ? '' : ` ${code}`}${own}${leak}`;
}

/** An object of another realm would be a way out. */
function foreign(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return '';
  let at = value;
  for (let depth = 0; depth < 10; depth++) {
    const up = getPrototypeOf(at);
    if (up === null) return at === ObjectPrototype || at === value ? '' : ' foreign';
    at = up;
  }
  return '';
}

const list = ({ made }, kind) => (made[kind] ??= { __proto__: null, length: 0 });

function scope() {
  // Tables without a prototype: a program's own setter for '0' would be asked otherwise.
  const made = { __proto__: null };
  let heard = '';
  let release = () => {};
  const held = new SafePromise((resolve) => {
    release = resolve;
  });
  const h = {
    made,
    release,
    hold: () => held,
    mess: (_ip, _port, message) => {
      heard += ` ${name(message)}`;
    },
    conn: (_ip, _port, sock) => h.keep('server', sock),
    keep: (kind, value) => {
      const all = list(h, kind);
      all[all.length++] = value;
      return 'handle';
    },
    pick: (kind, slot) => list(h, kind)[slot % list(h, kind).length],
    /** Messages that functions heard since the last question. */
    heard: () => {
      const all = heard;
      heard = '';
      return all;
    },
    /** A copy and its original, as one text that tells both apart from what is near them. */
    describeClone: (value) => {
      const copy = API.structuredClone(value);
      const part = (one) => (typeof one === 'object' && one !== null ? ownNames(one).length : typeof one);
      return `${tag(copy)}${copy === value}${part(copy)}${copy?.self === copy}${copy?.size ?? ''}${copy?.byteLength ?? ''}`;
    },
    bytes: async (coming) => new Bytes(await coming),
    /** The names in a list that comes, as one text. */
    joined: async (coming) => {
      const all = await coming;
      let text = '';
      for (let at = 0; at < all.length; at++) text += at === 0 ? all[at] : `,${all[at]}`;
      return text;
    },
    /** Resolves with what the callback gets. */
    soon: (begin) => new SafePromise((resolve) => begin((value) => resolve(value))),
  };
  return h;
}

function resultOf(value, makes, h) {
  const odd = foreign(value);
  if (typeof value === 'object' && value !== null && isArray(value) && value.length === 3)
    return resultOf(value[2], 'server', h) + odd;
  if (typeof value === 'object' && value !== null && typeof value.done === 'boolean') {
    return value.done ? 'done' : resultOf(value.value.sock ?? value.value.message, 'server', h);
  }
  const named = name(value);
  if (makes !== '' && value !== undefined && (named === 'object' || makes === 'web')) return h.keep(makes, value) + odd;
  return named + odd;
}

const isPromise = (value) =>
  typeof value === 'object' && value !== null && getPrototypeOf(value) === SafePromise.prototype;

/** @returns what became of a promise, or '...' when nothing did within the time. */
async function settle(promise, { makes, patience }, h, late) {
  let out;
  const done = (kind) => (value) => {
    waiting -= 1;
    const result = kind === '~' ? `~ ${resultOf(value, makes, h)}` : `~! ${fault(value)}`;
    if (out === undefined) out = result;
    else late(result);
  };
  waiting += 1;
  then(promise, done('~'), done('!'));
  const from = API.getruntime();
  for (let round = 0; out === undefined && (round < 4 || API.getruntime() < from + patience); round++) await turn();
  out ??= '...';
  return out;
}

async function step(place, about, h, late) {
  if (about.on !== '' && list(h, about.on).length === 0) return { __proto__: null, out: 'skip', busy: 0 };
  const before = watch.touched;
  const from = API.getruntime();
  let out;
  let value;
  try {
    value = about.run(h);
    out = isPromise(value) ? undefined : `= ${resultOf(value, about.makes, h)}`;
  } catch (error) {
    out = `! ${fault(error)}`;
  }
  const busy = API.getruntime() - from;
  out ??= await settle(value, about, h, (result) => late(place, result));
  await turn();
  await turn();
  const touched = watch.touched === before ? '' : ' touched';
  return { __proto__: null, out: `${out}${touched}`, busy };
}

function usage() {
  const { events, insockets, filesopened } = API.getresources().usage;
  return `${events} ${insockets - 2} ${filesopened}`;
}

async function runProgram(index, steps) {
  const h = scope();
  let later = '';
  waiting = 0;
  const late = (place, result) => {
    later += `|${place} ${result}`;
  };
  for (let place = 0; place < steps.length; place++) {
    const { out, busy } = await step(place, steps[place], h, late);
    line(`${index}\t${place}\t${out}\t${usage()}\t${later}\t${h.heard()}\t${busy}`);
    later = '';
  }
  for (let round = 0; round < 2 || (waiting > 0 && round < 50); round++) await turn();
  const last = `${later}\t${h.heard()}`;
  await tidy(h);
  line(`${index}\tend\t${usage()}\t${API.getresources().usage.outsockets}\t${last}`);
}

/** Closes all that the program made; then nothing may be held any more. */
async function tidy(h) {
  const { made } = h;
  h.release();
  const quietly = (run) => {
    try {
      run();
    } catch {}
  };
  const each = (kind, run) => {
    for (let at = 0; at < (made[kind]?.length ?? 0); at++) quietly(() => run(made[kind][at]));
  };
  each('timer', (timer) => API.canceltimer(timer));
  each('web', (timer) => API.clearTimeout(timer));
  const close = (one) => one.close();
  each('client', close);
  each('server', close);
  each('udp', close);
  each('udps', close);
  each('tcp', close);
  each('tcps', close);
  for (let at = 0; at < (made.tcp?.length ?? 0); at++) await drain(made.tcp[at], h);
  each('server', close);
  for (let at = 0; at < list(h, 'file').length; at++) await then(list(h, 'file')[at].close(), nothing, nothing);
  await removeFiles();
  const from = API.getruntime();
  while (busyStill() && API.getruntime() < from + 3) await turn();
}

const nothing = () => {};

async function removeFiles() {
  const left = await API.listfiles();
  for (let at = 0; at < left.length; at++) await API.removefile(left[at]);
}

async function drain(listener, h) {
  let iterator;
  try {
    iterator = listener[asyncIterator]();
  } catch {
    return;
  }
  for (let seen = await iterator.next(); !seen.done; seen = await iterator.next()) h.keep('server', seen.value.sock);
}

function busyStill() {
  const { events, insockets, outsockets, filesopened } = API.getresources().usage;
  return events > 1 || insockets > 2 || outsockets > 0 || filesopened > 0;
}

function globals() {
  let all = '';
  const keys = ownKeys(globalThis);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at];
    const about = setPrototypeOf(getOwnPropertyDescriptor(globalThis, key), null);
    const { value, get, set, writable, enumerable, configurable } = about;
    all += ` ${text(key)}${value === API[key] ? '' : '!'}${get ?? set ?? ''}${writable}${enumerable}${configurable}`;
  }
  return hash(all, all.length);
}

/** For what replaced things saw: nothing of another realm may come by. */
let escaped = '';
const spy = (...seen) => {
  for (let at = 0; at < seen.length; at++) if (foreign(seen[at]) !== '') escaped = ' escaped';
};

pollute?.(spy);
const world = globals();
let index = 0;
// What one program leaves behind, the next would be blamed for.
for (; index < programs.length && !busyStill(); index++) await runProgram(index, programs[index]);
line(`all\t${globals() === world ? 'same' : 'other'}${escaped}\t${index}`);
beats[0].close();
beats[1].close();
API.exitall();
