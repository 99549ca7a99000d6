import { setTimeout as delay } from 'node:timers/promises';
import {
  addressText,
  describeError,
  type GatewayAddress,
  type Identity,
  type KeyId,
  LIMITS,
  NodeClient,
  type Reach,
  signAdvertisement,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import type { NodeLimits } from './limits.ts';

export interface AnnouncerComponents {
  readonly identity: Identity;
  readonly log: Logger;
}

export interface AnnouncerInit {
  /** Other nodes, as the operator lists them. */
  readonly directories: readonly GatewayAddress[];
  readonly version: string;
  /** What the operator calls the node. */
  readonly labels?: readonly string[];
  readonly limits: Pick<NodeLimits, 'announceEveryMs' | 'announceRetryMs'>;
  /** Where the node is, and the keys that it hosts vessels for; asked at each advertisement. */
  readonly facts: () => { reach: Reach; keys: KeyId[] };
}

/** Tells other nodes where this one is, so that who asks them finds it without any centre. */
export class Announcer implements AsyncDisposable {
  readonly #components: AnnouncerComponents;
  readonly #init: AnnouncerInit;
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(components: AnnouncerComponents, init: AnnouncerInit) {
    this.#components = components;
    this.#init = init;
  }

  start(): void {
    this.#running = Promise.all(this.#init.directories.map((directory) => this.#run(directory)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** What there is to say has changed: it is said now. */
  announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** What this node says of itself, signed and new. */
  async advertisement(): Promise<string> {
    const { version, labels = [], facts } = this.#init;
    const { reach, keys } = facts();
    return await signAdvertisement(
      this.#components.identity,
      { ...reach, keys, version, labels },
      LIMITS.advertisementLifetimeSeconds,
    );
  }

  async #run(directory: GatewayAddress): Promise<void> {
    const { signal } = this.#stop;
    const { announceEveryMs, announceRetryMs } = this.#init.limits;
    const where = addressText(directory);
    let said: string | undefined;
    while (!signal.aborted) {
      const changed = this.#changed.promise; // Taken before it is told, so that no change is missed.
      const failure = await this.#tell(directory).then(() => undefined, describeError);
      if (signal.aborted) return;
      const outcome = failure ?? 'it knows this node';
      const level = failure === undefined ? 'info' : 'warn';
      if (outcome !== said) this.#components.log[level]({ directory: where, outcome }, 'a directory was told');
      said = outcome;
      const waitMs = failure === undefined ? announceEveryMs : announceRetryMs;
      await this.#wait(waitMs * (0.5 + Math.random() / 2), changed);
    }
  }

  async #wait(timeMs: number, changed: Promise<void>): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stop.signal]);
    await Promise.race([delay(timeMs, undefined, { signal }).catch(() => undefined), changed]);
    over.abort();
  }

  async #tell({ host, port, key }: GatewayAddress): Promise<void> {
    const { identity } = this.#components;
    const { signal } = this.#stop;
    const client = await NodeClient.connect({ identity, address: { host, port }, node: key, signal });
    const hangUp = (): void => void client.close();
    signal.addEventListener('abort', hangUp);
    try {
      await client.call('Advertise', { advertisement: await this.advertisement() });
    } finally {
      signal.removeEventListener('abort', hangUp);
      await client.close();
    }
  }
}
