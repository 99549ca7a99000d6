import type { Logger } from 'pino';
import type { Subscriber } from './bus.ts';
import { Inbox } from './inbox.ts';
import type { MessageOf, News, Subject } from './subjects.ts';

/** The subscribers within one process, whatever brings the messages to it. */
export class Subscriptions {
  readonly #logger: Logger;
  readonly #inboxes = new Map<Subject, Set<Inbox<MessageOf<Subject>>>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add<S extends Subject>(subject: S, subscriber: Subscriber<S>): () => void {
    const inbox = new Inbox<MessageOf<Subject>>({
      logger: this.#logger,
      onMessage: (message) => subscriber.onMessage(message as MessageOf<S>),
      onGap: () => subscriber.onGap(),
    });
    const inboxes = this.#inboxes.get(subject) ?? new Set();
    this.#inboxes.set(subject, inboxes.add(inbox));
    return () => {
      inbox.close();
      inboxes.delete(inbox);
    };
  }

  deliver({ subject, message }: News): void {
    for (const inbox of this.#inboxes.get(subject) ?? []) inbox.put(message);
  }

  /** Something may have been lost. */
  gap(): void {
    for (const inboxes of this.#inboxes.values()) for (const inbox of inboxes) inbox.gap();
  }

  close(): void {
    for (const inboxes of this.#inboxes.values()) for (const inbox of inboxes) inbox.close();
    this.#inboxes.clear();
  }
}
