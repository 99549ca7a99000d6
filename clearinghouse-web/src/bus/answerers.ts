import { describeError, type KeyId } from '@potluck/protocol';
import { BusError } from '../errors.ts';
import { BUS_LIMITS } from '../limits.ts';
import type { Answerer } from './bus.ts';

/** Who answers for the nodes of this process. */
export class Answerers {
  readonly #answerers = new Set<Answerer>();

  add(answerer: Answerer): () => void {
    this.#answerers.add(answerer);
    return () => this.#answerers.delete(answerer);
  }

  /** @returns the answer as JSON. @throws BusError NO_SUCH_NODE, REFUSED, TOO_LARGE */
  async answer(node: KeyId, question: object): Promise<string> {
    for (const answerer of this.#answerers) {
      const answer = await asked(answerer, node, question);
      if (answer !== undefined) return bounded('an answer', answer);
    }
    throw noSuchNode(node);
  }
}

async function asked(answerer: Answerer, node: KeyId, question: object): Promise<object | undefined> {
  try {
    return await answerer(node, question);
  } catch (cause) {
    throw new BusError('REFUSED', `expected an answer for node ${node}, got: ${describeError(cause).slice(0, 1000)}`, {
      cause,
    });
  }
}

export function noSuchNode(node: KeyId): BusError {
  return new BusError('NO_SUCH_NODE', `expected a node that is connected to this clearinghouse, got ${node}`);
}

/** @returns it as JSON. @throws BusError TOO_LARGE */
export function bounded(what: string, message: object): string {
  const text = JSON.stringify(message);
  const bytes = Buffer.byteLength(text);
  if (bytes <= BUS_LIMITS.messageBytes) return text;
  throw new BusError('TOO_LARGE', `expected at most ${BUS_LIMITS.messageBytes} bytes in ${what}, got ${bytes}`);
}

/** @throws BusError TIMEOUT */
export async function inTime<T>(work: Promise<T>, { node, timeoutMs }: { node: KeyId; timeoutMs: number }): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new BusError('TIMEOUT', `expected an answer for node ${node} within ${timeoutMs} ms, got none`)),
    timeoutMs,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
