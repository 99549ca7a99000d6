import { describeError, PeerError } from './errors.ts';

export interface Attempt<T> {
  /** @param signal aborted when another has won, or when nobody waits any more. */
  open(signal: AbortSignal): Promise<T>;
  /** For what opened too late to be wanted. */
  close(opened: T): void;
}

export interface RaceInit {
  /** From the beginning of an attempt to that of the next, unless one fails before. */
  readonly delayMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Happy eyeballs (RFC 8305 section 5): attempts begin one after the other, the first to succeed wins, and the others are
 * broken off.
 * @throws PeerError what the only one threw, or for several: the sentences of all in one.
 */
export async function race<T>(attempts: readonly Attempt<T>[], { delayMs, signal }: RaceInit): Promise<T> {
  const over = new AbortController();
  const broken = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const failures: unknown[] = [];
  const waiting = attempts.entries();
  let timer: NodeJS.Timeout | undefined;
  let failed = 0;
  const begin = (): void => {
    clearTimeout(timer);
    const next = waiting.next();
    if (next.done === true || over.signal.aborted) return;
    const [index, attempt] = next.value;
    timer = setTimeout(begin, delayMs);
    attempt.open(broken).then(
      (opened) => (over.signal.aborted ? attempt.close(opened) : win(opened)),
      (error: unknown) => {
        failures[index] = error;
        failed += 1;
        if (failed === attempts.length) reject(unreachable(failures));
        else begin();
      },
    );
  };
  const win = (opened: T): void => {
    over.abort();
    resolve(opened);
  };
  if (attempts.length === 0) reject(new PeerError('UNREACHABLE', 'expected a way to the node, got none'));
  begin();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Somebody else at one of its addresses is said first: to see it, one must have looked for it. */
function unreachable(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const codes = failures.map((error) => (error instanceof PeerError ? error.code : 'UNREACHABLE'));
  const same = codes.every((code) => code === codes[0]) ? codes[0] : undefined;
  const code = codes.includes('WRONG_IDENTITY') ? 'WRONG_IDENTITY' : (same ?? 'UNREACHABLE');
  const reasons = failures.map(describeError);
  const message = `expected one of ${failures.length} ways to the node to be open, got: ${reasons.join('; ')}`;
  return new PeerError(code, message, { details: { reasons } });
}
