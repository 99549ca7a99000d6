import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FairQueue,
  formatRestrictions,
  joinRestrictions,
  type KeyId,
  LIMITS,
  RequestError,
  type Restrictions,
  splitRestrictions,
  type VesselName,
  vesselNameSchema,
} from '@potluck/protocol';
import type { VesselConfig } from './config.ts';
import type { NodeLimits } from './limits.ts';
import type { StatePaths } from './paths.ts';
import type { Demand } from './pool.ts';
import { Vessel, type VesselComponents } from './vessel.ts';
import type { VesselRecord } from './vessel-store.ts';

export interface VesselsInit {
  readonly paths: StatePaths;
  readonly limits: NodeLimits;
  /** Created when the node has no vessel yet. */
  readonly initial: readonly VesselConfig[];
  /** What a split costs. */
  readonly offcut: Restrictions;
}

/** All vessels of the node. */
export class Vessels implements AsyncDisposable {
  readonly #components: VesselComponents;
  readonly #init: VesselsInit;
  readonly #vessels = new Map<VesselName, Vessel>();
  /** Splits and joins, one at a time for the whole node. */
  readonly #queue: FairQueue;

  constructor(components: VesselComponents, init: VesselsInit) {
    this.#components = components;
    this.#init = init;
    const of = 'splits and joins of one owner under way';
    this.#queue = new FairQueue({ atOnce: 1, perCaller: init.limits.requestsPerVessel, of });
  }

  async start(): Promise<void> {
    const { initial } = this.#init;
    const { store } = this.#components;
    if (store.all().length === 0) store.create(initial, Date.now());
    for (const record of store.all()) this.#vessels.set(record.name, await this.#make(record));
    await this.#removeLeftovers();
  }

  async stop(): Promise<void> {
    await this.#queue.close();
    await Promise.all([...this.#vessels.values()].map((vessel) => vessel.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  all(): Vessel[] {
    return [...this.#vessels.values()];
  }

  get offcut(): Restrictions {
    return this.#init.offcut;
  }

  /** @throws RequestError NO_SUCH_VESSEL */
  get(name: VesselName): Vessel {
    const vessel = this.#vessels.get(name);
    if (vessel !== undefined) return vessel;
    throw new RequestError('NO_SUCH_VESSEL', `expected a vessel of this node, got "${name}", which is not there`);
  }

  /**
   * Puts two empty vessels in the place of one.
   * @throws RequestError NO_SUCH_VESSEL, NOT_PERMITTED, BAD_STATE (it runs), QUOTA_EXCEEDED, BAD_PARAMETERS, BUSY
   */
  async split(name: VesselName, wanted: Restrictions, owner: KeyId): Promise<{ wanted: VesselName; rest: VesselName }> {
    return await this.#queue.run(owner, async () => {
      const { vessels: most } = this.#init.limits;
      if (this.#vessels.size >= most) {
        throw new RequestError('QUOTA_EXCEEDED', `expected at most ${most} vessels on this node, got one more`);
      }
      const whole = this.get(name);
      const parts = splitRestrictions(whole.restrictions, wanted, this.offcut);
      const [first, second] = await this.#replace([whole], [parts.wanted, parts.rest], owner);
      return { wanted: first as VesselName, rest: second as VesselName };
    });
  }

  /**
   * Puts one empty vessel in the place of two; what the first one's owner had set stays.
   * @throws RequestError NO_SUCH_VESSEL, NOT_PERMITTED, BAD_STATE (one runs, or they do not fit), BAD_PARAMETERS (twice the same), BUSY
   */
  async join(name: VesselName, other: VesselName, owner: KeyId): Promise<VesselName> {
    return await this.#queue.run(owner, async () => {
      if (name === other) throw new RequestError('BAD_PARAMETERS', `expected two vessels, got ${name} twice`);
      const pair = [this.get(name), this.get(other)] as const;
      const whole = joinRestrictions(pair[0].restrictions, pair[1].restrictions, this.offcut);
      const [joined] = await this.#replace(pair, [whole], owner);
      return joined as VesselName;
    });
  }

  /** For whom processes are to be kept warm. */
  demand(): Demand {
    const counts = new Map<number, number>();
    for (const { restrictions } of this.all()) {
      const { memory } = restrictions.quantities;
      counts.set(memory, (counts.get(memory) ?? 0) + 1);
    }
    const commonBytes = [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
    const mostBytes = counts.size === 0 ? undefined : Math.max(...counts.keys());
    return { idle: this.all().filter(({ isIdle }) => isIdle).length, commonBytes, mostBytes };
  }

  /** Whether a key owns or may use a vessel of this node. */
  knows(key: KeyId): boolean {
    for (const vessel of this.#vessels.values()) if (vessel.permits('user', key)) return true;
    return false;
  }

  /** Whom the node tells where it is; owners first, as many as an advertisement may name. */
  keys(): KeyId[] {
    const told = this.all()
      .map(({ rights }) => rights)
      .filter(({ advertise }) => advertise);
    const keys = new Set([...told.map(({ owner }) => owner), ...told.flatMap(({ users }) => users)]);
    return [...keys].slice(0, LIMITS.advertisedKeys);
  }

  async #make(record: VesselRecord): Promise<Vessel> {
    const { paths, limits } = this.#init;
    const vessel = new Vessel(this.#components, { record, paths: paths.vessel(record.name), limits });
    await vessel.start();
    return vessel;
  }

  /** What the queues of the old ones hold is carried out first; nothing comes in between. */
  async #replace(
    old: readonly [Vessel, ...Vessel[]],
    parts: readonly Restrictions[],
    owner: KeyId,
  ): Promise<VesselName[]> {
    const { store, log } = this.#components;
    const fresh: Vessel[] = [];
    try {
      for (const vessel of old) vessel.checkIdle();
      await Promise.all(old.map(({ queue }) => queue.close()));
      for (const vessel of old) vessel.checkIdle();
      const status = { state: 'Fresh', since: Date.now() } as const;
      const texts = parts.map(formatRestrictions);
      const records = store
        .nextNames(parts.length)
        .map((name, index) => ({ name, restrictions: texts[index] ?? '', status }));
      // Their directories first: what fails there has changed nothing.
      for (const record of records) fresh.push(await this.#make({ ...old[0].rights, ...record }));
      // Its owner may have changed them meanwhile, or handed one over; from here on nothing waits.
      for (const vessel of old) checkOwner(vessel, owner);
      const { rights } = old[0];
      store.replace(
        old.map(({ name }) => name),
        records.map((record) => ({ ...rights, ...record })),
      );
      for (const vessel of fresh) vessel.inherit(rights);
    } catch (error) {
      for (const { queue } of old) queue.open();
      await this.#discard(fresh);
      throw error;
    }
    for (const vessel of old) {
      this.#vessels.delete(vessel.name);
      vessel.gone();
    }
    for (const vessel of fresh) this.#vessels.set(vessel.name, vessel);
    await this.#discard(old).catch((error: unknown) =>
      log.error({ err: error }, 'files of a vessel that is no more stay'),
    );
    return fresh.map(({ name }) => name);
  }

  async #discard(vessels: readonly Vessel[]): Promise<void> {
    for (const vessel of vessels) await vessel.stop();
    await this.#removeLeftovers();
  }

  /** Directories of vessels that are no more. */
  async #removeLeftovers(): Promise<void> {
    const { vessels } = this.#init.paths;
    const names = await readdir(vessels).catch(() => []);
    const gone = names.filter((name) => {
      const vessel = vesselNameSchema.safeParse(name);
      return vessel.success && !this.#vessels.has(vessel.data);
    });
    for (const name of gone) await rm(join(vessels, name), { recursive: true, force: true });
  }
}

function checkOwner({ name, rights }: Vessel, owner: KeyId): void {
  if (rights.owner === owner) return;
  throw new RequestError('NOT_PERMITTED', `expected the owner of ${name}, got key ${owner}, who was it until now`);
}
