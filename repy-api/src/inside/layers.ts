import { type Contract, checked } from './contracts.ts';
import { argumentError, errorOf } from './errors.ts';
import { isPlain } from './kinds.ts';
import { iterateLater } from './network.ts';
import { FLAG, flag } from './ports.ts';
import { randomNow } from './random.ts';
import type { World } from './realm.ts';
import { FAMILIES } from './shapes.ts';
import { openWorld } from './worlds.ts';

/**
 * The layers of a program, from the one next to the API to the program itself: each in a realm of its own, with the calls
 * as the layers below have left them. When there are layers, nothing but this code runs in the realm of the API.
 */
type Names = Record<string, unknown>;
type Calling = (...args: unknown[]) => unknown;

let names: Names | undefined;
let random: Calling = (bytes) => randomNow(bytes as number);
let layer: { readonly name: string; readonly changes: Map<string, Calling> } | undefined;

/** Calls whose failures end nothing when nobody awaits them. */
const FORGIVEN = ['sendmess', 'sendmessage'];

/** A listener or connection that a layer made is stopped by its own `close`. */
function stopAny(stopcomm: Calling): Calling {
  return (handle) => {
    const made = typeof handle === 'object' && handle !== null && isPlain(handle) && Object.hasOwn(handle, 'close');
    return made ? (handle as { close: Calling }).close() : stopcomm(handle);
  };
}

/**
 * Makes the world of the next layer, or of the program: the host runs its code there.
 * @param name '' of the program
 * @param api what the lowest layer gets
 */
export function raise(name: string, callargs: readonly string[], api: Readonly<Names>): void {
  names ??= { ...api, stopcomm: stopAny(api.stopcomm as Calling) };
  const world: World = { names, random, callargs: name === '' ? callargs : [] };
  if (name === '') {
    openWorld(world);
    return;
  }
  const raised = { name, changes: new Map<string, Calling>() };
  layer = raised;
  openWorld({ ...world, layer: { wrap: (...given) => wrap(raised, given), forbid: (what) => forbid(raised, what) } });
}

/** The layer's body has run: what it changed is what the next one gets. */
export function settleLayer(): void {
  if (layer === undefined) return;
  const { name, changes } = layer;
  layer = undefined;
  const above: Names = { ...names };
  for (const [what, call] of changes) above[what] = call;
  for (const family of FAMILIES) {
    const changed = family.find((what) => changes.has(what));
    for (const what of family) {
      if (changed !== undefined && !changes.has(what) && what in above) above[what] = refusing(name, what, changed);
    }
  }
  names = above;
  if (changes.has('randombytes')) random = refusing(name, 'crypto', 'randombytes');
}

type Layer = NonNullable<typeof layer>;

function needChange(changing: Layer, what: unknown): string {
  if (changing !== layer) throw argumentError('changes while the layer begins, before it first awaits', 'a later one');
  if (typeof what !== 'string' || !Object.hasOwn(names ?? {}, what)) throw argumentError('the name of a call', what);
  if (changing.changes.has(what)) throw argumentError(`one change of ${what} in one layer`, 'another');
  return what;
}

function wrap(changing: Layer, given: readonly unknown[]): void {
  const what = needChange(changing, given[0]);
  const target = given[1];
  if (typeof target !== 'function') throw argumentError('what is called instead as a function', target);
  if (given[2] !== undefined && (typeof given[2] !== 'object' || given[2] === null)) {
    throw argumentError('a contract as an object', given[2]);
  }
  const place = { layer: changing.name, what };
  change(changing, what, checked(place, target as Calling, given[2] as Contract | undefined));
}

function forbid(changing: Layer, what: unknown): void {
  const name = needChange(changing, what);
  change(changing, name, refusing(changing.name, name));
}

function change({ changes }: Layer, what: string, call: Calling): void {
  const named = { [what]: what === 'waitforconn' ? iterable(call) : (...given: unknown[]) => call(...given) }[what];
  if (FORGIVEN.includes(what)) flag(named as Calling, FLAG.forgiven);
  if (what === 'log') flag(named as Calling, FLAG.text);
  changes.set(what, named as Calling);
}

/** What it returns can be iterated at once, as without a layer. */
function iterable(call: Calling): Calling {
  return (...given) => {
    const listening = call(...given);
    if (listening instanceof Promise) {
      Object.defineProperty(listening, Symbol.asyncIterator, { value: () => iterateLater(listening) });
    }
    return listening;
  };
}

function refusing(name: string, what: string, changed?: string): Calling {
  const expected = changed === undefined ? 'a call that the layer allows' : `${changed}, which the layer has changed`;
  return () => {
    throw errorOf('ResourceForbiddenError', `expected ${expected}, got ${what}, with the layer ${name}`);
  };
}
