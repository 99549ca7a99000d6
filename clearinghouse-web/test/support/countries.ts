import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  generateIdentity,
  type KeyId,
  rulesSchema,
  type ShortageFacts,
  shortageSchema,
  type VesselName,
} from '@potluck/protocol';
import { wishesOf } from '../../src/rules/facts.ts';
import type { Account } from '../../src/store/accounts.ts';
import { transact } from '../../src/store/database.ts';
import type { Store } from '../../src/store/store.ts';
import type { TestDatabase } from './databases.ts';

/** Addresses of countries that the data knows. */
export const HOSTS = { US: '8.8.8.8', DE: '194.25.0.60', NL: '193.0.6.139', JP: '202.12.27.33' };

/** Five machines of two donors, with two vessels each, for rules to choose among: in four countries, and in none. */
export class Countries {
  readonly store: Store;
  readonly #test: TestDatabase;
  readonly #countries = new Map<KeyId, string>();
  /** Who acquires. */
  user!: Account;
  donors!: readonly [Account, Account];

  private constructor(test: TestDatabase, store: Store) {
    this.#test = test;
    this.store = store;
  }

  static async open(test: TestDatabase): Promise<Countries> {
    const all = new Countries(test, await test.open());
    all.user = await all.join('user');
    all.donors = [await all.join('ada'), await all.join('bob')];
    await all.donate(all.donors[0], HOSTS.DE, { labels: ['gpu'] });
    await all.donate(all.donors[0], HOSTS.NL);
    await all.donate(all.donors[1], HOSTS.US, { labels: ['gpu', 'fast'] });
    await all.donate(all.donors[1], HOSTS.JP);
    await all.donate(all.donors[1], '10.0.0.7');
    return all;
  }

  async join(username: string): Promise<Account> {
    const publicKey = generateIdentity().publicJwk;
    return await this.store.accounts.create({ username, email: undefined, passwordHash: 'none', publicKey });
  }

  /** A machine that dials from this address, with a vessel for each port. */
  async donate(
    { id: donor }: Account,
    host: string,
    { labels = [], ports = [63_100, 63_101] }: { labels?: readonly string[]; ports?: readonly number[] } = {},
  ): Promise<void> {
    const { id: node } = generateIdentity();
    const iat = Math.floor(Date.now() / 1000);
    // What it says of its address is not believed.
    const reach = { addresses: [{ host: '192.0.2.1', port: 1 }], relays: [] };
    const advertisement = { ...reach, keys: [], labels, version: '1', iat, exp: iat + 600 };
    await this.store.nodes.seen({ node, advertisement, jws: 'signed', first: true, host });
    const vessels = ports.map((port, index) => {
      const name = `v${index + 1}` as VesselName;
      return { name, owner: node, donor, restrictions: '', ports: [port], clean: true };
    });
    await transact(this.#test.connect(), async (trx) => await this.store.inventory.record(trx, node, vessels));
    this.#countries.set(node, Object.entries(HOSTS).find(([, known]) => known === host)?.[0] ?? 'none');
  }

  /** @returns the countries of what the user got. */
  async get(count: number, ...rules: string[]): Promise<string[]> {
    const { store, user } = this;
    const wishes = wishesOf(rulesSchema.parse(rules));
    const attempt = { id: randomUUID(), accountId: user.id, wishes };
    const reserved = await store.leases.reserve(attempt, count);
    assert.equal(await store.leases.confirm(attempt, count), true);
    assert.deepEqual(await store.ledger.check(), []);
    return reserved.map(({ node }) => this.#countries.get(node) ?? '').sort();
  }

  async refusal(count: number, ...rules: string[]): Promise<{ message: string; details: ShortageFacts }> {
    const { free } = await this.store.nodes.counts();
    const error = await this.get(count, ...rules).then(
      () => assert.fail('expected a refusal'),
      (refused) => refused,
    );
    assert.equal(error.code, 'UNABLE_TO_ACQUIRE', String(error));
    assert.equal((await this.store.nodes.counts()).free, free, 'all or nothing');
    assert.deepEqual(shortageSchema.parse(error.details), error.details);
    return error;
  }
}
