import type { Bus } from './bus/bus.ts';
import { QUEUE } from './limits.ts';
import type { TaskState } from './store/schema.ts';
import type { Store } from './store/store.ts';

/** Somebody who waits, and for what: only the last of these ends concerns him; any end unless given. */
interface Listener {
  readonly left?: Set<number>;
  readonly look: () => void;
}

export interface Patience {
  /** From a task's turn on: it may take that long. */
  readonly timeoutMs: number;
  /** In all, also for tasks whose turn does not come: that is not their nodes' fault. */
  readonly longestMs: number;
}

/** What became of tasks, by their numbers. */
export interface Ended {
  readonly done: ReadonlySet<number>;
  /** Their turn had not come. */
  readonly unbegun: ReadonlySet<number>;
}

/** The site's side of the queue: wakes the backends, and waits for ends, wherever the task was done. */
export class Queue {
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #listeners = new Set<Listener>();

  constructor(store: Store, bus: Bus) {
    this.#store = store;
    this.#bus = bus;
    bus.subscribe('task.ended', {
      onMessage: ({ task }) => this.#onEnd(task),
      onGap: () => {
        for (const { look } of this.#listeners) look();
      },
    });
  }

  /** There is something in the queue. */
  wake(): void {
    this.#bus.publish('tasks.waiting', {});
  }

  /** Waits until each of these tasks has ended, or had its time. */
  async ended(ids: readonly number[], { timeoutMs, longestMs }: Patience): Promise<Ended> {
    let states = new Map<number, TaskState>();
    const begunBy = new Map<number, number>();
    const isOver = async (): Promise<boolean> => {
      states = await this.#store.tasks.states(ids);
      const now = Date.now();
      for (const id of ids) if (states.get(id) !== 'waiting' && !begunBy.has(id)) begunBy.set(id, now);
      return ids.every(
        (id) => isEnd(states.get(id)) || now - (begunBy.get(id) ?? Number.POSITIVE_INFINITY) >= timeoutMs,
      );
    };
    await this.until(isOver, longestMs, new Set(ids));
    return {
      done: new Set(ids.filter((id) => states.get(id) === 'done')),
      unbegun: new Set(ids.filter((id) => states.get(id) === 'waiting')),
    };
  }

  /**
   * Waits until the condition holds, looking again after each end and each second.
   * @param left looks after the last of their ends instead of after each. @returns whether it holds.
   */
  async until(condition: () => Promise<boolean>, timeoutMs: number, left?: Set<number>): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // Listening begins before looking, so that no end falls in between.
      const { promise, resolve } = Promise.withResolvers<void>();
      const listener = { look: resolve, ...(left && { left }) };
      this.#listeners.add(listener);
      const timer = setTimeout(resolve, Math.min(QUEUE.sweepMs, Math.max(0, deadline - Date.now())));
      try {
        if (await condition()) return true;
        if (Date.now() >= deadline) return false;
        await promise;
      } finally {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      }
    }
  }

  #onEnd(task: number): void {
    for (const { left, look } of this.#listeners) {
      if (left === undefined || (left.delete(task) && left.size === 0)) look();
    }
  }
}

function isEnd(state: TaskState | undefined): boolean {
  return state === undefined || state === 'done' || state === 'failed';
}
