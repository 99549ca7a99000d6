import type { KeyId } from '@potluck/protocol';
import type { Logger } from 'pino';
import { Answerers, bounded, inTime } from './answerers.ts';
import type { Answerer, Bus, Subscriber } from './bus.ts';
import { type MessageOf, SUBJECTS, type Subject } from './subjects.ts';
import { Subscriptions } from './subscriptions.ts';

/** The bus of a clearinghouse whose site is one process. */
export class LocalBus implements Bus {
  readonly #subscriptions: Subscriptions;
  readonly #answerers = new Answerers();
  /** It is never away. */
  readonly counts = { reconnects: 0, heard: 0 };

  constructor({ logger }: { readonly logger: Logger }) {
    this.#subscriptions = new Subscriptions(logger);
  }

  publish<S extends Subject>(subject: S, message: MessageOf<S>): void {
    // A copy, as between processes: nobody shares an object with his publisher.
    const copy = SUBJECTS[subject].parse(JSON.parse(bounded(subject, message)));
    this.#subscriptions.deliver({ subject, message: copy } as Parameters<Subscriptions['deliver']>[0]);
  }

  subscribe<S extends Subject>(subject: S, subscriber: Subscriber<S>): () => void {
    return this.#subscriptions.add(subject, subscriber);
  }

  async request(node: KeyId, question: object, timeoutMs: number): Promise<object> {
    const copy: object = JSON.parse(bounded('a question', question));
    return JSON.parse(await inTime(this.#answerers.answer(node, copy), { node, timeoutMs }));
  }

  answer(answerer: Answerer): () => void {
    return this.#answerers.add(answerer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscriptions.close();
  }
}
