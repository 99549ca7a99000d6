import assert from 'node:assert/strict';
import { type KeyId, ruleSchema, rulesSchema, ruleText, type VesselName } from '@potluck/protocol';
import fc from 'fast-check';
import { type NodeFacts, wishesOf } from '../src/rules/facts.ts';
import { goTogether, isPair, type PairWish } from '../src/rules/filters.ts';
import { search } from '../src/rules/search.ts';
import { Countries, HOSTS } from './support/countries.ts';
import { forEachDatabase } from './support/databases.ts';

describe('a rule', () => {
  for (const text of [
    'country=NL,DE',
    'country!=US',
    'apart=500km',
    'within=300km@52.5,13.4',
    'within!=300km@NL',
    'latency=40ms@8.8.8.8',
    'latency=40ms@193.0.6.139:443',
    'latency!=40ms@[2001:67c:2e8::1]:443',
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
    ['latency=20ms@193.0.6.139:0', /with or without a port/],
    ['latency=20ms@193.0.6.139:65536', /with or without a port/],
    ['within=20km@193.0.6.139:443', /in the form of/],
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

  it('about a host may stand once', () => {
    const host = 'latency=40ms@193.0.6.139:443';
    const isTaken = (...rules: string[]) => rulesSchema.safeParse(rules).success;
    assert.deepEqual([isTaken(host, 'latency=40ms@NL'), isTaken(host, host)], [true, false]);
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
    let all: Countries;
    beforeEach(async () => {
      all = await Countries.open(test);
    });
    const get = async (count: number, ...rules: string[]) => await all.get(count, ...rules);
    const refusal = async (count: number, ...rules: string[]) => await all.refusal(count, ...rules);

    it('chooses by country, and by none of some', async () => {
      assert.deepEqual(await get(2, 'country=NL,DE', 'networks=different'), ['DE', 'NL']);
      assert.deepEqual(await get(2, 'country!=NL,DE', 'networks=different'), ['JP', 'US']);
    });

    it('chooses what is far apart', async () => {
      assert.equal((await get(3, 'apart=1000km')).length, 3);
    });

    it('chooses what is near together, near a point, and far from one', async () => {
      assert.deepEqual(await get(2, 'apart!=1000km', 'networks=different'), ['DE', 'NL']);
      assert.deepEqual(await get(1, 'within=500km@52.1,5.3', 'country!=DE'), ['NL']);
      assert.deepEqual(await get(1, 'within!=7000km@NL', 'country!=US'), ['JP']);
      const { message } = await refusal(3, 'within=500km@JP', 'networks=different');
      assert.match(message, /got [12]: .*(the [23]\w\w is at least \d+ km away|in as many different networks)/);
    });

    it('chooses by the estimated latency, and says that it is one', async () => {
      assert.deepEqual(await get(1, `latency=5ms@${HOSTS.NL}`, 'country!=DE'), ['NL']);
      const { message } = await refusal(3, 'latency=5ms@JP', 'port=any');
      assert.match(
        message,
        /at most 5 ms \(estimated by distance\) from the middle of JP, got 2: 1 short, the 3rd is at least \d+ ms by estimate, \d+ ms too slow/,
      );
    });

    it('chooses by labels, by owners, and by a port', async () => {
      assert.deepEqual(await get(1, 'label=gpu,fast'), ['US']);
      assert.equal((await refusal(2, 'label=gpu', 'label=fast')).message.includes('labelled fast'), true);
      assert.deepEqual(await get(1, 'label!=gpu', 'country!=JP'), ['NL']);
      assert.equal((await get(2, 'owners!=different')).length, 2);
      assert.equal((await get(1, 'port=63101')).length, 1);
    });

    it('takes nodes of which nothing is known for no rule about what they are', async () => {
      assert.match((await refusal(5, 'apart!=20000km', 'networks=different')).message, /got 4/);
      assert.equal((await get(5, 'networks=different')).length, 5, 'their network is known');
    });

    it('gives no vessel on a node that has not the user’s port for him, unless he can do without', async () => {
      assert.equal((await get(5)).length, 5);
      assert.equal((await get(1)).length, 1, 'beside one that has it');
      const { store, user } = all;
      await store.leases.release(user.id, await store.leases.holdings(user.id));
      const { message } = await refusal(6);
      assert.match(message, /got 4: 2 short, try/);
    });

    it('refuses a country that does not exist, and a point that is nowhere', () => {
      assert.throws(() => wishesOf(rulesSchema.parse(['country=ZZ'])), { code: 'INVALID_REQUEST' });
      assert.throws(() => wishesOf(rulesSchema.parse(['latency=5ms@10.0.0.1'])), { code: 'INVALID_REQUEST' });
    });
  });
});
