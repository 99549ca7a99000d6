import { OP } from '../ops.ts';
import { connect } from './bridge.ts';
import { harden } from './harden.ts';
import { publishLanguage } from './language.ts';
import type { Port } from './letter.ts';
import { wayOf } from './ports.ts';
import { defineData, isEnumerable, ownKeys } from './primordials.ts';

const FORBIDDEN = -3;

/** Code that was given no way to the host has none. */
function refuseAll(code: number): string | number {
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
 * Builds an inner program's world, in a realm of its own: the language, and later the names that it is given.
 * @param body the program, as a function that was not called yet
 * @returns the port of `(names) => Promise<names>`, which runs the program
 */
export function realm(body: () => Promise<void>): Port {
  connect(refuseAll);
  harden();
  publishLanguage();
  const evaluate = async (names: Record<string, unknown>): Promise<object> => {
    const keys = ownKeys(names) as string[];
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      defineData(globalThis, key, names[key]);
    }
    await body();
    return context();
  };
  return wayOf(evaluate);
}
