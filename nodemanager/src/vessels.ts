import { type KeyId, LIMITS, RequestError, type VesselName } from '@potluck/protocol';
import type { VesselConfig } from './config.ts';
import type { NodeLimits } from './limits.ts';
import type { StatePaths } from './paths.ts';
import { Vessel, type VesselComponents } from './vessel.ts';

export interface VesselsInit {
  readonly paths: StatePaths;
  readonly limits: NodeLimits;
  /** Created when the node has no vessel yet. */
  readonly initial: readonly VesselConfig[];
}

/** All vessels of the node. */
export class Vessels implements AsyncDisposable {
  readonly #components: VesselComponents;
  readonly #init: VesselsInit;
  readonly #vessels = new Map<VesselName, Vessel>();

  constructor(components: VesselComponents, init: VesselsInit) {
    this.#components = components;
    this.#init = init;
  }

  async start(): Promise<void> {
    const { paths, limits, initial } = this.#init;
    const { store } = this.#components;
    if (store.all().length === 0) store.create(initial, Date.now());
    for (const record of store.all()) {
      const vessel = new Vessel(this.#components, { record, paths: paths.vessel(record.name), limits });
      await vessel.start();
      this.#vessels.set(record.name, vessel);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#vessels.values()].map((vessel) => vessel.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  all(): Vessel[] {
    return [...this.#vessels.values()];
  }

  /** @throws RequestError NO_SUCH_VESSEL */
  get(name: VesselName): Vessel {
    const vessel = this.#vessels.get(name);
    if (vessel !== undefined) return vessel;
    throw new RequestError('NO_SUCH_VESSEL', `expected a vessel of this node, got "${name}", which is not there`);
  }

  /** @returns the memory that most vessels have, in bytes; undefined while there is none. */
  commonMemoryBytes(): number | undefined {
    const counts = new Map<number, number>();
    for (const { restrictions } of this.all()) {
      const { memory } = restrictions.quantities;
      counts.set(memory, (counts.get(memory) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
  }

  /** Whom the node hosts vessels for; owners first, as many as an advertisement may name. */
  keys(): KeyId[] {
    const vessels = this.all();
    const keys = new Set([...vessels.map(({ owner }) => owner), ...vessels.flatMap(({ users }) => users)]);
    return [...keys].slice(0, LIMITS.advertisedKeys);
  }
}
