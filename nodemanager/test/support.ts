import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Address,
  generateIdentity,
  type Identity,
  type KeyId,
  LIMITS,
  type Message,
  NodeClient,
  openPinnedSocket,
  PeerError,
  packMessage,
  type Reply,
  type RequestCode,
  RequestError,
  signRequest,
  toBuffer,
  unpackMessage,
  verifyReply,
} from '@potluck/protocol';
import { type RawData, WebSocket } from 'ws';
import type { z } from 'zod';
import { NodeManager, type NodeManagerInit, type nodeConfigSchema, type StatePaths, statePaths } from '../src/index.ts';

export const RESTRICTIONS = [
  'resource cpu 0.2',
  'resource memory 60000000',
  'resource diskused 10000000',
  'resource events 20',
  'resource insockets 5',
  'resource outsockets 5',
  'resource lograte 1000000',
  'resource random 10000',
].join('\n');

/** A directory that is gone at the end of its scope. */
export class TemporaryDirectory implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await mkdtemp(join(tmpdir(), 'potluck-nodemanager-')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export interface TestNodeInit {
  readonly vessels?: number;
  readonly limits?: NodeManagerInit['limits'];
  readonly config?: Partial<z.input<typeof nodeConfigSchema>>;
  readonly restrictions?: string;
  readonly router?: NodeManagerInit['router'];
}

/** A real node manager with its own state directory; each vessel has the one owner and the one user. */
export class TestNode implements AsyncDisposable {
  readonly owner = generateIdentity();
  readonly user = generateIdentity();
  readonly stranger = generateIdentity();
  readonly directory: TemporaryDirectory;
  readonly paths: StatePaths;
  manager: NodeManager;
  readonly #init: TestNodeInit;
  readonly #clients: NodeClient[] = [];

  private constructor(directory: TemporaryDirectory, init: TestNodeInit) {
    this.directory = directory;
    this.paths = statePaths(directory.path);
    this.#init = init;
    this.manager = this.#make();
  }

  static async start(init: TestNodeInit = {}): Promise<TestNode> {
    const node = new TestNode(await TemporaryDirectory.make(), init);
    try {
      await node.writeConfig();
      await node.manager.start();
    } catch (error) {
      await node.directory[Symbol.asyncDispose]();
      throw error;
    }
    return node;
  }

  /** Without a warm pool, unless the limits say so: most tests run no program. */
  #make(): NodeManager {
    const { limits, router } = this.#init;
    return new NodeManager({ state: this.directory.path, limits: { poolSize: 0, ...limits }, router });
  }

  async writeConfig(more: NonNullable<TestNodeInit['config']> = this.#init.config ?? {}): Promise<void> {
    const vessel = {
      owner: this.owner.id,
      users: [this.user.id],
      restrictions: this.#init.restrictions ?? RESTRICTIONS,
    };
    const config = {
      listen: { host: '127.0.0.1', port: 0 },
      vessels: Array.from({ length: this.#init.vessels ?? 1 }, () => vessel),
      ...more,
    };
    await writeFile(this.paths.config, JSON.stringify(config), { mode: 0o600 });
  }

  async restart(): Promise<void> {
    await this.manager.stop();
    this.manager = this.#make();
    await this.manager.start();
  }

  get id(): KeyId {
    return this.manager.id;
  }

  get address(): Address {
    return this.manager.address;
  }

  async client(identity: Identity): Promise<NodeClient> {
    const client = await NodeClient.connect({ address: this.address, node: this.id, identity });
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.manager.stop();
    await this.directory[Symbol.asyncDispose]();
  }
}

/** A connection below `NodeClient`, for messages that it would not send. */
export class RawConnection implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly #node: KeyId;
  readonly #messages: AsyncIterator<unknown>;
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(socket: WebSocket, node: KeyId) {
    this.socket = socket;
    this.#node = node;
    socket.on('error', () => undefined);
    this.#messages = on(socket, 'message', { close: ['close'] });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** @param from one of this machine's own addresses, where it has more than one for us (Linux: all of 127.0.0.0/8). */
  static async open({ address, id }: { address: Address; id: KeyId }, from?: string): Promise<RawConnection> {
    if (from !== undefined) {
      const url = `wss://${address.host}:${address.port}/`;
      const socket = new WebSocket(url, { localAddress: from, rejectUnauthorized: false, perMessageDeflate: false });
      const opened = new RawConnection(socket, id);
      await once(socket, 'open').catch((cause: unknown) => {
        throw new PeerError('UNREACHABLE', 'expected to be let in, was dropped', { cause });
      });
      return opened;
    }
    const { socket } = await openPinnedSocket({ address, key: id, maxPayloadBytes: LIMITS.messageBytes });
    return new RawConnection(socket, id);
  }

  async exchange(message: Message): Promise<Reply | RequestError> {
    this.socket.send(packMessage(message));
    return await this.reply();
  }

  async reply(): Promise<Reply | RequestError> {
    const { value } = await this.#messages.next();
    const [data] = value as [RawData];
    return (await verifyReply(unpackMessage(toBuffer(data)), this.#node)).outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

type AnyRequest = Partial<Parameters<typeof signRequest>[1]>;

/** A signed request for `GetVessels`, or what `init` makes of it. */
export async function requestTo(node: { id: KeyId }, signer: Identity, init: AnyRequest = {}): Promise<Message> {
  return (await signRequest(signer, { method: 'GetVessels', params: {}, node: node.id, ...init })).message;
}

export function assertRefused(outcome: Reply | RequestError, code: RequestCode): RequestError {
  assert.ok(outcome instanceof RequestError, `expected ${code}, got a result`);
  assert.equal(outcome.code, code, outcome.message);
  assert.doesNotMatch(outcome.message, /\n|\bat .*:\d+/, 'a stack went to the caller');
  return outcome;
}

export async function rejectsWith(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error);
    assert.equal(error.code, code, error.message);
    return true;
  });
}
