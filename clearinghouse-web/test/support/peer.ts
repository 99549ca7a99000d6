import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type Address,
  formatRestrictions,
  type GatewayAddress,
  type GatewayReply,
  generateIdentity,
  type Identity,
  type KeyId,
  LIMITS,
  openPinnedSocket,
  packMessage,
  parseRestrictions,
  RequestError,
  type RowPlace,
  signAdvertisement,
  signReply,
  tlsOptionsOf,
  toBuffer,
  unpackMessage,
  verifyRequest,
} from '@potluck/protocol';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

export interface PeerVessel {
  users: string[];
  state: 'Fresh' | 'Stopped';
  readonly ports: readonly number[];
}

export interface Where {
  readonly firstPort?: number;
  readonly host?: string;
  /** Where it dials the gateway from, if not from where it listens. */
  readonly from?: string;
  readonly labels?: readonly string[];
  /** What it says when it is to measure how far a host is; it knows no such request unless given. */
  readonly latencyMs?: number | null;
  /** Addresses that it says it has, before the one where it is. */
  readonly claims?: readonly Address[];
}

/** What it answers in the place of the truth; `place` where a row of replies is expected. */
export interface Lie {
  readonly result: unknown;
  readonly attachment?: Uint8Array;
  readonly place?: RowPlace;
}

/** Decides whether a request is answered: it may throw a RequestError, or wait for as long as it likes. */
export type Gate = (method: string, vessel: string | undefined) => Promise<void> | void;

/**
 * The far end of the wire, for what a well-behaved node manager never does: refuse, hang, or answer too late. Requests
 * are really signed, checked and answered; test/network has the same with node managers.
 */
export class Peer implements AsyncDisposable {
  readonly identity: Identity = generateIdentity();
  readonly vessels = new Map<string, PeerVessel>();
  /** What was asked and done, in order: `ChangeUsers v1`. */
  readonly done: string[] = [];
  gate: Gate = () => undefined;
  /** By method. */
  lies: Readonly<Record<string, Lie>> = {};
  readonly #owner: KeyId;
  #server: Server | undefined;
  #sockets: WebSocketServer | undefined;
  #gateway: WebSocket | undefined;
  #staying: Promise<void> | undefined;

  readonly #host: string;
  readonly #from: string;
  readonly #labels: readonly string[];
  readonly #latencyMs: number | null | undefined;
  readonly #claims: readonly Address[];

  /** @param where ports from `firstPort` on, one for each vessel, and a loopback address to listen at. */
  constructor(
    owner: KeyId,
    vessels: number,
    { firstPort = 63_100, host = '127.0.0.1', from = host, labels = [], claims = [], latencyMs }: Where = {},
  ) {
    this.#latencyMs = latencyMs;
    this.#claims = claims;
    this.#from = from;
    this.#labels = labels;
    this.#owner = owner;
    this.#host = host;
    for (let index = 0; index < vessels; index += 1) {
      this.vessels.set(`v${index + 1}`, { users: [], state: 'Fresh', ports: [firstPort + index] });
    }
  }

  /** Listens; with a port given, on that one again. */
  async listen(port = 0): Promise<this> {
    const server = createServer(await tlsOptionsOf(this.identity));
    this.#sockets = new WebSocketServer({ server, maxPayload: LIMITS.messageBytes });
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data) => void this.#answer(socket, data));
    });
    server.listen(port, this.#host);
    await once(server, 'listening');
    this.#server = server;
    return this;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | undefined;
    return address?.port ?? 0;
  }

  /** Dials the gateway and shows an advertisement. */
  async advertise(gateway: GatewayAddress): Promise<GatewayReply> {
    const { socket } = await openPinnedSocket({
      ...{ address: gateway, key: gateway.key, from: this.#from, identity: this.identity },
      maxPayloadBytes: 65_536,
    });
    this.#gateway = socket;
    const addresses = [...this.#claims, { host: this.#host, port: this.port }];
    const facts = { addresses, keys: [this.#owner], version: 'test', labels: this.#labels };
    socket.send(await signAdvertisement(this.identity, facts, 60));
    const [data] = await once(socket, 'message');
    return JSON.parse(String(data));
  }

  /** As a node does: shows itself at the gateway, and dials again whenever the connection has ended, until it is closed. */
  stay(gateway: GatewayAddress): void {
    this.#staying = (async () => {
      while (this.#server !== undefined) {
        const ended = await this.#show(gateway).catch(() => undefined);
        await ended;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
  }

  /** @returns what resolves when the connection has ended. */
  async #show(gateway: GatewayAddress): Promise<Promise<unknown>> {
    const { identity } = this;
    const init = { address: gateway, key: gateway.key, identity, maxPayloadBytes: 65_536 };
    const { socket } = await openPinnedSocket(init);
    const ended = once(
      socket.on('error', () => undefined),
      'close',
    );
    this.#gateway = socket;
    const facts = { addresses: [{ host: this.#host, port: this.port }], keys: [this.#owner], version: 'test' };
    socket.send(await signAdvertisement(identity, facts, 60));
    if (this.#server === undefined) socket.terminate();
    return ended;
  }

  /** Sends to all who are connected what it was not asked for. */
  say(data: Buffer, options: { fin: boolean }): void {
    for (const socket of this.#sockets?.clients ?? []) socket.send(data, options);
  }

  async hangUp(): Promise<void> {
    const socket = this.#gateway;
    if (socket === undefined || socket.readyState === socket.CLOSED) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const socket of this.#sockets?.clients ?? []) socket.terminate();
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.close();
    await this.hangUp();
    await closing;
    await this.#staying;
  }

  async #answer(socket: WebSocket, data: RawData): Promise<void> {
    const context = { node: this.identity.id, replays: { claim: async () => true }, nowSeconds: Date.now() / 1000 };
    const request = await verifyRequest(unpackMessage(toBuffer(data)), context);
    const outcome = await this.#outcome(request.method, request.params as { vessel?: string; users?: string[] }).catch(
      (error: unknown) => (error instanceof RequestError ? error : new RequestError('INTERNAL', String(error))),
    );
    const { place } = this.lies[request.method] ?? {};
    const reply = await signReply(this.identity, request.nonce, { outcome, place });
    if (socket.readyState === socket.OPEN) socket.send(packMessage(reply));
  }

  async #outcome(method: string, params: { vessel?: string; users?: string[] }) {
    await this.gate(method, params.vessel);
    const result = this.#carryOut(method, params);
    if (params.vessel !== undefined && method !== 'GetVesselResources') this.done.push(`${method} ${params.vessel}`);
    return { result, attachment: new Uint8Array(), ...this.lies[method] };
  }

  #carryOut(method: string, params: { vessel?: string; users?: string[] }): unknown {
    if (method === 'GetVessels') return this.#describe();
    if (method === 'GetOffcutResources') return { restrictions: OFFCUT };
    if (method === 'MeasureLatency') {
      if (this.#latencyMs === undefined) throw new RequestError('UNKNOWN_METHOD', 'expected a method of old');
      return { ms: this.#latencyMs };
    }
    const vessel = this.vessels.get(params.vessel ?? '');
    if (vessel === undefined) throw new RequestError('NO_SUCH_VESSEL', 'expected a vessel, got none');
    if (method === 'GetVesselResources') return { restrictions: restrictionsOf(vessel), usage: {} };
    if (method === 'ChangeUsers') {
      vessel.users = params.users ?? [];
      return { users: vessel.users };
    }
    vessel.state = 'Fresh';
    return { state: 'Fresh' };
  }

  #describe(): object {
    const vessels = [...this.vessels].map(([name, { users, state }]) => ({
      ...{ name, users, state },
      since: 0,
      owner: this.#owner,
      ownerInformation: '',
      advertise: true,
    }));
    return { version: 'test', node: this.identity.id, walls: { up: [], missing: [] }, vessels };
  }
}

const OFFCUT = 'resource cpu 0.002\nresource memory 1000000\nresource diskused 100000\n';

function restrictionsOf({ ports }: PeerVessel): string {
  const lines = ['resource cpu 0.02', 'resource memory 10000000', 'resource diskused 10000000'];
  for (const port of ports) lines.push(`resource messport ${port}`, `resource connport ${port}`);
  return formatRestrictions(parseRestrictions(lines.join('\n')));
}

/** Lets the first of these nodes that is asked for a vessel refuse all of them. @returns which one it was. */
export function refuseFirst(peers: readonly Peer[]): Promise<KeyId> {
  const refused = Promise.withResolvers<KeyId>();
  for (const peer of peers) {
    peer.gate = (method) => {
      if (method !== 'ChangeUsers') return;
      for (const other of peers) if (other !== peer) other.gate = () => undefined;
      refused.resolve(peer.identity.id);
      throw new RequestError('DISK_FULL', 'expected room, got none');
    };
  }
  return refused.promise;
}
