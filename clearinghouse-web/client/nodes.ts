import {
  type CallOptions,
  type KeyId,
  type MethodName,
  type Params,
  PeerError,
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

/** How often in a row a log that is followed is taken up again after its connection was lost, and the first wait. */
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 250;

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
  async *follow({ node, vessel }: VesselRef, from: number | undefined, signal: AbortSignal) {
    let next = from;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const client = await this.#client(node);
        for await (const part of client.followLog(vessel, { from: next, signal })) {
          failures = 0;
          next = part.result.next;
          yield part;
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const isLost = error instanceof PeerError && error.code !== 'WRONG_IDENTITY' && error.code !== 'BAD_REPLY';
        if (!isLost || failures > ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (failures - 1)));
      }
    }
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
