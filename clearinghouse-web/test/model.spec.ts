import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, type KeyId, PotluckError, type VesselName } from '@potluck/protocol';
import fc from 'fast-check';
import { POLICY } from '../src/limits.ts';
import type { Account } from '../src/store/accounts.ts';
import { type Database, transact } from '../src/store/database.ts';
import type { Attempt } from '../src/store/leases.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { Model } from './support/model.ts';
import { accountOf } from './support/rows.ts';

/** `POTLUCK_MODEL_RUNS=2000` for a long night, `POTLUCK_MODEL_SEED=...` for a run again; each run is up to 60 steps. */
const RUNS = { SQLite: 45, PostgreSQL: 20 };
const SEED = Number(process.env.POTLUCK_MODEL_SEED ?? Date.now() % 2 ** 31);
const HOUR_MS = 3_600_000;
const USERS = 3;
const NODES = 4;

type Step =
  | { do: 'acquire'; user: number; count: number; ends: 'well' | 'badly' | 'killed' | 'broken off' }
  | { do: 'renew' | 'release'; user: number; of: number; which: number }
  | { do: 'expire'; hours: number }
  | { do: 'clean' | 'stale' }
  | { do: 'donate' | 'away' | 'back' | 'vanish'; node: number }
  | { do: 'leave'; user: number }
  | { do: 'policy'; free: number; each: number };

const newcomer = async (store: Store): Promise<Account> => await accountOf(store, `u${randomUUID().slice(0, 8)}`);
const user = fc.nat(USERS - 1);
const node = fc.nat(NODES - 1);
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('acquire' as const),
        user,
        count: fc.integer({ min: 1, max: 6 }),
        ends: fc.constantFrom('well', 'well', 'badly', 'killed', 'broken off'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('renew', 'release'), user, of: user, which: fc.nat(5) }) },
    // The first one donates all nodes: what becomes of them is shown in `closing.spec`.
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('leave' as const), user: fc.integer({ min: 1, max: USERS - 1 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), hours: fc.constantFrom(1, 5, 170) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('clean', 'stale') }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('donate', 'away', 'back', 'vanish'), node }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('policy' as const),
        free: fc.integer({ min: 0, max: 12 }),
        each: fc.integer({ min: 0, max: 12 }),
      }),
    },
  ),
  { minLength: 20, maxLength: 60, size: 'max' },
) as fc.Arbitrary<Step[]>;

/** The store under test, beside the model; a step is done to both, and then both are compared. */
class World {
  readonly model = new Model();
  readonly #store: Store;
  readonly #db: Database;
  readonly #accounts: Account[] = [];
  readonly #nodes: KeyId[] = Array.from({ length: NODES }, () => generateIdentity().id);

  private constructor(store: Store, db: Database) {
    this.#store = store;
    this.#db = db;
  }

  static async open(store: Store, db: Database): Promise<World> {
    const world = new World(store, db);
    // One database serves all runs: nothing of the run before is held or offered any more.
    await world.#store.leases.expire(Date.now() + 10_000 * HOUR_MS);
    await world.#db.deleteFrom('vessels').execute();
    await world.#store.policies.adopt(POLICY);
    for (let index = 0; index < USERS; index += 1) world.#accounts.push(await newcomer(store));
    return world;
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'acquire') await this.#acquire(step);
    else if ('which' in step) await this.#change(step);
    else if (step.do === 'expire') await this.#expire(step.hours);
    else if (step.do === 'leave') await this.#leave(step.user);
    else if (step.do === 'policy') await this.#adopt(step.free, step.each);
    else if ('node' in step) await this.#atNode(step.do, step.node);
    else await this.#clean(step.do === 'stale');
  }

  /** Deletes his account, and begins anew as somebody else. */
  async #leave(who: number): Promise<void> {
    const account = this.#accounts[who] as Account;
    await this.#store.closing.close({ actor: account.id, account });
    for (const [handle, { holder }] of this.model.held) if (holder === who) this.model.held.delete(handle);
    this.#accounts[who] = await newcomer(this.#store);
  }

  async #acquire({ user: who, count, ends }: Step & { do: 'acquire' }): Promise<void> {
    const { model } = this;
    const { id: accountId } = this.#accounts[who] as Account;
    const attempt: Attempt = { id: randomUUID(), accountId };
    const may = model.used(who) + count <= model.total(who);
    if (ends === 'broken off') return await this.#breakOff(attempt);
    const reserved = await this.#store.leases.reserve(attempt, count).catch((error: unknown) => {
      assert.ok(error instanceof PotluckError, String(error));
      assert.equal(error.code === 'NOT_ENOUGH_CREDITS', !may, error.message);
      if (may) assert.equal(error.code, 'UNABLE_TO_ACQUIRE', error.message);
      return undefined;
    });
    if (reserved === undefined) return;
    assert.ok(may, 'nobody gets more than his credits allow');
    assert.equal(reserved.length, count);
    const until = Date.now() + 60_000;
    for (const { node: at, name } of reserved) {
      const handle = `${at}:${name}`;
      assert.ok(!model.held.has(handle), 'no vessel is held twice');
      assert.ok(model.up.has(this.#nodes.indexOf(at)), 'only nodes that are there give vessels');
      model.held.set(handle, { holder: who, attempt: attempt.id, leased: false, until });
    }
    await this.#checkPorts(
      who,
      reserved.map((one) => one.node),
    );
    if (ends === 'killed') return; // The site dies here: only the sweep will ever know.
    if (ends === 'badly') {
      await this.#store.leases.abandon(attempt, reserved);
      for (const { node: at, name } of reserved) model.held.delete(`${at}:${name}`);
      return;
    }
    assert.equal(await this.#store.leases.confirm(attempt, count), true);
    for (const one of model.held.values()) {
      if (one.attempt === attempt.id) Object.assign(one, { leased: true, until: Date.now() + POLICY.firstLeaseMs });
    }
  }

  /** The process dies in the middle of a transaction: nothing of it is there afterwards. */
  async #breakOff(attempt: Attempt): Promise<void> {
    const dies = transact(this.#db, async (trx) => {
      await trx
        .updateTable('vessels')
        .set({ state: 'reserved', account_id: attempt.accountId, expires_at: 1 })
        .execute();
      throw new PotluckError('internal', 'DIES', 'in the middle');
    });
    await assert.rejects(dies, { code: 'DIES' });
  }

  /** On each node where somebody gets a vessel, one of his has his port. */
  async #checkPorts(who: number, nodes: readonly KeyId[]): Promise<void> {
    const { id } = this.#accounts[who] as Account;
    const owned = await this.#db
      .selectFrom('vessels')
      .innerJoin('accounts', 'accounts.id', 'vessels.account_id')
      .innerJoin('vessel_ports', (join) =>
        join
          .onRef('vessel_ports.node_id', '=', 'vessels.node_id')
          .onRef('vessel_ports.name', '=', 'vessels.name')
          .onRef('vessel_ports.port', '=', 'accounts.user_port'),
      )
      .select('vessels.node_id')
      .where('vessels.account_id', '=', id)
      .execute();
    const having = new Set(owned.map(({ node_id }) => node_id));
    for (const at of nodes) assert.ok(having.has(at), 'his port is his on every node that he gets');
  }

  async #change(step: Step & { do: 'renew' | 'release' }): Promise<void> {
    const { model } = this;
    const theirs = [...model.held].filter(([, one]) => one.holder === step.of && one.leased);
    const [handle, held] = theirs[step.which % Math.max(1, theirs.length)] ?? [];
    if (handle === undefined || held === undefined) return;
    const [at = '', name = ''] = handle.split(':');
    const ref = { node: at as KeyId, name: name as VesselName };
    const { id } = this.#accounts[step.user] as Account;
    const isOwn = step.user === step.of;
    const over = step.do === 'renew' && model.used(step.user) > model.total(step.user);
    const done = this.#store.leases[step.do](id, [ref]);
    if (over) return await assert.rejects(done, { code: 'NOT_ENOUGH_CREDITS' });
    if (!isOwn) return await assert.rejects(done, { code: 'NO_SUCH_VESSEL' });
    await done;
    if (step.do === 'renew') held.until = Date.now() + POLICY.renewalMs;
    else model.held.delete(handle);
  }

  async #expire(hours: number): Promise<void> {
    const at = Date.now() + hours * HOUR_MS;
    const over = [...this.model.held].filter(([, { until }]) => until <= at);
    assert.equal(await this.#store.leases.expire(at), over.length);
    for (const [handle] of over) this.model.held.delete(handle);
  }

  /** What the backend does; a stale fence changes nothing. */
  async #clean(isStale: boolean): Promise<void> {
    const rows = await this.#db.selectFrom('vessels').selectAll().where('state', '=', 'cleaning').execute();
    for (const { node_id, name, fence } of rows) {
      const under = isStale ? fence - 1 : fence;
      await transact(this.#db, async (trx) => await this.#store.inventory.cleaned(trx, { node: node_id, name }, under));
    }
    const left = await this.#db.selectFrom('vessels').select('name').where('state', '=', 'cleaning').execute();
    assert.equal(left.length, isStale ? rows.length : 0);
  }

  async #adopt(free: number, each: number): Promise<void> {
    await this.#store.policies.adopt({ ...POLICY, freeCredits: free, creditsPerDonation: each });
    Object.assign(this.model, { free, each });
  }

  async #atNode(what: 'donate' | 'away' | 'back' | 'vanish', index: number): Promise<void> {
    const { model } = this;
    const id = this.#nodes[index] as KeyId;
    if (what === 'away') {
      await this.#store.nodes.gone(id);
      model.up.delete(index);
      return;
    }
    if (what === 'vanish') {
      if (!model.donated.has(index)) return;
      // The node says that its second vessel is no more.
      await transact(
        this.#db,
        async (trx) => await this.#store.inventory.forget(trx, { node: id, name: 'v2' as VesselName }),
      );
      model.held.delete(`${id}:v2`);
      return;
    }
    if (what === 'back' && !model.donated.has(index)) return;
    const iat = Math.floor(Date.now() / 1000);
    const reach = { addresses: [{ host: `10.0.${index}.1`, port: 1 }], relays: [] };
    const advertisement = { ...reach, keys: [], version: '1', iat, exp: iat + 600 };
    await this.#store.nodes.seen({ node: id, advertisement, jws: 'signed', first: true, host: `10.0.${index}.1` });
    model.up.add(index);
    if (what === 'back' || model.donated.has(index)) return;
    const found = [0, 1, 2].map((at) => {
      const name = `v${at + 1}` as VesselName;
      return {
        name,
        owner: id,
        donor: this.#accounts[0]?.id ?? '',
        restrictions: '',
        ports: [63_100 + at],
        clean: true,
      };
    });
    await transact(this.#db, async (trx) => await this.#store.inventory.record(trx, id, found));
    model.donated.add(index);
  }

  /** Credits, leases, ledger and fences are what the model says. */
  async compare(): Promise<void> {
    const { model } = this;
    assert.deepEqual(await this.#store.ledger.check(), []);
    for (const [index, { id }] of this.#accounts.entries()) {
      const expected = { total: model.total(index), used: model.used(index) };
      assert.deepEqual(await this.#store.leases.credits(id), expected, `credits of user ${index}`);
    }
    const rows = await this.#db.selectFrom('vessels').selectAll().execute();
    const holders = rows.filter(({ account_id }) => account_id !== null);
    assert.deepEqual(
      holders.map(({ node_id, name, state, account_id }) => [`${node_id}:${name}`, state, account_id]).sort(),
      [...model.held]
        .map(([handle, one]) => [handle, one.leased ? 'leased' : 'reserved', this.#accounts[one.holder]?.id])
        .sort(),
    );
    for (const { node_id, name, fence } of rows) {
      const handle = `${node_id}:${name}`;
      assert.ok(fence >= (model.fences.get(handle) ?? 0), 'a fence never falls');
      model.fences.set(handle, fence);
    }
  }
}

forEachDatabase((test) => {
  describe(`the site's books, against a model of them (POTLUCK_MODEL_SEED=${SEED})`, () => {
    it('agree after each of many random steps', async function () {
      const numRuns = Number(process.env.POTLUCK_MODEL_RUNS ?? RUNS[test.kind]);
      this.timeout(Math.max(120_000, numRuns * 20_000));
      const [store, db] = [await test.open(), test.connect()];
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const world = await World.open(store, db);
          for (const step of all) {
            await world.take(step);
            await world.compare();
          }
        }),
        { numRuns, seed: SEED, endOnFailure: true },
      );
    });
  });
});
