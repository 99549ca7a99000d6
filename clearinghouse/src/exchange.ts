import { describeError } from '@potluck/protocol';
import { ClearinghouseError } from './errors.ts';

/** What an answer of a clearinghouse may be. */
export const CLIENT_LIMITS = {
  answerBytes: 8 * 1024 * 1024,
  timeoutMs: 15_000,
  pages: 200,
} as const;

export interface Exchange {
  readonly method: 'GET' | 'POST';
  /** JSON */
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** One request and the whole of its answer. @throws ClearinghouseError CLEARINGHOUSE_UNREACHABLE, CLEARINGHOUSE_BROKEN; the signal's reason */
export async function exchange(url: URL, init: Exchange): Promise<{ status: number; text: string }> {
  const { signal, method, body, timeoutMs = CLIENT_LIMITS.timeoutMs } = init;
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
    signal.throwIfAborted();
    if (cause instanceof ClearinghouseError) throw cause;
    const got = deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(cause);
    const message = `expected an answer of the clearinghouse at ${url.origin}, got ${got}`;
    throw new ClearinghouseError('CLEARINGHOUSE_UNREACHABLE', message, { cause });
  }
}

/** `fetch` hides what happened in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED') return 'a refused connection';
  return describeError(cause ?? error);
}

async function limitedText(response: Response, { origin }: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > CLIENT_LIMITS.answerBytes) {
      const message = `expected an answer of at most ${CLIENT_LIMITS.answerBytes} bytes of ${origin}, got more`;
      throw new ClearinghouseError('CLEARINGHOUSE_BROKEN', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
