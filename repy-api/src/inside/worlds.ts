import { OP } from '../ops.ts';
import { invoke } from './bridge.ts';
import { letter, type Port, put, TAG } from './letter.ts';
import { FLAG, imported } from './ports.ts';
import type { World } from './realm.ts';

/** Of the realm that is being made. */
let adopted: Port | undefined;

/** The host tells of a new realm while it makes one. */
export function adopt(port: unknown): void {
  adopted = port as Port;
}

function adoptedCall(): (given: unknown) => unknown {
  const words = letter();
  put(words, adopted);
  put(words, 'evaluate');
  put(words, FLAG.none);
  adopted = undefined;
  return imported(TAG.function, words) as (given: unknown) => unknown;
}

/** @returns what runs the code in a realm of its own, made now. */
export function makeRealm(code: string, name: string): (names: object) => Promise<object> {
  invoke(OP.makerealm, code, name);
  return adoptedCall() as (names: object) => Promise<object>;
}

/** Makes the world of a layer or of a program above layers; the host runs its code there. */
export function openWorld(world: World): void {
  invoke(OP.makeworld);
  adoptedCall()(world);
}
