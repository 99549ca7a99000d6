import type { Duplex } from 'node:stream';
import {
  describeError,
  type FairQueue,
  type KeyId,
  type Message,
  nonceOf,
  packMessage,
  RequestError,
  toBuffer,
  unpackMessage,
  type VerifiedRequest,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import type { ByteBudget, Holder } from './budget.ts';
import type { Dispatcher } from './dispatch.ts';
import type { NodeLimits } from './limits.ts';
import type { Rates } from './rates.ts';
import { Rows } from './rows.ts';

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
  readonly rates: Rates;
  /** What costs before anything is known of who asks, in turn by address. */
  readonly checks: FairQueue;
  readonly log: Logger;
}

export interface ConnectionInit {
  readonly socket: WebSocket;
  /** What carries it: its bytes are counted before they are a message. */
  readonly carrier: Duplex;
  /** Of the client, as it is counted by (`homeOf`). */
  readonly address: string;
  readonly limits: NodeLimits;
}

/** A WebSocket close reason has room for 123 bytes. */
const REASON_BYTES = 123;

/** One client: messages in, signed replies out, within limits of count, bytes and time. */
export class Connection {
  readonly #components: ConnectionComponents;
  readonly #socket: WebSocket;
  readonly #address: string;
  readonly #limits: NodeLimits;
  readonly #rows: Rows;
  #requests = 0;
  /** The key that signed the last request, if it has a vessel here: its requests are not counted as strangers'. */
  #member: KeyId | undefined;
  /** Of a message that is not complete. */
  #partialBytes = 0;
  readonly #holder: Holder;
  #timer: NodeJS.Timeout | undefined;

  constructor(components: ConnectionComponents, { socket, carrier, address, limits }: ConnectionInit) {
    this.#components = components;
    this.#socket = socket;
    this.#address = address;
    this.#limits = limits;
    this.#rows = new Rows(limits.followersPerConnection);
    this.#holder = { address, giveWay: () => this.#giveWay() };
    // Before `ws` reads it: a message that it completes must find its bytes counted.
    carrier.prependListener('data', (chunk: Buffer) => this.#count(chunk.length));
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', (error) => components.log.debug({ reason: describeError(error) }, 'a connection broke'));
    socket.once('close', () => this.#closed());
    this.#awaitMessage();
  }

  #closed(): void {
    this.#rows.close();
    clearTimeout(this.#timer);
    this.#components.budget.release(this.#address, this.#settled());
  }

  /** @returns the bytes of the message that is complete now, or will never be. */
  #settled(): number {
    const bytes = this.#partialBytes;
    this.#partialBytes = 0;
    this.#components.budget.settle(this.#holder);
    return bytes;
  }

  /** Others need the room. What has come is let go at once, so nothing is said. */
  #giveWay(): void {
    this.#components.budget.release(this.#address, this.#settled());
    this.#socket.terminate();
  }

  #close(code: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#socket.close(code, Buffer.from(reason).subarray(0, REASON_BYTES).toString().replaceAll('\ufffd', ''));
    // `ws` alone would wait 30 s for the other side's farewell, and take its bytes meanwhile.
    this.#timer = setTimeout(() => this.#socket.terminate(), this.#limits.farewellMs).unref();
  }

  /** One who follows a log has nothing more to say. */
  #awaitMessage(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#rows.size > 0) this.#awaitMessage();
      else this.#close(CLOSE_CODES.idle, 'no message for too long');
    }, this.#limits.idleMs).unref();
  }

  #await(timeMs: number, code: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#close(code, reason), timeMs).unref();
  }

  #count(bytes: number): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#components.budget.hold(this.#holder, bytes)) {
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
    const held = this.#settled();
    this.#awaitMessage();
    if (!isBinary) {
      this.#components.budget.release(this.#address, held);
      this.#close(CLOSE_CODES.binaryOnly, 'expected a binary message, got text');
      return;
    }
    void this.#answer(bytes).finally(() => this.#components.budget.release(this.#address, held));
  }

  async #answer(bytes: Buffer): Promise<void> {
    this.#requests += 1;
    const isOver = this.#requests > this.#limits.requestsPerConnection;
    // Who does not read what he is answered, or sends on after BUSY, is read no further: nothing of his piles up here.
    if (this.#requests >= this.#limits.repliesPerConnection) this.#socket.pause();
    let isAnswered = false;
    try {
      const checked = await this.#components.checks.run(this.#address, async () => await this.#check(bytes, isOver));
      if (checked === undefined) return;
      const replies =
        'envelope' in checked
          ? [checked]
          : this.#components.dispatcher.answer(checked, { rows: this.#rows, home: this.#address });
      for await (const reply of replies) {
        await this.#send(reply);
        if (!isAnswered) this.#answered(); // What follows in a row is no unanswered request: rows have their own limit.
        isAnswered = true;
      }
    } catch (error) {
      this.#components.log.error({ err: error }, 'a reply could not be made');
      this.#socket.terminate();
    } finally {
      if (!isAnswered) this.#answered();
    }
  }

  #answered(): void {
    this.#requests -= 1;
    if (this.#socket.isPaused && this.#requests < this.#limits.repliesPerConnection) this.#socket.resume();
  }

  /** @returns the request, or its signed refusal; undefined when there is nobody to answer. */
  async #check(bytes: Buffer, isOver: boolean): Promise<VerifiedRequest | Message | undefined> {
    if (this.#socket.readyState !== this.#socket.OPEN) return undefined;
    const asked = this.#open(bytes);
    if (asked === undefined) return undefined;
    const { dispatcher, rates } = this.#components;
    try {
      if (isOver) throw tooMany(this.#limits.requestsPerConnection);
      if (this.#member === undefined) rates.ofAddress(this.#address);
      else rates.ofKey(this.#member);
      const request = await dispatcher.check(asked.message);
      this.#settle(request.signer);
      return request;
    } catch (error) {
      return await dispatcher.refuse(asked.nonce, error);
    }
  }

  /** The request was paid for as one of the key before it, or of the address; now it is known whose it is. */
  #settle(signer: KeyId): void {
    const { dispatcher, rates } = this.#components;
    const before = this.#member;
    this.#member = dispatcher.knows(signer) ? signer : undefined;
    if (this.#member === before) return;
    if (before === undefined) rates.giveBack(this.#address);
    if (this.#member === undefined) rates.ofAddress(this.#address);
    else rates.ofKey(this.#member);
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

  /** Returns when the bytes have left: until then the request counts as under way. */
  async #send(reply: Message): Promise<void> {
    const packed = packMessage(reply);
    this.#components.budget.charge(this.#address, packed.length);
    const late = setTimeout(() => this.#socket.terminate(), this.#limits.messageMs).unref();
    await new Promise<void>((resolve) => this.#socket.send(packed, () => resolve()));
    clearTimeout(late);
    this.#components.budget.release(this.#address, packed.length);
  }
}

function tooMany(limit: number): RequestError {
  return new RequestError('BUSY', `expected at most ${limit} requests of one connection under way, got one more`);
}
