import { Clearinghouse, ClearinghouseError } from '@potluck/clearinghouse';
import type { KeyId } from '@potluck/protocol';
import { throwIfCancelled } from './cancel.ts';
import { UsageError } from './errors.ts';

/** Limits of what a clearinghouse is asked; those of each answer are the client's. */
export const LOOKUP_LIMITS = {
  advertisements: 5000,
  /** Until when vessels are held, to be shown beside what their nodes say. */
  leasesMs: 5_000,
  /** An acquisition may replace nodes that fail, and takes its time over each. */
  acquireMs: 90_000,
} as const;

/** @throws UsageError USAGE when it is not an http or https URL */
export function clearinghouseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError('USAGE', `expected the clearinghouse as an http:// or https:// URL, got "${text}"`);
  }
  url.pathname = url.pathname.replace(/\/?$/, '/');
  return url;
}

/**
 * @returns the signed advertisements of the nodes that a key names or that host vessels for it; nothing is verified.
 * @throws ClearinghouseError CLEARINGHOUSE_UNREACHABLE, CLEARINGHOUSE_REFUSED, CLEARINGHOUSE_BROKEN @throws CommandError CANCELLED
 */
export async function advertisementsAt(url: URL, keyId: KeyId, signal: AbortSignal): Promise<readonly string[]> {
  const asked = new Clearinghouse({ url }).call('getAdvertisementsByKeyId', { keyId }, { signal });
  const { advertisements } = await cancellable(signal, asked).catch((error: unknown) => {
    throw asRefusal(error, url);
  });
  const { length } = advertisements;
  if (length <= LOOKUP_LIMITS.advertisements) return advertisements;
  const message = `expected at most ${LOOKUP_LIMITS.advertisements} advertisements of ${url.origin}, got ${length}`;
  throw new ClearinghouseError('CLEARINGHOUSE_BROKEN', message);
}

/** What a clearinghouse answers. @throws CommandError CANCELLED, in the place of the signal's own reason */
export async function cancellable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  }
}

/** Of whatever kind: who looks something up has no account that a refusal could be about. */
function asRefusal(error: unknown, { origin }: URL): unknown {
  if (!(error instanceof ClearinghouseError)) return error;
  const { code, status } = error.details;
  if (typeof status !== 'number' || status < 400) return error;
  const reason = code === undefined ? '' : `: ${error.message}`;
  const message = `expected advertisements of ${origin}, got HTTP status ${status}${reason}`;
  return new ClearinghouseError('CLEARINGHOUSE_REFUSED', message, { details: error.details, cause: error });
}
