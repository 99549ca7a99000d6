import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, type KeyId, ruleSchema, rulesSchema, ruleText, type VesselName } from '@potluck/protocol';
import fc from 'fast-check';
import { kmBetween, type NodeFacts, spotOf, wishesOf } from '../src/rules/facts.ts';
import { goTogether, isPair, type PairWish } from '../src/rules/filters.ts';
import { search } from '../src/rules/search.ts';
import type { Account } from '../src/store/accounts.ts';
import { transact } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';

/** Addresses of countries that the data knows. */
const US = '8.8.8.8';
const DE = '194.25.0.60';
const NL = '193.0.6.139';
const JP = '202.12.27.33';

describe('a rule', () => {
  for (const text of [
    'country=NL,DE',
    'country!=US',
    'apart=500km',
    'within=300km@52.5,13.4',
    'within!=300km@NL',
    'latency=40ms@8.8.8.8',
    'owners=different',
    'networks!=different',
    'label=gpu,campus-north',
    'port=63111',
    'port=any',
    'nat!=yes',
  ]) {
    it(`${text} is read, and written as it was`, () => assert.equal(ruleText(ruleSchema.parse(text)), text));
  }

  for (const [text, message] of [
    ['contry=NL', /expected one of country, .* got "contry": did you mean "country"\?/],
    ['country=Holland', /two capital letters/],
    ['apart=500mi', /expected apart in the form of apart=500km, got "apart=500mi"/],
    ['apart=0km', /at least 1 km/],
    ['within=5km', /in the form of within=300km@52.5,13.4/],
    ['latency=20ms@example.org', /in the form of/],
    ['label=A', /small letters/],
    ['port=0', /Invalid input|expected/],
    ['nonsense', /expected a rule such as country=NL,DE, got "nonsense"/],
  ] as const) {
    it(`${text} is refused in words`, () => {
      const parsed = ruleSchema.safeParse(text);
      assert.match(parsed.error?.issues.map((issue) => issue.message).join() ?? '', message);
    });
  }

  it('may stand with 15 others, and not with one more', () => {
    const rules = (count: number) => rulesSchema.safeParse(Array.from({ length: count }, () => 'nat=yes')).success;
    assert.deepEqual([rules(16), rules(17)], [true, false]);
  });
});

describe('the search for vessels that go together', () => {
  const wish: PairWish[] = ['owners=different', 'networks=different']
    .map((text) => ruleSchema.parse(text))
    .filter(isPair);
  const facts = (node: string, owner: string, network: string): NodeFacts => {
    return { node: node as KeyId, owner, network, country: undefined, labels: [], relayed: false };
  };

  it('finds as many as there are, whenever few enough are there to try all', () => {
    const some = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), { maxLength: 9 });
    fc.assert(
      fc.property(some, (pairs) => {
        const all = pairs.map(([owner, network], index) => facts(`n${index}`, `o${owner}`, `w${network}`));
        const candidates = all.map((one) => ({ node: one.node, name: 'v1' as VesselName, owns: true, facts: one }));
        const wanted = { count: 20, pairs: wish, got: [], used: new Set<KeyId>(), covered: new Set<KeyId>() };
        assert.equal(search(candidates, wanted).length, mostOf(all, wish));
      }),
      { numRuns: 300 },
    );
  });

  it('takes no more looks than it was given, however many rules there are', () => {
    let reads = 0;
    const candidates = Array.from({ length: 500 }, (_, index) => {
      const one = {
        ...facts(`n${index}`, '', `w${index}`),
        get owner() {
          reads += 1;
          return `o${index}`;
        },
      };
      return { node: one.node, name: 'v1' as VesselName, owns: true, facts: one };
    });
    const pairs: PairWish[] = Array.from({ length: 16 }, (_, index) => ({ kind: 'owners', not: index === 15 }));
    const wanted = { count: 10, pairs, got: [], used: new Set<KeyId>(), covered: new Set<KeyId>() };
    const effort = { looks: 100_000 };
    assert.equal(search(candidates, wanted, effort).length, 1);
    assert.equal(effort.looks <= 0, true, 'it did not see all');
    assert.equal(reads < 400_000, true, `${reads} reads, two a look`);
    assert.equal(search(candidates, wanted, effort).length, 0, 'the next search gets what is left');
  });
});

/** By trying every subset. */
function mostOf(all: readonly NodeFacts[], pairs: readonly PairWish[]): number {
  let most = 0;
  for (let subset = 0; subset < 1 << all.length; subset += 1) {
    const chosen = all.filter((_, index) => (subset >> index) & 1);
    const fit = chosen.every((a, at) => chosen.slice(at + 1).every((b) => pairs.every((w) => goTogether(w, a, b))));
    if (fit) most = Math.max(most, chosen.length);
  }
  return most;
}

forEachDatabase((test) => {
  describe('acquiring by rules', () => {
    let store: Store;
    let user: Account;
    let donors: [Account, Account];
    const countries = new Map<KeyId, string>();

    beforeEach(async () => {
      store = await test.open();
      user = await join('user');
      donors = [await join('ada'), await join('bob')];
      await donate(donors[0], DE, ['gpu']);
      await donate(donors[0], NL, []);
      await donate(donors[1], US, ['gpu', 'fast']);
      await donate(donors[1], JP, []);
      await donate(donors[1], '10.0.0.7', []);
    });

    async function join(username: string): Promise<Account> {
      const publicKey = generateIdentity().publicJwk;
      return await store.accounts.create({ username, email: undefined, passwordHash: 'none', publicKey });
    }

    async function donate(by: Account, host: string, labels: readonly string[]): Promise<void> {
      const { id: node } = generateIdentity();
      const iat = Math.floor(Date.now() / 1000);
      // What it says of its address is not believed.
      const reach = { addresses: [{ host: '192.0.2.1', port: 1 }], relays: [] };
      const advertisement = { ...reach, keys: [], labels, version: '1', iat, exp: iat + 600 };
      await store.nodes.seen({ node, advertisement, jws: 'signed', first: true, host });
      const vessels = [63_100, 63_101].map((port, index) => ({
        ...{
          name: `v${index + 1}` as VesselName,
          owner: node,
          donor: by.id,
          restrictions: '',
          ports: [port],
          clean: true,
        },
      }));
      await transact(test.connect(), async (trx) => await store.inventory.record(trx, node, vessels));
      countries.set(node, { [DE]: 'DE', [NL]: 'NL', [US]: 'US', [JP]: 'JP' }[host] ?? 'none');
    }

    async function get(count: number, ...rules: string[]): Promise<string[]> {
      const wishes = wishesOf(rulesSchema.parse(rules));
      const attempt = { id: randomUUID(), accountId: user.id, userKey: user.key_id, wishes };
      const reserved = await store.leases.reserve(attempt, count);
      assert.equal(await store.leases.confirm(attempt, count), true);
      assert.deepEqual(await store.ledger.check(), []);
      return reserved.map(({ node }) => countries.get(node) ?? '').sort();
    }

    async function refusal(count: number, ...rules: string[]): Promise<{ message: string; details: object }> {
      const free = (await store.nodes.counts()).free;
      const error = await get(count, ...rules).then(
        () => assert.fail('expected a refusal'),
        (refused) => refused,
      );
      assert.equal(error.code, 'UNABLE_TO_ACQUIRE', String(error));
      assert.equal((await store.nodes.counts()).free, free, 'all or nothing');
      return error;
    }

    it('chooses by country, and by none of some', async () => {
      assert.deepEqual(await get(2, 'country=NL,DE', 'networks=different'), ['DE', 'NL']);
      assert.deepEqual(await get(2, 'country!=NL,DE', 'networks=different'), ['JP', 'US']);
    });

    it('chooses what is far apart, and says how far the next one is when too few are', async () => {
      assert.equal((await get(3, 'apart=1000km')).length, 3);
      const { message, details } = await refusal(4, 'apart=1000km');
      const km = Math.round(kmBetween(spotOf('NL') ?? assert.fail(), spotOf('DE') ?? assert.fail()));
      assert.match(
        message,
        new RegExp(`expected 4 free vessels at least 1000 km apart, got 3: the 4th is at most ${km} km away`),
      );
      assert.equal((details as { rule: string }).rule, 'apart');
    });

    it('chooses what is near together, near a point, and far from one', async () => {
      assert.deepEqual(await get(2, 'apart!=1000km', 'networks=different'), ['DE', 'NL']);
      assert.deepEqual(await get(1, 'within=500km@52.1,5.3', 'country!=DE'), ['NL']);
      assert.deepEqual(await get(1, 'within!=7000km@NL', 'country!=US'), ['JP']);
      const { message } = await refusal(3, 'within=500km@JP', 'networks=different');
      assert.match(message, /got [12]: .*(the [23]\w\w is at least \d+ km away|in as many different networks)/);
    });

    it('chooses by the estimated latency, and says that it is one', async () => {
      assert.deepEqual(await get(1, `latency=5ms@${NL}`, 'country!=DE'), ['NL']);
      const { message } = await refusal(3, 'latency=5ms@JP', 'port=any');
      assert.match(
        message,
        /at most 5 ms \(estimated by distance\) from the middle of JP, got 2: the 3rd is at least \d+ ms by estimate/,
      );
    });

    it('chooses by labels, by owners, and by a port', async () => {
      assert.deepEqual(await get(1, 'label=gpu,fast'), ['US']);
      assert.equal((await refusal(2, 'label=gpu', 'label=fast')).message.includes('labelled fast'), true);
      assert.deepEqual(await get(1, 'label!=gpu', 'country!=JP'), ['NL']);
      assert.match((await refusal(3, 'owners=different')).message, /of as many different owners, got 2/);
      assert.equal((await get(2, 'owners!=different')).length, 2);
      assert.equal((await get(1, 'port=63101')).length, 1);
      assert.match((await refusal(1, 'port=999')).message, /with port 999, got 0/);
    });

    it('takes nodes of which nothing is known for no rule about what they are', async () => {
      assert.match((await refusal(5, 'apart!=20000km', 'networks=different')).message, /got 4/);
      assert.equal((await get(5, 'networks=different')).length, 5, 'their network is known');
    });

    it('gives no vessel on a node that has not the user’s port for him, unless he can do without', async () => {
      assert.equal((await get(5)).length, 5);
      assert.equal((await get(1)).length, 1, 'beside one that has it');
      await store.leases.release(user.id, await store.leases.holdings(user.id));
      const { message } = await refusal(6);
      assert.match(message, /got [0-5]: try/);
    });

    it('refuses a country that does not exist, and a point that is nowhere', () => {
      assert.throws(() => wishesOf(rulesSchema.parse(['country=ZZ'])), { code: 'INVALID_REQUEST' });
      assert.throws(() => wishesOf(rulesSchema.parse(['latency=5ms@10.0.0.1'])), { code: 'INVALID_REQUEST' });
    });
  });
});
