import { pause } from '#platform';
import { RequestError } from './errors.ts';

/** Does it again when a node that is asked too often says so, as long as the time is not over. */
export async function patiently<T>(timeoutMs: number, task: () => Promise<T>): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await task();
    } catch (error) {
      const waitMs = retryAfterMs(error);
      if (waitMs === undefined || performance.now() + waitMs > until) throw error;
      await pause(waitMs);
    }
  }
}

/** What a node says that was asked too often; it may say nothing that makes us wait without end, or not at all. */
function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof RequestError) || error.code !== 'BUSY') return undefined;
  const { retryAfterMs: ms } = error.details;
  return typeof ms === 'number' && ms > 0 ? Math.max(1, ms) : undefined;
}
