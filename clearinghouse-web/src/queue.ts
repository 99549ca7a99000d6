import type { Bus } from './bus/bus.ts';
import { QUEUE } from './limits.ts';
import type { TaskState } from './store/schema.ts';
import type { Store } from './store/store.ts';

/** The site's side of the queue: wakes the backends, and waits for ends, wherever the task was done. */
export class Queue {
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #listeners = new Set<() => void>();

  constructor(store: Store, bus: Bus) {
    this.#store = store;
    this.#bus = bus;
    const look = (): void => {
      for (const listener of this.#listeners) listener();
    };
    bus.subscribe('task.ended', { onMessage: look, onGap: look });
  }

  /** There is something in the queue. */
  wake(): void {
    this.#bus.publish('tasks.waiting', {});
  }

  /** Waits until each of these tasks has ended, or the time is over. @returns the numbers of those that are done. */
  async done(ids: readonly number[], timeoutMs: number): Promise<Set<number>> {
    let states = new Map<number, TaskState>();
    await this.until(async () => {
      states = await this.#store.tasks.states(ids);
      return ids.every((id) => isEnd(states.get(id)));
    }, timeoutMs);
    return new Set(ids.filter((id) => states.get(id) === 'done'));
  }

  /** Waits until the condition holds, looking again after each end and each second. @returns whether it does. */
  async until(condition: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // Listening begins before looking, so that no end falls in between.
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#listeners.add(resolve);
      const timer = setTimeout(resolve, Math.min(QUEUE.sweepMs, Math.max(0, deadline - Date.now())));
      try {
        if (await condition()) return true;
        if (Date.now() >= deadline) return false;
        await promise;
      } finally {
        clearTimeout(timer);
        this.#listeners.delete(resolve);
      }
    }
  }
}

function isEnd(state: TaskState | undefined): boolean {
  return state === undefined || state === 'done' || state === 'failed';
}
