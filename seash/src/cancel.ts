import { CommandError } from './errors.ts';

/**
 * What `work` gives, unless the signal comes first; then `work` goes on unheard.
 * @throws CommandError CANCELLED
 */
export async function unlessCancelled<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  throwIfCancelled(signal);
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(cancelled());
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** @throws CommandError CANCELLED */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled();
}

function cancelled(): CommandError {
  return new CommandError('CANCELLED', 'expected the command to finish, got its cancellation');
}
