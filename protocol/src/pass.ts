import type { KeyId } from './keys.ts';

/**
 * How a browser, which cannot open TLS to a node itself, reaches it: by a WebSocket to the site of the clearinghouse, which
 * passes binary messages on both ways as they are. They are the signed messages that go to a node from anywhere else.
 */
export const PASS_PATH = '/pass/';

export function passPath(node: KeyId): string {
  return `${PASS_PATH}${node}`;
}

/** The only texts: a browser cannot stop reading a WebSocket, so it asks the site to. */
export const PASS_HOLD = { on: 'hold', off: 'go' } as const;
