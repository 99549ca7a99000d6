import type { KeyId, VesselName } from '@potluck/protocol';
import type { Database, Trx } from './database.ts';
import type { VesselRef } from './holdings.ts';
import type { LeaseState } from './schema.ts';
import type { Tasks } from './tasks.ts';

/** What the backend found on a node: a vessel that a donor's key owns. */
export interface FoundVessel {
  readonly name: VesselName;
  readonly owner: KeyId;
  /** The account of the owner's key. */
  readonly donor: string;
  readonly restrictions: string;
  /** Ports for both UDP and TCP. */
  readonly ports: readonly number[];
  /** Nobody uses it and it has never run: it may be offered as it is. */
  readonly clean: boolean;
}

/** The donated vessels, as the backend finds and leaves them. */
export class Inventory {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /** Takes in what a node has now: new vessels are offered, changed ones noted, missing ones forgotten. */
  async record(trx: Trx, node: KeyId, found: readonly FoundVessel[]): Promise<void> {
    for (const donor of new Set(found.map((vessel) => vessel.donor))) {
      await trx
        .insertInto('donations')
        .values({ node_id: node, account_id: donor, created_at: Date.now() })
        .onConflict((oc) => oc.column('node_id').doNothing())
        .execute();
    }
    await trx
      .deleteFrom('vessels')
      .where('node_id', '=', node)
      .$if(found.length > 0, (query) =>
        query.where(
          'name',
          'not in',
          found.map(({ name }) => name),
        ),
      )
      .execute();
    if (found.length === 0) await trx.deleteFrom('donations').where('node_id', '=', node).execute();
    for (const vessel of found) await this.#recordVessel(trx, node, vessel);
  }

  /** @returns whose key owns the vessel, and the key of its holder; undefined when it has moved on. */
  async heldUnder({ node, name }: VesselRef, fence: number): Promise<{ owner: KeyId; user: KeyId } | undefined> {
    return await this.#db
      .selectFrom('vessels')
      .innerJoin('accounts', 'accounts.id', 'vessels.account_id')
      .select(['vessels.owner', 'accounts.key_id as user'])
      .where('vessels.node_id', '=', node)
      .where('vessels.name', '=', name)
      .where('vessels.fence', '=', fence)
      .executeTakeFirst();
  }

  /** @returns whether the vessel is still as it was when the task was written, and whose key owns it. */
  async underFence({ node, name }: VesselRef, fence: number): Promise<KeyId | undefined> {
    const row = await this.#db
      .selectFrom('vessels')
      .select('owner')
      .where('node_id', '=', node)
      .where('name', '=', name)
      .where('fence', '=', fence)
      .executeTakeFirst();
    return row?.owner;
  }

  /** A vessel has been emptied: offer it again. */
  async cleaned(trx: Trx, { node, name }: VesselRef, fence: number): Promise<void> {
    await trx
      .updateTable('vessels')
      .set({ state: 'free' })
      .where('node_id', '=', node)
      .where('name', '=', name)
      .where('fence', '=', fence)
      .where('state', '=', 'cleaning')
      .execute();
  }

  /** The node says that it has no such vessel, or that it is no longer the donor's. */
  async forget(trx: Trx, { node, name }: VesselRef): Promise<void> {
    await trx.deleteFrom('vessels').where('node_id', '=', node).where('name', '=', name).execute();
  }

  async #recordVessel(trx: Trx, node: KeyId, vessel: FoundVessel): Promise<void> {
    const { name, owner, restrictions } = vessel;
    const known = await trx
      .selectFrom('vessels')
      .select(['state', 'fence'])
      .where('node_id', '=', node)
      .where('name', '=', name)
      .executeTakeFirst();
    const state = nextState(known?.state, vessel.clean);
    // A vessel that was forgotten and comes back starts above every fence that it ever had.
    const fence = known?.fence ?? Date.now();
    await trx
      .insertInto('vessels')
      .values({ node_id: node, name, owner, restrictions, state, fence })
      .onConflict((oc) => oc.columns(['node_id', 'name']).doUpdateSet({ owner, restrictions, state }))
      .execute();
    await trx.deleteFrom('vessel_ports').where('node_id', '=', node).where('name', '=', name).execute();
    const ports = vessel.ports.map((port) => ({ node_id: node, name, port }));
    if (ports.length > 0) await trx.insertInto('vessel_ports').values(ports).execute();
    if (state === 'cleaning' && known?.state !== 'cleaning') {
      const payload = { node, vessel: name, fence };
      await this.#tasks.add(trx, { kind: 'reset-vessel', subject: `vessel:${node}:${name}`, node, payload });
    }
  }
}

/** What nobody holds must be clean to be offered; what is held or being cleaned goes its own way. */
function nextState(known: LeaseState | undefined, clean: boolean): LeaseState {
  if (known !== undefined && known !== 'free') return known;
  return clean ? 'free' : 'cleaning';
}
