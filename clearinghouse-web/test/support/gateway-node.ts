import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  answerPath,
  type GatewayAddress,
  generateIdentity,
  type Identity,
  openPinnedSocket,
  openStream,
  type RelayCall,
  signAdvertisement,
} from '@potluck/protocol';
import type { WebSocket } from 'ws';

const FACTS = { addresses: [{ host: '127.0.0.1', port: 1 }], keys: [], version: 'test' };

/** A node's side of the gateway and of streams, by the protocol alone. */
export class GatewayNode {
  readonly identity = generateIdentity();
  readonly calls: RelayCall[] = [];
  #socket: WebSocket | undefined;
  #heard = Promise.withResolvers<void>();

  /** @param proved whose key is shown in the handshake. */
  async dial(gateway: GatewayAddress, proved: Identity | undefined = this.identity): Promise<this> {
    const init = { address: gateway, key: gateway.key, identity: proved, maxPayloadBytes: 65_536 };
    const { socket } = await openPinnedSocket(init);
    this.#socket = socket;
    const known = once(socket, 'message');
    // Whoever names no relay is not called.
    socket.send(await signAdvertisement(this.identity, { ...FACTS, relays: [gateway] }, 60));
    await known;
    socket.on('message', (data) => {
      this.calls.push(JSON.parse(String(data)));
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
    return this;
  }

  async called(): Promise<RelayCall> {
    while (this.calls.length === 0) await this.#heard.promise;
    return this.calls.shift() ?? assert.fail();
  }

  async answer(gateway: GatewayAddress, call: string, identity = this.identity): Promise<Duplex> {
    return await openStream(gateway, { path: answerPath(call), identity, connectTimeoutMs: 5000 });
  }

  hangUp(): void {
    this.#socket?.terminate();
  }
}
