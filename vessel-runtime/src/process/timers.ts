import { CALL_LIMITS, EVENT } from '@potluck/repy-api';
import type { World } from './world.ts';

/** Node's timers hold no more; longer ones are armed again. */
const LONGEST_MS = 2 ** 31 - 1;

/** Timers and intervals: each is one of the vessel's `events` until it fires for the last time. A sleep is none. */
export class Timers {
  readonly #world: World;
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @throws CallFailure ResourceExhaustedError */
  set(seconds: number): number {
    return this.#begin(seconds * 1000);
  }

  /** Fires until it is cancelled; each time counts from the end of the call before, so that none pile up. @throws as `set` */
  repeat(seconds: number): number {
    const everyMs = Math.max(CALL_LIMITS.intervalLeastMs, seconds * 1000);
    return this.#begin(everyMs, everyMs);
  }

  /** @returns a request that resolves then. @throws CallFailure ResourceExhaustedError: too many calls wait */
  sleep(seconds: number): number {
    const request = this.#world.request();
    const dueMs = performance.now() + seconds * 1000;
    const look = (): void => {
      if (performance.now() < dueMs) setTimeout(look, leftMs(dueMs));
      else this.#world.resolve(request, 1);
    };
    setTimeout(look, leftMs(dueMs));
    return request;
  }

  cancel(id: number): boolean {
    const timer = this.#timers.get(id);
    if (timer === undefined) return false;
    clearTimeout(timer);
    this.#forget(id);
    return true;
  }

  #begin(delayMs: number, everyMs?: number): number {
    this.#world.meter.acquire('events');
    this.#world.hold();
    const id = this.#world.number();
    this.#arm(id, performance.now() + delayMs, everyMs);
    return id;
  }

  #arm(id: number, dueMs: number, everyMs?: number): void {
    const timer = setTimeout(() => {
      // Node's clock counts whole milliseconds, so a timer may come a little early: nothing wakes before its time.
      if (performance.now() < dueMs) return this.#arm(id, dueMs, everyMs);
      if (everyMs === undefined) this.#forget(id);
      this.#world.enter(EVENT.timer, id);
      // During the call the program may have cancelled it.
      if (everyMs !== undefined && this.#timers.has(id)) this.#arm(id, performance.now() + everyMs, everyMs);
    }, leftMs(dueMs));
    this.#timers.set(id, timer);
  }

  #forget(id: number): void {
    this.#timers.delete(id);
    this.#world.meter.release('events');
    this.#world.drop();
  }
}

/** As long as Node's timers can wait at once. */
function leftMs(dueMs: number): number {
  return Math.min(LONGEST_MS, Math.max(0, Math.ceil(dueMs - performance.now())));
}
