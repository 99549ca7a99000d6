import { CALL_LIMITS, OP } from '../ops.ts';
import { connect, type Primitive } from './bridge.ts';
import { harden } from './harden.ts';
import { publish, publishLanguage } from './language.ts';
import type { Port } from './letter.ts';
import { wayOf } from './ports.ts';
import { defineData, defineHidden, isEnumerable, ownKeys, table } from './primordials.ts';
import { publishProgram } from './publish.ts';
import { fire } from './time.ts';

type Calling = (...args: unknown[]) => unknown;

/** What a layer, or a program above layers, has beside the language. */
export interface World {
  /** The calls of the API, as the layers below left them. */
  readonly names: Readonly<Record<string, unknown>>;
  /** (bytes) -> random bytes as a text, here and now. */
  readonly random: Calling;
  readonly callargs: readonly string[];
  /** Of a layer: how it changes calls. */
  readonly layer?: { readonly wrap: Calling; readonly forbid: Calling };
}

const FORBIDDEN = -3;
const LEAST = CALL_LIMITS.intervalLeastMs / 1000;

/** Code that was given no way to the host has none. */
function refuseAll(code: number): Primitive {
  return code === OP.reason ? 'expected a call that this code was given, got one that needs more' : FORBIDDEN;
}

/** @returns what the code was given and what it added, as it is now. */
function context(): object {
  const names = {};
  const keys = ownKeys(globalThis);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (typeof key !== 'string' || !isEnumerable(globalThis, key)) continue;
    defineData(names, key, (globalThis as Record<string, unknown>)[key]);
  }
  return names;
}

/**
 * What JavaScript has everywhere reaches the host by the calls that the world was given: a layer that changes `settimer`
 * changes `setTimeout` too.
 */
function byCalls({ names, random }: World): (code: number, ...args: Primitive[]) => Primitive {
  const settimer = names.settimer as Calling;
  const canceltimer = names.canceltimer as Calling;
  const timers = table<unknown>();
  let last = 0;
  const set = (id: number, seconds: Primitive, again: boolean): number => {
    const due = () => {
      if (!again) delete timers[id];
      fire(id);
      if (again && timers[id] !== undefined) set(id, seconds, again);
    };
    timers[id] = settimer(seconds, due);
    return id;
  };
  return (code, value) => {
    if (code === OP.setinterval) return set(++last, (value as number) > LEAST ? value : LEAST, true);
    if (code === OP.settimer) return set(++last, value, false);
    if (code === OP.randomnow) return random(value) as string;
    if (code !== OP.canceltimer) return refuseAll(code);
    const timer = timers[value as number];
    delete timers[value as number];
    return timer !== undefined && canceltimer(timer) === true ? 1 : 0;
  };
}

function enter(world: World): void {
  connect(byCalls(world));
  publish(world.names);
  publishProgram(world.names.log as Calling, world.callargs);
  if (world.layer !== undefined) defineHidden(globalThis, 'layer', world.layer);
}

async function evaluate(body: () => Promise<void>, names: Record<string, unknown>): Promise<object> {
  const keys = ownKeys(names) as string[];
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    defineData(globalThis, key, names[key]);
  }
  await body();
  return context();
}

/**
 * Builds an inner program's world, in a realm of its own: the language, and later what it is given.
 * @param body the code, as a function that was not called yet; none for a world whose code the host runs
 * @returns the port of `(names) => Promise<names>`, which runs the body, or of `(world) => void`
 */
export function realm(body: (() => Promise<void>) | undefined): Port {
  connect(refuseAll);
  harden();
  publishLanguage();
  return wayOf(body === undefined ? enter : (names: Record<string, unknown>) => evaluate(body, names));
}
