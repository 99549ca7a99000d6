import { type DialInit, dialNode } from './dial.ts';
import type { Signer } from './keys.ts';
import { RequestClient } from './request-client.ts';
import { socketWire } from './socket-wire.ts';

export type NodeClientInit = DialInit & { readonly identity: Signer };

/** A connection to a node manager over TLS, pinned to the node's key. */
export class NodeClient extends RequestClient {
  /** `node` says whose key it was when none was given. @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY */
  static async connect({ identity, ...init }: NodeClientInit): Promise<NodeClient> {
    const { socket, key, way } = await dialNode(init);
    return new NodeClient(socketWire(socket), { signer: identity, node: key, way });
  }
}
