import type { Duplex } from 'node:stream';
import {
  describeError,
  type Message,
  nonceOf,
  packMessage,
  RequestError,
  toBuffer,
  unpackMessage,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import type { ByteBudget } from './budget.ts';
import type { Dispatcher } from './dispatch.ts';
import type { NodeLimits } from './limits.ts';

/** Why the node closed a connection (RFC 6455 section 7.4; 4000 and up are ours). */
export const CLOSE_CODES = {
  goingAway: 1001,
  binaryOnly: 1003,
  tooManyBytes: 1013,
  /** Not a message, or one without a nonce to answer under. */
  badMessage: 4400,
  tooSlow: 4408,
  idle: 4409,
} as const;

export interface ConnectionComponents {
  readonly dispatcher: Dispatcher;
  readonly budget: ByteBudget;
  readonly log: Logger;
}

export interface ConnectionInit {
  readonly socket: WebSocket;
  /** What carries it: its bytes are counted before they are a message. */
  readonly carrier: Duplex;
  readonly limits: NodeLimits;
}

/** A WebSocket close reason has room for 123 bytes. */
const REASON_BYTES = 123;

/** One client: messages in, signed replies out, within limits of count, bytes and time. */
export class Connection {
  readonly #components: ConnectionComponents;
  readonly #socket: WebSocket;
  readonly #limits: NodeLimits;
  #requests = 0;
  /** Of a message that is not complete. */
  #partialBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(components: ConnectionComponents, { socket, carrier, limits }: ConnectionInit) {
    this.#components = components;
    this.#socket = socket;
    this.#limits = limits;
    // Before `ws` reads it: a message that it completes must find its bytes counted.
    carrier.prependListener('data', (chunk: Buffer) => this.#count(chunk.length));
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', (error) => components.log.debug({ reason: describeError(error) }, 'a connection broke'));
    socket.once('close', () => this.#closed());
    this.#await(limits.idleMs, CLOSE_CODES.idle, 'no message for too long');
  }

  #closed(): void {
    clearTimeout(this.#timer);
    this.#components.budget.release(this.#partialBytes);
    this.#partialBytes = 0;
  }

  #close(code: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#socket.close(code, Buffer.from(reason).subarray(0, REASON_BYTES).toString().replaceAll('\ufffd', ''));
    // `ws` alone would wait 30 s for the other side's farewell, and take its bytes meanwhile.
    this.#timer = setTimeout(() => this.#socket.terminate(), this.#limits.farewellMs).unref();
  }

  #await(timeMs: number, code: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#close(code, reason), timeMs).unref();
  }

  #count(bytes: number): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#components.budget.hold(bytes)) {
      this.#close(CLOSE_CODES.tooManyBytes, 'the node holds as many bytes as it may: try again later');
      return;
    }
    if (this.#partialBytes === 0) {
      this.#await(this.#limits.messageMs, CLOSE_CODES.tooSlow, 'the message took too long');
    }
    this.#partialBytes += bytes;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const bytes = toBuffer(data);
    // What has come of a next message by now is less than one read of the socket: it is let go uncounted.
    const held = this.#partialBytes;
    this.#partialBytes = 0;
    this.#await(this.#limits.idleMs, CLOSE_CODES.idle, 'no message for too long');
    if (!isBinary) {
      this.#components.budget.release(held);
      this.#close(CLOSE_CODES.binaryOnly, 'expected a binary message, got text');
      return;
    }
    void this.#answer(bytes).finally(() => this.#components.budget.release(held));
  }

  async #answer(bytes: Buffer): Promise<void> {
    const asked = this.#open(bytes);
    if (asked === undefined) return;
    this.#requests += 1;
    try {
      await this.#send(await this.#reply(asked));
    } catch (error) {
      this.#components.log.error({ err: error }, 'a reply could not be made');
      this.#socket.terminate();
    } finally {
      this.#requests -= 1;
    }
  }

  #open(bytes: Buffer): { message: Message; nonce: string } | undefined {
    try {
      const message = unpackMessage(bytes);
      const nonce = nonceOf(message);
      if (nonce !== undefined) return { message, nonce };
      this.#close(CLOSE_CODES.badMessage, 'BAD_MESSAGE: expected a signed request with a nonce');
    } catch (error) {
      this.#close(CLOSE_CODES.badMessage, `BAD_MESSAGE: ${describeError(error)}`);
    }
    return undefined;
  }

  async #reply({ message, nonce }: { message: Message; nonce: string }): Promise<Message> {
    const { dispatcher } = this.#components;
    if (this.#requests <= this.#limits.requestsPerConnection) return await dispatcher.answer(message, nonce);
    const limit = this.#limits.requestsPerConnection;
    const busy = new RequestError('BUSY', `expected at most ${limit} requests under way, got one more`);
    return await dispatcher.refuse(nonce, busy);
  }

  /** Returns when the bytes have left: until then the request counts as under way. */
  async #send(reply: Message): Promise<void> {
    const packed = packMessage(reply);
    this.#components.budget.charge(packed.length);
    const late = setTimeout(() => this.#socket.terminate(), this.#limits.messageMs).unref();
    await new Promise<void>((resolve) => this.#socket.send(packed, () => resolve()));
    clearTimeout(late);
    this.#components.budget.release(packed.length);
  }
}
