import type { Bus } from '../../src/bus/bus.ts';
import type { MessageOf, Subject } from '../../src/bus/subjects.ts';

/** A subscriber that remembers what it was told, and whom a test can wait for. */
export class Listener<S extends Subject> {
  readonly messages: MessageOf<S>[] = [];
  gaps = 0;
  readonly stop: () => void;
  #told = Promise.withResolvers<void>();

  /** @param first what the first message waits for. */
  constructor(bus: Bus, subject: S, first?: Promise<void>) {
    first?.catch(() => undefined);
    this.stop = bus.subscribe(subject, {
      onMessage: async (message) => {
        this.messages.push(message);
        this.#tell();
        if (this.messages.length === 1) await first;
      },
      onGap: () => {
        this.gaps += 1;
        this.#tell();
      },
    });
  }

  /** @returns the messages, when there are so many. */
  async heard(count: number): Promise<MessageOf<S>[]> {
    while (this.messages.length < count) await this.#told.promise;
    return this.messages;
  }

  async gap(count: number): Promise<void> {
    while (this.gaps < count) await this.#told.promise;
  }

  #tell(): void {
    this.#told.resolve();
    this.#told = Promise.withResolvers();
  }
}
