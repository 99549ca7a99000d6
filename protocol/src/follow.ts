import { PeerError } from './errors.ts';

/** Of a log that is followed over connections that come and go. */
export const FOLLOW_LIMITS = {
  /** How often in a row a lost connection is opened again before the log is given up. */
  attempts: 6,
  /** Before the first of them; doubled each time. */
  attemptDelayMs: 250,
} as const;

interface KeepInit {
  /** Where to begin: with the oldest that is kept unless given. */
  readonly from?: number | undefined;
  readonly signal: AbortSignal;
  /** Told of each loss, before the wait for the next attempt. What comes afterwards says that it is there again. */
  readonly onLost?: (error: PeerError) => void;
  readonly limits?: { readonly attempts: number; readonly attemptDelayMs: number };
}

/**
 * A log as it is written: a lost connection is opened again, and the log goes on where it was.
 * @param open asks for the log from a place on, over whatever connection there is by then
 * @returns in silence when the signal is aborted, else when the log is over
 * @throws PeerError the connection was lost too often in a row, or with somebody who is not whom we asked
 */
export async function* keepFollowing<Part extends { readonly result: { readonly next: number } }>(
  open: (from: number | undefined) => AsyncIterable<Part>,
  { from, signal, onLost, limits = FOLLOW_LIMITS }: KeepInit,
): AsyncGenerator<Part, void, undefined> {
  let next = from;
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const part of open(next)) {
        failures = 0;
        next = part.result.next;
        yield part;
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (!isLost(error) || failures > limits.attempts) throw error;
      onLost?.(error);
      await waitFor(limits.attemptDelayMs * 2 ** (failures - 1), signal);
    }
  }
}

/** Another attempt may do better; not with a peer who is another one, or breaks the rules. */
function isLost(error: unknown): error is PeerError {
  return error instanceof PeerError && error.code !== 'WRONG_IDENTITY' && error.code !== 'BAD_REPLY';
}

/** Keeps the process: nothing else does while there is no connection. */
async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) resolve();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
}
