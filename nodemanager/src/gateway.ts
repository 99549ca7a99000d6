import { setTimeout as delay } from 'node:timers/promises';
import {
  describeError,
  GATEWAY,
  type GatewayAddress,
  gatewayMessageSchema,
  type Identity,
  type KeyId,
  openPinnedSocket,
  parseJson,
  RateLimit,
  type Reach,
  type RelayCall,
  signAdvertisement,
  toBuffer,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';

export interface GatewayClientComponents {
  readonly identity: Identity;
  readonly log: Logger;
}

export interface GatewayClientInit {
  readonly gateway: GatewayAddress;
  /** Asked at each advertisement. */
  readonly reach: () => Reach;
  readonly version: string;
  /** What the operator calls the node. */
  readonly labels?: readonly string[];
  /** The keys that the node hosts vessels for, asked at each advertisement. */
  readonly keys: () => KeyId[];
  /** Somebody calls the node through the gateway; without it nobody is answered. */
  readonly onCall?: ((call: RelayCall) => void) | undefined;
  /** `isKnown` is not what it was. */
  readonly onKnown?: (() => void) | undefined;
  readonly advertiseEveryMs?: number;
  readonly advertiseEachMs?: number;
}

/**
 * Keeps the clearinghouse told that the node is there. A clearinghouse that is away is not the node's fault: it is
 * dialled again and again, and the log has one line for each change.
 */
export class GatewayClient implements AsyncDisposable {
  readonly #components: GatewayClientComponents;
  readonly #init: GatewayClientInit;
  readonly #stop = new AbortController();
  #socket: WebSocket | undefined;
  #isKnown = false;
  #running: Promise<void> | undefined;
  #waitMs: number = GATEWAY.redialFirstMs;
  /** A class changes the users of a node's vessels more often than the clearinghouse listens. */
  readonly #rate: RateLimit;
  #gathering: NodeJS.Timeout | undefined;
  /** What the log was last told. */
  #said = '';

  constructor(components: GatewayClientComponents, init: GatewayClientInit) {
    this.#components = components;
    this.#init = init;
    const { advertiseEachMs = GATEWAY.advertiseEachMs } = init;
    this.#rate = new RateLimit({ perSecond: 1000 / advertiseEachMs, burst: GATEWAY.advertiseBurst, entries: 1 });
  }

  /** Whether the clearinghouse has taken what this node said last. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#gathering);
    this.#socket?.terminate();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Advertises, because what there is to say has changed: at once, or soon when that is often. Without a connection, the next one says it. */
  advertise(): void {
    if (this.#socket === undefined || this.#gathering !== undefined || this.#stop.signal.aborted) return;
    const waitMs = this.#rate.take('');
    if (waitMs > 0) {
      this.#gathering = setTimeout(() => {
        this.#gathering = undefined;
        this.advertise();
      }, Math.ceil(waitMs)).unref();
      return;
    }
    void this.#advertise().catch((error: unknown) => this.#say('error', describeError(error)));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const reason = await this.#serve().catch(describeError);
      if (signal.aborted) return;
      this.#say('warn', `the clearinghouse is away: ${reason}`);
      // Half of it by chance, so that the nodes of a clearinghouse that comes back do not all dial at once.
      await delay(this.#waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      this.#waitMs = Math.min(this.#waitMs * 2, GATEWAY.redialLongestMs);
    }
  }

  /** One connection, from dialling to its end. @returns why it ended. */
  async #serve(): Promise<string> {
    const { host, port, key } = this.#init.gateway;
    const { socket } = await openPinnedSocket({
      address: { host, port },
      key,
      identity: this.#components.identity,
      maxPayloadBytes: GATEWAY.messageBytes,
      signal: this.#stop.signal,
    });
    const everyMs = this.#init.advertiseEveryMs ?? GATEWAY.advertiseEverySeconds * 1000;
    const { promise, resolve } = Promise.withResolvers<string>();
    let answered = true;
    socket.on('message', (data) => {
      answered = true;
      this.#receive(data);
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('it closed the connection'));
    this.#socket = socket;
    const turn = (): void => {
      if (!answered) {
        resolve('it did not answer');
        return;
      }
      answered = false;
      this.advertise();
    };
    turn();
    const timer = setInterval(turn, everyMs);
    if (this.#stop.signal.aborted) resolve('the node manager stops');
    const reason = await promise;
    clearInterval(timer);
    this.#socket = undefined;
    this.#know(false);
    socket.terminate();
    return reason;
  }

  async #advertise(): Promise<void> {
    const { reach, version, keys, labels = [] } = this.#init;
    const socket = this.#socket;
    if (socket === undefined) return;
    const facts = { ...reach(), keys: keys(), version, labels };
    const jws = await signAdvertisement(this.#components.identity, facts, GATEWAY.advertisementLifetimeSeconds);
    if (socket.readyState === socket.OPEN) socket.send(jws);
  }

  #receive(data: RawData): void {
    const reply = gatewayMessageSchema.safeParse(parseJson(toBuffer(data).toString()));
    if (!reply.success) {
      this.#say('warn', 'the clearinghouse answered something that is not a reply');
    } else if ('call' in reply.data) {
      this.#init.onCall?.(reply.data);
    } else if (reply.data.ok) {
      this.#know(true);
      this.#waitMs = GATEWAY.redialFirstMs;
      this.#say('info', 'the clearinghouse knows this node');
    } else {
      this.#know(false);
      this.#say('warn', `the clearinghouse refused the advertisement: ${reply.data.message ?? 'no reason given'}`);
    }
  }

  #know(isKnown: boolean): void {
    if (isKnown === this.#isKnown) return;
    this.#isKnown = isKnown;
    this.#init.onKnown?.();
  }

  #say(level: 'info' | 'warn' | 'error', text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    const { host, port } = this.#init.gateway;
    this.#components.log[level]({ gateway: `${host}:${port}` }, text);
  }
}
