import type { Address, Identity, KeyId, Reach, RelayCall } from '@potluck/protocol';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { Announcer } from './announcer.ts';
import { Calls, type CallsComponents } from './calls.ts';
import type { NodeConfig } from './config.ts';
import { GatewayClient } from './gateway.ts';
import type { NodeLimits } from './limits.ts';

export interface PresenceComponents {
  readonly identity: Identity;
  readonly log: Logger;
}

export interface PresenceInit {
  readonly config: Pick<NodeConfig, 'gateway' | 'advertise' | 'directories' | 'relay'>;
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
  #calls: Calls | undefined;
  #reach: Reach = { addresses: [], relays: [] };

  constructor(components: PresenceComponents, init: PresenceInit) {
    this.#components = components;
    this.#init = init;
    const { config, limits, keys } = init;
    this.#announcer = new Announcer(components, {
      directories: config.directories,
      version: packageJson.version,
      limits,
      facts: () => ({ reach: this.#reach, keys: keys() }),
    });
  }

  /**
   * @param listening where requests are listened for: told to others, unless the configuration says what is.
   * @param server takes those who call through the relay.
   */
  start(listening: readonly Address[], server: CallsComponents['server']): void {
    const { config, keys, limits } = this.#init;
    const { gateway, advertise = listening, relay } = config;
    this.#reach = { addresses: advertise, relays: relay && gateway !== undefined ? [gateway] : [] };
    this.#announcer.start();
    if (gateway === undefined) return;
    const calls = relay ? new Calls({ ...this.#components, server }, { relay: gateway, limits }) : undefined;
    this.#calls = calls;
    this.#gateway = new GatewayClient(this.#components, {
      gateway,
      reach: () => this.#reach,
      version: packageJson.version,
      keys,
      onCall: calls && ((call: RelayCall) => calls.answer(call)),
    });
    this.#gateway.start();
  }

  /** Whether the clearinghouse has taken what this node said last; undefined when none is configured. */
  get isKnown(): boolean | undefined {
    return this.#gateway?.isKnown;
  }

  async stop(): Promise<void> {
    this.#calls?.stop();
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
