import type { KeyId } from '@potluck/protocol';
import type { MessageOf, Subject } from './subjects.ts';

export interface Subscriber<S extends Subject> {
  /** One after the other, in the order of their publisher; the next waits until this one has resolved. */
  onMessage(message: MessageOf<S>): Promise<void> | void;
  /** Messages may have been lost, because the bus was away or this subscriber was too slow: look for yourself. */
  onGap(): Promise<void> | void;
}

/** What a process answers to a question to a node that it has. @returns undefined when it does not have the node. */
export type Answerer = (node: KeyId, question: object) => Promise<object | undefined> | object | undefined;

/**
 * What the processes of one clearinghouse tell each other. Whoever is told hears each message at most once; where one may
 * be missing, he is told to look again. Nobody may rely on it for what is true: that stands in the database.
 */
export interface Bus extends AsyncDisposable {
  /** Tells every subscriber in every process, this one included. @throws BusError TOO_LARGE */
  publish<S extends Subject>(subject: S, message: MessageOf<S>): void;
  /** @returns how to end it: after that nothing more is said. */
  subscribe<S extends Subject>(subject: S, subscriber: Subscriber<S>): () => void;
  /** Asks whichever process has the node. @throws BusError TOO_LARGE, NO_SUCH_NODE, TIMEOUT, REFUSED, AWAY */
  request(node: KeyId, question: object, timeoutMs: number): Promise<object>;
  /** How often it was away and came back, so that messages may have been lost; and how many came. */
  readonly counts: { readonly reconnects: number; readonly heard: number };
  /** Says who answers for the nodes of this process. @returns how to end it. */
  answer(answerer: Answerer): () => void;
}
