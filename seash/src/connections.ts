import {
  type CallOptions,
  type Identity,
  type KeyId,
  LIMITS,
  type MethodName,
  NodeClient,
  type Params,
  PeerError,
  type Reach,
  type Result,
  type VesselName,
} from '@potluck/protocol';
import { throwIfCancelled, unlessCancelled } from './cancel.ts';

export interface ConnectionsInit {
  readonly connectTimeoutMs?: number;
  readonly replyTimeoutMs?: number;
}

/** A node and where to reach it; `signal` ends the waiting. */
export interface Endpoint {
  readonly identity: Identity;
  readonly node: KeyId;
  readonly reach: Reach;
  readonly signal: AbortSignal;
}

export interface Call<M extends MethodName> {
  readonly method: M;
  readonly params: Params<M>;
  readonly attachment?: Uint8Array;
}

export interface Answer<M extends MethodName> {
  readonly result: Result<M>;
  readonly attachment: Uint8Array;
  /** From the request to its answer, over a connection that was open. */
  readonly roundTripMs: number;
}

/** How long `stop` waits for nodes to take their leave. */
const LEAVE_MS = 500;

/** The largest file in the time that a node gives a message to arrive. */
const UPLOAD_BYTES_PER_SECOND = 128 * 1024;

/** One connection for each node and identity, kept for the life of the shell and opened again when it was lost. */
export class Connections {
  /** How long a node may take to answer. */
  replyTimeoutMs: number;
  /** How fast an attachment goes up at least; its answer may take that much longer. */
  uploadBytesPerSecond = UPLOAD_BYTES_PER_SECOND;
  readonly #connectTimeoutMs: number;
  readonly #open = new Map<string, Promise<NodeClient>>();
  /** Of each node the way that won last, as `wayText`. */
  readonly #ways = new Map<KeyId, string>();

  constructor(init: ConnectionsInit = {}) {
    this.#connectTimeoutMs = init.connectTimeoutMs ?? LIMITS.connectTimeoutMs;
    this.replyTimeoutMs = init.replyTimeoutMs ?? LIMITS.replyTimeoutMs;
  }

  /**
   * A request over the kept connection. When that turns out to have been closed, it is sent once more over a new one,
   * except `StartVessel`: nobody can tell whether the first one was carried out.
   * @throws RequestError, PeerError, CommandError CANCELLED
   */
  async call<M extends MethodName>(endpoint: Endpoint, call: Call<M>): Promise<Answer<M>> {
    const kept = this.#open.has(keyOf(endpoint));
    try {
      return await this.#attempt(endpoint, call);
    } catch (error) {
      const closed = error instanceof PeerError && error.code === 'CLOSED';
      if (!kept || !closed || call.method === 'StartVessel') throw error;
      return await this.#attempt(endpoint, call);
    }
  }

  /**
   * A vessel's log as it is written. All logs of a node come over one kept connection, which has nothing else: what a
   * reader leaves waiting holds up no request. @throws RequestError, PeerError, CommandError CANCELLED
   */
  async *followLog(endpoint: Endpoint, vessel: VesselName, from: number | undefined) {
    const key = `${keyOf(endpoint)} logs`;
    const pending = this.#pending(key, endpoint);
    try {
      const client = await unlessCancelled(endpoint.signal, pending);
      yield* client.followLog(vessel, { from, signal: endpoint.signal });
    } catch (error) {
      this.#judge(key, pending, error);
      throw error;
    }
  }

  /** Connects without knowing whose key to expect, and keeps the connection. @returns the key that was believed */
  async meet(endpoint: Omit<Endpoint, 'node'>): Promise<KeyId> {
    const client = await this.#connect(endpoint);
    const key = keyOf({ identity: endpoint.identity, node: client.node });
    const kept = this.#open.get(key);
    this.#open.set(key, Promise.resolve(client));
    leave(kept);
    return client.node;
  }

  /** Of each node the way that won last: to be kept, and given to the next shell. */
  get ways(): Record<KeyId, string> {
    return Object.fromEntries(this.#ways);
  }

  /** Knows what another shell knew of ways to nodes, and nothing else. */
  restore(ways: Readonly<Record<KeyId, string>>): void {
    this.#ways.clear();
    for (const [node, way] of Object.entries(ways)) this.#ways.set(node as KeyId, way);
  }

  /** Closes all; never waits long for a node that does not answer. */
  async stop(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LEAVE_MS);
    await Promise.race([promise, Promise.allSettled(open.map(async (client) => (await client).close()))]);
    clearTimeout(timer);
  }

  async #attempt<M extends MethodName>(
    endpoint: Endpoint,
    { method, params, attachment }: Call<M>,
  ): Promise<Answer<M>> {
    const uploadMs = ((attachment?.byteLength ?? 0) / this.uploadBytesPerSecond) * 1000;
    const timeoutMs = Math.max(this.replyTimeoutMs, uploadMs);
    const options: CallOptions = { timeoutMs, ...(attachment && { attachment }) };
    const key = keyOf(endpoint);
    const pending = this.#pending(key, endpoint);
    try {
      const client = await unlessCancelled(endpoint.signal, pending);
      const startMs = performance.now();
      const answer = await unlessCancelled(endpoint.signal, client.call(method, params, options));
      return { ...answer, roundTripMs: performance.now() - startMs };
    } catch (error) {
      this.#judge(key, pending, error);
      throw error;
    }
  }

  #pending(key: string, endpoint: Endpoint): Promise<NodeClient> {
    return this.#open.get(key) ?? this.#keep(key, this.#connect(endpoint));
  }

  /** Keeps no connection over which something went wrong. */
  #judge(key: string, pending: Promise<NodeClient>, error: unknown): void {
    if (!(error instanceof PeerError) || this.#open.get(key) !== pending) return;
    this.#open.delete(key);
    leave(pending);
  }

  async #connect(endpoint: Omit<Endpoint, 'node'> & { node?: KeyId }): Promise<NodeClient> {
    throwIfCancelled(endpoint.signal);
    const { identity, reach, node } = endpoint;
    const lastWay = node === undefined ? undefined : this.#ways.get(node);
    const connectTimeoutMs = Math.min(this.#connectTimeoutMs, this.replyTimeoutMs);
    const client = await NodeClient.connect({ identity, reach, node, lastWay, connectTimeoutMs });
    this.#ways.set(client.node, client.way);
    return client;
  }

  #keep(key: string, connecting: Promise<NodeClient>): Promise<NodeClient> {
    this.#open.set(key, connecting);
    connecting.catch(() => {
      if (this.#open.get(key) === connecting) this.#open.delete(key);
    });
    return connecting;
  }
}

function keyOf({ identity, node }: { identity: Identity; node: KeyId }): string {
  return `${identity.id} ${node}`;
}

/** Nobody waits for it, and nobody wants to know how it ends. */
function leave(client: Promise<NodeClient> | undefined): void {
  client?.then((open) => open.close()).catch(() => undefined);
}
