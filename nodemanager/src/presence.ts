import { type Address, type Identity, type KeyId, LIMITS, type Reach, type RelayCall } from '@potluck/protocol';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { Announcer } from './announcer.ts';
import { Calls, type CallsComponents } from './calls.ts';
import type { NodeConfig } from './config.ts';
import { GatewayClient } from './gateway.ts';
import type { NodeLimits } from './limits.ts';
import { PortMapper } from './mapper.ts';
import type { Router } from './router.ts';

export interface PresenceComponents {
  readonly identity: Identity;
  readonly log: Logger;
}

export interface PresenceInit {
  readonly config: Pick<NodeConfig, 'gateway' | 'advertise' | 'directories' | 'relay' | 'portMapping' | 'labels'>;
  readonly limits: NodeLimits;
  /** In the place of the router of the default route. */
  readonly router?: Router | undefined;
  /** The keys that the node hosts vessels for, asked at each advertisement. */
  readonly keys: () => KeyId[];
  /** How others come to the node is not what it was. */
  readonly onReach?: (found: ReachFound) => void;
}

/** How others come to the node, now. */
export interface ReachFound {
  readonly reach: Reach;
  /** Whether the clearinghouse, and so its relay, knows the node; undefined without one. */
  readonly isKnown: boolean | undefined;
  /** What came of asking the router; undefined when it is not asked. */
  readonly portMapping: string | undefined;
}

/** Keeps all who should know told where the node is: the clearinghouse of the configuration, and the directories. */
export class Presence implements AsyncDisposable {
  readonly #components: PresenceComponents;
  readonly #init: PresenceInit;
  readonly #announcer: Announcer;
  #gateway: GatewayClient | undefined;
  #calls: Calls | undefined;
  #mapper: PortMapper | undefined;
  #reach: Reach = { addresses: [], relays: [] };

  constructor(components: PresenceComponents, init: PresenceInit) {
    this.#components = components;
    this.#init = init;
    const { config, limits, keys } = init;
    this.#announcer = new Announcer(components, {
      directories: config.directories,
      version: packageJson.version,
      labels: config.labels,
      limits,
      facts: () => ({ reach: this.reach, keys: keys() }),
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
    if (config.portMapping) this.#map(listening);
    this.#tell();
    if (gateway === undefined) return;
    const calls = relay ? new Calls({ ...this.#components, server }, { relay: gateway, limits }) : undefined;
    this.#calls = calls;
    this.#gateway = new GatewayClient(this.#components, {
      gateway,
      reach: () => this.reach,
      onKnown: () => this.#tell(),
      version: packageJson.version,
      labels: config.labels,
      keys,
      onCall: calls && ((call: RelayCall) => calls.answer(call)),
    });
    this.#gateway.start();
  }

  /** Whether the clearinghouse has taken what this node said last; undefined when none is configured. */
  get isKnown(): boolean | undefined {
    return this.#gateway?.isKnown;
  }

  /** What others are told. */
  get reach(): Reach {
    const { addresses, relays } = this.#reach;
    const all = [...this.mapped, ...addresses];
    return { addresses: all.slice(0, LIMITS.advertisedAddresses), relays };
  }

  /** Where a router lets others through to the node. */
  get mapped(): readonly Address[] {
    return this.#mapper?.mapped ?? [];
  }

  async stop(): Promise<void> {
    this.#calls?.stop();
    await Promise.all([this.#gateway?.stop(), this.#announcer.stop(), this.#mapper?.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The keys have changed: all are told now. */
  changed(): void {
    this.#gateway?.advertise();
    this.#announcer.announce();
  }

  #map(listening: readonly Address[]): void {
    const { router, limits } = this.#init;
    const onChange = (): void => {
      this.changed();
      this.#tell();
    };
    this.#mapper = new PortMapper(this.#components, { router, limits, onChange });
    this.#mapper.start(listening);
  }

  #tell(): void {
    const { reach, isKnown } = this;
    this.#init.onReach?.({ reach, isKnown, portMapping: this.#mapper?.words });
  }

  /** What the node says of itself, signed and new. */
  async advertisement(): Promise<string> {
    return await this.#announcer.advertisement();
  }
}
