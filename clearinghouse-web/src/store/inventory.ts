import { type KeyId, PORT_NAMES, parseRestrictions, QUANTITY_NAMES, type VesselName } from '@potluck/protocol';
import type { Selectable } from 'kysely';
import type { Database, Trx } from './database.ts';
import { endLeases } from './ending.ts';
import type { VesselRef } from './holdings.ts';
import { endDonation, post, settleDonations } from './ledger.ts';
import { advance } from './life.ts';
import { drawn } from './offers.ts';
import type { LeaseState, VesselsTable } from './schema.ts';
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
  /** It is to be split into several before it is offered. */
  readonly whole?: boolean;
}

/** The donated vessels, as the backend finds and leaves them. */
export class Inventory {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /**
   * Takes in what a node has now. Of a node that is new, or that the operator trusts again, all is believed; later it must
   * have what it had, or it is broken.
   */
  async record(trx: Trx, node: KeyId, all: readonly FoundVessel[]): Promise<void> {
    const row = await trx.selectFrom('nodes').select('life').where('id', '=', node).executeTakeFirst();
    if (row === undefined || row.life === 'gone') return;
    const found = (await isOfNobody(trx, node, all)) ? [] : all;
    const known = await trx.selectFrom('vessels').selectAll().where('node_id', '=', node).execute();
    const lie = row.life === null || row.life === 'accepting' ? undefined : lieOf(known, found);
    if (lie !== undefined) {
      await advance(trx, node, 'lied', lie);
      return;
    }
    await this.#forgetOthers(trx, node, found);
    const [first] = found;
    if (first === undefined) {
      await endDonation(trx, node);
      await advance(trx, node, 'empty', 'it has no vessel that a donor owns');
      return;
    }
    await trx
      .insertInto('donations')
      .values({ node_id: node, account_id: first.donor, created_at: Date.now() })
      .onConflict((oc) => oc.column('node_id').doNothing())
      .execute();
    await this.#takeIn(trx, node, { found, known });
    await settleDonations(trx, node);
  }

  /** What the backend may split on a node, if it is to: vessels of this owner, but none that is offered already. */
  async splitting(node: KeyId): Promise<{ owner: KeyId; kept: Set<VesselName> } | undefined> {
    const row = await this.#db
      .selectFrom('nodes')
      .innerJoin('donations', 'donations.node_id', 'nodes.id')
      .innerJoin('accounts', 'accounts.id', 'donations.account_id')
      .select('accounts.donor_key')
      .where('nodes.id', '=', node)
      .where('nodes.life', '=', 'splitting')
      .executeTakeFirst();
    if (row === undefined || row.donor_key === null) return undefined;
    const kept = await this.#db.selectFrom('vessels').select('name').where('node_id', '=', node).execute();
    return { owner: row.donor_key, kept: new Set(kept.map(({ name }) => name)) };
  }

  /** A task has split as much as it may: the next one splits more, or looks at what has become of it. */
  async split(trx: Trx, node: KeyId, left: 'more' | 'nothing'): Promise<void> {
    await this.#ask(trx, node, left === 'more' ? 'split-node' : 'inspect-node');
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
      .set({ state: 'free', lot: drawn() })
      .where('node_id', '=', node)
      .where('name', '=', name)
      .where('fence', '=', fence)
      .where('state', '=', 'cleaning')
      .execute();
  }

  /** The node says that it has no such vessel, or that it is no longer the donor's. */
  async forget(trx: Trx, { node, name }: VesselRef): Promise<void> {
    const gone = await trx
      .deleteFrom('vessels')
      .where('node_id', '=', node)
      .where('name', '=', name)
      .returning('account_id')
      .executeTakeFirst();
    const accountId = gone?.account_id;
    if (typeof accountId !== 'string') return;
    await post(trx, [{ accountId, amount: 1, why: 'vessel-gone', subject: `${node}:${name}` }]);
  }

  /** Vessels that are to be split are not written down: nobody can get them meanwhile. */
  async #takeIn(trx: Trx, node: KeyId, { found, known }: Seen): Promise<void> {
    const donation = trx.selectFrom('donations').select('account_id').where('node_id', '=', node);
    const { account_id: donor } = await donation.executeTakeFirstOrThrow();
    const busy = new Set(known.filter(({ state }) => state !== 'free').map(({ name }) => name));
    const wholes = new Set(found.filter((one) => one.whole && one.donor === donor && !busy.has(one.name)));
    for (const vessel of found) {
      if (wholes.has(vessel)) await this.forget(trx, { node, name: vessel.name });
      else await this.#recordVessel(trx, node, vessel);
    }
    if (wholes.size === 0) {
      await advance(trx, node, 'good', `all of its ${found.length} vessels are as they should be`);
      return;
    }
    await advance(trx, node, 'large', `to be split: ${[...wholes].map(({ name }) => name).join(', ')}`);
    await this.#ask(trx, node, 'split-node');
  }

  /** Vessels that are no more; who held one gets his credit back. */
  async #forgetOthers(trx: Trx, node: KeyId, found: readonly FoundVessel[]): Promise<void> {
    const names = found.map(({ name }) => name);
    await endLeases(trx, this.#tasks, (eb) =>
      eb.and([eb('node_id', '=', node), ...(names.length === 0 ? [] : [eb('name', 'not in', names)])]),
    );
    await trx
      .deleteFrom('vessels')
      .where('node_id', '=', node)
      .$if(names.length > 0, (query) => query.where('name', 'not in', names))
      .execute();
  }

  async #ask(trx: Trx, node: KeyId, kind: 'inspect-node' | 'split-node'): Promise<void> {
    await this.#tasks.addOnce(trx, { kind, subject: `node:${node}`, node, payload: { node } });
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
    // Not an upsert: a database checks the row to be inserted, and one that is held says by whom.
    if (known === undefined) {
      const place = { node_id: node, name, owner, restrictions, state, fence, lot: drawn() };
      await trx.insertInto('vessels').values(place).execute();
    } else {
      const facts = { owner, restrictions, state };
      await trx.updateTable('vessels').set(facts).where('node_id', '=', node).where('name', '=', name).execute();
    }
    await this.#recordPorts(trx, { node, name }, vessel.ports);
    if (state === 'cleaning' && known?.state !== 'cleaning') {
      const payload = { node, vessel: name, fence };
      await this.#tasks.add(trx, { kind: 'reset-vessel', subject: `vessel:${node}:${name}`, node, payload });
    }
  }

  /** Ports that it keeps keep their lots, too. */
  async #recordPorts(trx: Trx, { node, name }: VesselRef, ports: readonly number[]): Promise<void> {
    const mine = trx.selectFrom('vessel_ports').select('port').where('node_id', '=', node).where('name', '=', name);
    const known = new Set((await mine.execute()).map(({ port }) => port));
    const gone = [...known].filter((port) => !ports.includes(port));
    if (gone.length > 0) {
      const rows = trx.deleteFrom('vessel_ports').where('node_id', '=', node).where('name', '=', name);
      await rows.where('port', 'in', gone).execute();
    }
    const rows = ports.filter((port) => !known.has(port)).map((port) => ({ node_id: node, name, port, lot: drawn() }));
    if (rows.length > 0) await trx.insertInto('vessel_ports').values(rows).execute();
  }
}

/** A machine that gives nothing yet, set up from the link of somebody who has deleted his account. */
async function isOfNobody(trx: Trx, node: KeyId, [first]: readonly FoundVessel[]): Promise<boolean> {
  if (first === undefined) return false;
  const left = trx.selectFrom('accounts').select('id').where('id', '=', first.donor).where('closed_at', 'is not', null);
  if ((await left.executeTakeFirst()) === undefined) return false;
  const given = trx.selectFrom('donations').select('node_id').where('node_id', '=', node);
  return (await given.executeTakeFirst()) === undefined;
}

interface Seen {
  readonly found: readonly FoundVessel[];
  readonly known: readonly Known[];
}

type Known = Pick<Selectable<VesselsTable>, 'name' | 'state' | 'restrictions'>;

/** In what a node has less than it had: who gave a vessel away must be able to rely on it. */
function lieOf(known: readonly Known[], found: readonly FoundVessel[]): string | undefined {
  for (const { name, restrictions } of known) {
    const now = found.find((vessel) => vessel.name === name);
    if (now === undefined) return `expected vessel ${name} to be there as before, it is gone`;
    const less = lessOf(restrictions, now.restrictions);
    if (less !== undefined) return `expected vessel ${name} to have as much as before, it has less ${less}`;
  }
  return undefined;
}

function lessOf(before: string, now: string): string | undefined {
  if (before === now) return undefined;
  const [was, is] = [parseRestrictions(before), parseRestrictions(now)];
  return (
    QUANTITY_NAMES.find((name) => is.quantities[name] < was.quantities[name]) ??
    PORT_NAMES.find((name) => !was[name].isSubsetOf(is[name]))
  );
}

/** What nobody holds must be clean to be offered; what is held or being cleaned goes its own way. */
function nextState(known: LeaseState | undefined, clean: boolean): LeaseState {
  if (known !== undefined && known !== 'free') return known;
  return clean ? 'free' : 'cleaning';
}
