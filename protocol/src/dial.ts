import type { KeyId } from './keys.ts';
import { LIMITS } from './limits.ts';
import { openPinnedSocket, type Permits, type PinnedSocket } from './pinned-socket.ts';
import { type Attempt, race } from './race.ts';
import { type Address, directly, isRelay, type Reach, type Way, waysOf, wayText } from './reach.ts';
import { openRelayed } from './relay.ts';

/** Where the node is: one address, or all that it advertised. */
export type Place =
  | { readonly address: Address }
  | {
      readonly reach: Reach;
      /** `wayText` of the way that won last time. */
      readonly lastWay?: string | undefined;
    };

export type DialInit = Place & {
  /** The node's key. Without it the first key seen is believed. */
  readonly node?: KeyId | undefined;
  /** Which numeric addresses may be dialled on a way; all unless given. */
  readonly permits?: ((way: Way) => Permits | undefined) | undefined;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
};

/** An open WebSocket to a node, over TLS from here to it. */
export interface Dialled extends PinnedSocket {
  /** `wayText` of the way that won. */
  readonly way: string;
}

/**
 * Tries the ways to the node in the order of `waysOf`, as happy eyeballs do; the first that proves the key wins.
 * @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY
 */
export async function dialNode(init: DialInit): Promise<Dialled> {
  const { node, permits, signal, connectTimeoutMs = LIMITS.connectTimeoutMs } = init;
  const known = 'reach' in init ? waysOf(init.reach, init.lastWay) : waysOf(directly(init.address));
  // A relay must be told whom to call.
  const ways = known.filter((way) => node !== undefined || !isRelay(way));
  const deadline = performance.now() + connectTimeoutMs;
  const attempts = ways.map(
    (way): Attempt<Dialled> => ({
      open: async (broken: AbortSignal) =>
        await openWay(way, { node, permits: permits?.(way), deadline, signal: broken }),
      close: ({ socket }) => socket.terminate(),
    }),
  );
  return await race(attempts, { delayMs: LIMITS.attemptDelayMs, signal });
}

interface OpenInit {
  readonly node: KeyId | undefined;
  readonly permits: Permits | undefined;
  readonly deadline: number;
  readonly signal: AbortSignal;
}

async function openWay(way: Way, { deadline, ...init }: OpenInit): Promise<Dialled> {
  const connectTimeoutMs = Math.max(1, deadline - performance.now());
  const { node, permits, signal } = init;
  const options = { maxPayloadBytes: LIMITS.messageBytes, connectTimeoutMs, signal, permits };
  const opened =
    node !== undefined && isRelay(way)
      ? await openRelayed(way, { node, ...options })
      : await openPinnedSocket({ address: way, key: node, ...options });
  return { ...opened, way: wayText(way) };
}
