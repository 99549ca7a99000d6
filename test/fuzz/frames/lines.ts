import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import {
  type Address,
  type KeyId,
  LIMITS,
  openPinnedSocket,
  toBuffer,
  unpackMessage,
  verifyReply,
} from '@potluck/protocol';
import type { RawData, WebSocket } from 'ws';
import type { Shot } from './shots.ts';

export interface Node {
  readonly node: KeyId;
  readonly address: Address;
}

/** What a shot met: the code of a signed reply (`ok` for a result), or `closed` with the code of the farewell. */
export type Echo = { readonly reply: string } | { readonly closed: number };

/** No answer within this time is a finding. */
const PATIENCE_MS = 60_000;
/** The signature of one reply in so many is looked at. */
const VERIFY_EVERY = 16;

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: node',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n');

/** One connection after the other, as they are used up. */
export class Line implements AsyncDisposable {
  readonly #node: Node;
  #socket: WebSocket | undefined;
  #replies = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  /** @returns what it met, or a sentence that says what is wrong. */
  async fire(shot: Shot): Promise<Echo | string> {
    if (shot.as === 'raw') return await this.#fireRaw(shot.bytes);
    this.#socket ??= await this.#open();
    const socket = this.#socket;
    const { promise, resolve } = Promise.withResolvers<Buffer | number | undefined>();
    const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    const onMessage = (data: RawData): void => resolve(toBuffer(data));
    const onClose = (code: number): void => resolve(code);
    socket.once('message', onMessage).once('close', onClose);
    socket.send(shot.bytes, { binary: shot.as === 'message' }, () => undefined);
    const got = await promise;
    clearTimeout(timer);
    socket.off('message', onMessage).off('close', onClose);
    if (Buffer.isBuffer(got)) return await this.#heard(got);
    this.#socket = undefined;
    socket.terminate();
    return got === undefined ? 'expected an answer, got none' : { closed: got };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === socket.CLOSED) return;
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  }

  async #open(): Promise<WebSocket> {
    const { node, address } = this.#node;
    const { socket } = await openPinnedSocket({ address, key: node, maxPayloadBytes: LIMITS.messageBytes });
    socket.on('error', () => undefined);
    return socket;
  }

  async #heard(bytes: Buffer): Promise<Echo> {
    const message = unpackMessage(bytes);
    this.#replies += 1;
    if (this.#replies % VERIFY_EVERY === 1) await verifyReply(message, this.#node.node);
    const payload = Buffer.from(message.envelope.split('.')[1] ?? '', 'base64url').toString();
    const { error }: { error?: { code: string } } = JSON.parse(payload);
    return { reply: error?.code ?? 'ok' };
  }

  async #fireRaw(bytes: Buffer): Promise<Echo | string> {
    const socket: TLSSocket = connect({ ...this.#node.address, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    socket.write(UPGRADE);
    socket.once('data', () => socket.end(bytes));
    socket.resume();
    const isClosed = await Promise.race([closed, late]);
    clearTimeout(timer);
    socket.destroy();
    return isClosed ? { closed: 0 } : 'expected the connection to end, it did not';
  }
}
