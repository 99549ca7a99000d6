import { EVENT } from '@potluck/repy-api';
import type { World } from './world.ts';

/** Node's timers hold no more; longer ones are armed again. */
const LONGEST_MS = 2 ** 31 - 1;

/** Timers and sleeps: each is one of the vessel's `events` until it fires. */
export class Timers {
  readonly #world: World;
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @throws CallFailure ResourceExhaustedError */
  set(seconds: number): number {
    this.#world.meter.acquire('events');
    this.#world.hold();
    const id = this.#world.number();
    this.#arm(id, performance.now() + seconds * 1000);
    return id;
  }

  cancel(id: number): boolean {
    const timer = this.#timers.get(id);
    if (timer === undefined) return false;
    clearTimeout(timer);
    this.#forget(id);
    return true;
  }

  #arm(id: number, dueMs: number): void {
    const left = Math.min(LONGEST_MS, Math.max(0, Math.ceil(dueMs - performance.now())));
    const timer = setTimeout(() => {
      // Node's clock counts whole milliseconds, so a timer may come a little early: nothing wakes before its time.
      if (performance.now() < dueMs) return this.#arm(id, dueMs);
      this.#forget(id);
      this.#world.enter(EVENT.timer, id);
    }, left);
    this.#timers.set(id, timer);
  }

  #forget(id: number): void {
    this.#timers.delete(id);
    this.#world.meter.release('events');
    this.#world.drop();
  }
}
