import { type Address, directly, type Identity, type KeyId } from '@potluck/protocol';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { Announcer } from './announcer.ts';
import type { NodeConfig } from './config.ts';
import { GatewayClient } from './gateway.ts';
import type { NodeLimits } from './limits.ts';

export interface PresenceComponents {
  readonly identity: Identity;
  readonly log: Logger;
}

export interface PresenceInit {
  readonly config: Pick<NodeConfig, 'gateway' | 'advertise' | 'directories'>;
  readonly limits: NodeLimits;
  /** The keys that the node hosts vessels for, asked at each advertisement. */
  readonly keys: () => KeyId[];
}

/** Keeps all who should know told where the node is: the clearinghouse of the configuration, and the directories. */
export class Presence implements AsyncDisposable {
  readonly #components: PresenceComponents;
  readonly #init: PresenceInit;
  readonly #announcer: Announcer;
  #gateway: GatewayClient | undefined;
  #addresses: readonly Address[] = [];

  constructor(components: PresenceComponents, init: PresenceInit) {
    this.#components = components;
    this.#init = init;
    const { config, limits, keys } = init;
    this.#announcer = new Announcer(components, {
      directories: config.directories,
      version: packageJson.version,
      limits,
      facts: () => ({ reach: directly(...this.#addresses), keys: keys() }),
    });
  }

  /** @param listening where requests are listened for: told to others, unless the configuration says what is. */
  start(listening: readonly Address[]): void {
    const { config, keys } = this.#init;
    this.#addresses = config.advertise ?? listening;
    this.#announcer.start();
    if (config.gateway === undefined) return;
    const init = { gateway: config.gateway, addresses: this.#addresses, version: packageJson.version, keys };
    this.#gateway = new GatewayClient(this.#components, init);
    this.#gateway.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#gateway?.stop(), this.#announcer.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The keys have changed: all are told now. */
  changed(): void {
    this.#gateway?.advertise();
    this.#announcer.announce();
  }

  /** What the node says of itself, signed and new. */
  async advertisement(): Promise<string> {
    return await this.#announcer.advertisement();
  }
}
