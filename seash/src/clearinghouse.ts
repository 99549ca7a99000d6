import { describeError, type KeyId, parseJson, problemSchema } from '@potluck/protocol';
import { z } from 'zod';
import { throwIfCancelled } from './cancel.ts';
import { ClearinghouseError, UsageError } from './errors.ts';

/** Limits of what a clearinghouse may answer. */
export const LOOKUP_LIMITS = {
  answerBytes: 8 * 1024 * 1024,
  advertisements: 5000,
  timeoutMs: 15_000,
  /** Until when vessels are held, to be shown beside what their nodes say. */
  leasesMs: 5_000,
  /** An acquisition may replace nodes that fail, and takes its time over each. */
  acquireMs: 90_000,
} as const;

const answerSchema = z.object({ advertisements: z.array(z.string()).max(LOOKUP_LIMITS.advertisements) });
const reasonSchema = problemSchema.pick({ detail: true });

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
 * @throws ClearinghouseError CLEARINGHOUSE_UNREACHABLE, CLEARINGHOUSE_REFUSED, CLEARINGHOUSE_BROKEN
 */
export async function advertisementsAt(clearinghouse: URL, key: KeyId, signal: AbortSignal): Promise<string[]> {
  return (await askForAdvertisements(new URL(`advertisements/${key}`, clearinghouse), signal)).advertisements;
}

async function askForAdvertisements(url: URL, signal: AbortSignal): Promise<z.infer<typeof answerSchema>> {
  const { status, text } = await exchange(url, { signal });
  const json = parseJson(text);
  if (status !== 200) {
    const problem = reasonSchema.safeParse(json);
    const reason = problem.success ? `: ${problem.data.detail}` : '';
    throw new ClearinghouseError(
      'CLEARINGHOUSE_REFUSED',
      `expected advertisements of ${url.origin}, got HTTP status ${status}${reason}`,
    );
  }
  const answer = answerSchema.safeParse(json);
  if (answer.success) return answer.data;
  throw new ClearinghouseError(
    'CLEARINGHOUSE_BROKEN',
    `expected a list of advertisements of ${url.origin}, got something else: is it a clearinghouse?`,
  );
}

export interface Exchange {
  readonly method?: 'GET' | 'POST';
  /** JSON */
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/** One request and the whole of its answer. @throws ClearinghouseError CLEARINGHOUSE_UNREACHABLE, CLEARINGHOUSE_BROKEN @throws CommandError CANCELLED */
export async function exchange(url: URL, init: Exchange): Promise<{ status: number; text: string }> {
  const { signal, method = 'GET', body, timeoutMs = LOOKUP_LIMITS.timeoutMs } = init;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...init.headers },
      ...(body && { body }),
      redirect: 'error',
      signal: AbortSignal.any([signal, deadline]),
    });
    return { status: response.status, text: await limitedText(response, url) };
  } catch (cause) {
    throwIfCancelled(signal);
    if (cause instanceof ClearinghouseError) throw cause;
    const got = deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(cause);
    throw new ClearinghouseError(
      'CLEARINGHOUSE_UNREACHABLE',
      `expected an answer of the clearinghouse at ${url.origin}, got ${got}`,
      { cause },
    );
  }
}

/** `fetch` hides what happened in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED') return 'a refused connection';
  return describeError(cause ?? error);
}

async function limitedText(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LOOKUP_LIMITS.answerBytes) {
      throw new ClearinghouseError(
        'CLEARINGHOUSE_BROKEN',
        `expected an answer of at most ${LOOKUP_LIMITS.answerBytes} bytes of ${url.origin}, got more`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
