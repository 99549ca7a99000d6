import { randomBytes, randomFillSync } from 'node:crypto';
import { CALL_LIMITS, OP } from '@potluck/repy-api';
import { CallFailure } from './failure.ts';
import { block } from './pipe.ts';
import type { Primitive, World } from './world.ts';

/** A slice of a wait for `random`. */
const BLOCK_MS = 1000;

/** Words from the system, asked for in hundreds: one request costs as much for 8 bytes as for these. */
const words = new Uint32Array(512);
let next = words.length;

/** 53 random bits from the system, as a number from 0 up to and without 1; no bits are used twice. */
export function randomFloat(): number {
  if (next === words.length) {
    randomFillSync(words);
    next = 0;
  }
  const high = (words[next++] ?? 0) >>> 5;
  const low = (words[next++] ?? 0) >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

/** Random bytes from the system, charged to the vessel's `random`; one character for each byte. */
export function random(world: World): Record<number, (bytes: number) => Primitive> {
  return {
    [OP.randombytes]: (bytes) => later(world, needed(bytes)),
    [OP.randomnow]: (bytes) => now(world, needed(bytes)),
  };
}

function needed(bytes: number): number {
  const most = CALL_LIMITS.randomValuesBytes;
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= most) return bytes;
  throw new CallFailure('RepyArgumentError', `expected 0 to ${most} random bytes, got another number`);
}

const make = (bytes: number): string => randomBytes(bytes).toString('latin1');

/** @returns a request, answered when `random` allows it. */
function later(world: World, bytes: number): number {
  const request = world.request();
  try {
    world.meter.pace('random', bytes, () => world.resolve(request, make(bytes)));
  } catch (error) {
    world.reject(request, error);
  }
  return request;
}

/** Waits for `random` here and now: the web's calls for random values return nothing that could be awaited. */
function now(world: World, bytes: number): string {
  for (let wait = world.meter.waitMs('random'); wait > 0; wait = world.meter.waitMs('random')) {
    block(Math.min(wait, BLOCK_MS));
  }
  world.meter.add('random', bytes);
  return make(bytes);
}
