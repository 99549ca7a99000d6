import { type GatewayReply, type KeyId, PeerError } from '@potluck/protocol';
import type { WebSocket } from 'ws';
import { LIMITS } from './limits.ts';

/** One that somebody has dialled to the gateway, a node if he proves to be one. */
export interface Connection {
  readonly socket: WebSocket;
  readonly host: string;
  /** The key that was proved in the TLS handshake. */
  readonly proved: KeyId | undefined;
  node: KeyId | undefined;
  /** It says that the relay may take callers to it. */
  takesCalls: boolean;
  /** When its messages of the last minute came. */
  recent: number[];
  /** Closes it when no advertisement came in time. */
  timer: NodeJS.Timeout;
  /** Messages are dealt with one after the other. */
  work: Promise<void>;
}

export function bad(expected: string): PeerError {
  return new PeerError('BAD_REPLY', `expected ${expected}`);
}

export function reply(socket: WebSocket, message: GatewayReply): void {
  socket.send(JSON.stringify(message));
}

export function isTooFast(connection: Connection): boolean {
  const now = Date.now();
  connection.recent = connection.recent.filter((at) => at > now - 60_000);
  connection.recent.push(now);
  return connection.recent.length > LIMITS.gatewayMessagesPerMinute;
}

export function closeLater(socket: WebSocket, ms: number): NodeJS.Timeout {
  return setTimeout(() => socket.close(1008, 'expected an advertisement in time'), Math.max(0, ms)).unref();
}
