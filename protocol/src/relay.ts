import { createWebSocketStream } from 'ws';
import type { Identity } from './identity.ts';
import type { KeyId } from './keys.ts';
import { openPinnedSocket, type PinnedSocketInit } from './pinned-socket.ts';
import type { GatewayAddress } from './reach.ts';

/**
 * The relay, a part of the gateway: a caller opens a WebSocket at `callPath`; the gateway says a token to the node over
 * the node's own connection; the node opens another WebSocket at `answerPath`, and from then on the relay passes what is
 * in binary messages from one to the other. That is the bytes of TLS 1.3 between caller and node, pinned to the node's
 * key, and the relay can read none of them.
 */
export const STREAM_LIMITS = {
  /** One message from either side: a few TLS records. */
  messageBytes: 256 * 1024,
  /** What the reader of a stream may be behind in either direction, at each of the three ends, beside one message. */
  streamBytes: 64 * 1024,
} as const;

export function callPath(node: KeyId): string {
  return `/call/${node}`;
}

export function answerPath(token: string): string {
  return `/answer/${token}`;
}

export type RelayedInit = Pick<PinnedSocketInit, 'maxPayloadBytes' | 'signal' | 'permits'> & {
  readonly node: KeyId;
  readonly connectTimeoutMs: number;
};

/**
 * Opens a WebSocket to a node through a relay, over TLS from here to the node.
 * @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY (of the relay or of the node)
 */
export async function openRelayed(relay: GatewayAddress, init: RelayedInit): ReturnType<typeof openPinnedSocket> {
  const { node, maxPayloadBytes, signal, connectTimeoutMs, permits } = init;
  const deadline = performance.now() + connectTimeoutMs;
  const carrier = await openStream(relay, { path: callPath(node), signal, connectTimeoutMs, permits });
  try {
    const left = Math.max(1, deadline - performance.now());
    return await openPinnedSocket({
      address: relay,
      carrier,
      key: node,
      maxPayloadBytes,
      signal,
      connectTimeoutMs: left,
    });
  } catch (error) {
    carrier.destroy();
    throw error;
  }
}

export interface StreamInit {
  readonly path: string;
  /** Proved to the relay. */
  readonly identity?: Identity;
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly permits?: PinnedSocketInit['permits'];
}

/** One end of a stream through a relay. @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY (of the relay) */
export async function openStream(relay: GatewayAddress, init: StreamInit): Promise<RelayedStream> {
  const { messageBytes: maxPayloadBytes } = STREAM_LIMITS;
  const { socket } = await openPinnedSocket({ address: relay, key: relay.key, maxPayloadBytes, ...init });
  return relayedStream(socket);
}

type WebSocketOf = Parameters<typeof createWebSocketStream>[0];
export type RelayedStream = ReturnType<typeof createWebSocketStream>;

/** The bytes of binary messages as a stream that holds back its writer. What breaks it only closes it. */
export function relayedStream(socket: WebSocketOf): RelayedStream {
  const { streamBytes } = STREAM_LIMITS;
  // A WebSocket has no half that stays open: without this a stream that the other side has ended would never be closed.
  const stream = createWebSocketStream(socket, { highWaterMark: streamBytes, allowHalfOpen: false });
  const write = stream._write.bind(stream);
  // TLS hands over all that it has at once, which would be a message past the limit.
  stream._write = (chunk: Buffer, encoding, done) => {
    let at = 0;
    for (; chunk.length - at > streamBytes; at += streamBytes) socket.send(chunk.subarray(at, at + streamBytes));
    write(chunk.subarray(at), encoding, done);
  };
  return stream.on('error', () => undefined);
}
