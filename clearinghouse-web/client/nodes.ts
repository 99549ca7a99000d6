import {
  type CallOptions,
  type KeyId,
  keepFollowing,
  type MethodName,
  type Params,
  RequestClient,
  type Result,
  type Signer,
  type VesselName,
} from '@potluck/protocol';
import { openWire } from './wire.ts';

export interface VesselRef {
  readonly node: KeyId;
  readonly vessel: VesselName;
}

/** Connections to nodes, one each, opened when they are needed. */
export class Nodes {
  readonly #signer: Signer;
  readonly #clients = new Map<KeyId, Promise<RequestClient>>();

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  /** @throws RequestError the node refused. @throws PeerError */
  async ask<M extends MethodName>(
    node: KeyId,
    method: M,
    params: Params<M>,
    options: CallOptions = {},
  ): Promise<{ result: Result<M>; attachment: Uint8Array }> {
    return await (await this.#client(node)).call(method, params, options);
  }

  /** A vessel's log as it is written; a lost connection is opened again, and the log goes on where it was. */
  follow({ node, vessel }: VesselRef, { signal, ...init }: Parameters<typeof keepFollowing>[1]) {
    const clientOf = async () => await this.#client(node);
    const open = async function* (from: number | undefined) {
      yield* (await clientOf()).followLog(vessel, { from, signal });
    };
    return keepFollowing(open, { signal, ...init });
  }

  close(): void {
    for (const client of this.#clients.values()) client.then((open) => open.close()).catch(() => undefined);
    this.#clients.clear();
  }

  async #client(node: KeyId): Promise<RequestClient> {
    const known = this.#clients.get(node);
    if (known !== undefined) {
      const client = await known.catch(() => undefined);
      if (client?.isOpen) return client;
      if (this.#clients.get(node) === known) this.#clients.delete(node);
    }
    const opening = this.#clients.get(node) ?? this.#open(node);
    this.#clients.set(node, opening);
    return await opening;
  }

  async #open(node: KeyId): Promise<RequestClient> {
    return new RequestClient(await openWire(node), { signer: this.#signer, node, way: 'the node, by way of the site' });
  }
}
