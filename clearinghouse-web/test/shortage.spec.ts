import assert from 'node:assert/strict';
import { ruleSchema } from '@potluck/protocol';
import { kmBetween, spotOf } from '../src/rules/facts.ts';
import { Countries } from './support/countries.ts';
import { forEachDatabase } from './support/databases.ts';

/** How many are wanted by which rule, the most that there are, what is counted, and the rule in words. */
const COUNTED = [
  [6, 'country=NL,DE', 4, 'vessels', 'in NL or DE'],
  [5, 'country!=NL,DE', 4, 'vessels', 'outside NL and DE'],
  [3, 'label=fast', 2, 'vessels', 'labelled fast'],
  [10, 'label!=gpu', 6, 'vessels', 'without the label gpu'],
  [1, 'port=999', 0, 'vessels', 'with port 999'],
  [6, 'port!=63101', 5, 'vessels', 'without port 63101'],
  [9, 'nat=yes', 8, 'vessels', 'behind a relay'],
  [3, 'nat!=yes', 2, 'vessels', 'that are reached without a relay'],
  [3, 'owners=different', 2, 'owners', 'of as many different owners', ' owners'],
  [7, 'owners!=different', 6, 'vessels', 'of one owner'],
  [8, 'networks=different', 5, 'networks', 'in as many different networks', ' networks'],
  [4, 'networks!=different', 2, 'vessels', 'in one network'],
] as const;

/** A rule, as the details of a refusal name it. */
const named = (text: string) => ({ rule: ruleSchema.parse(text).kind, text });

function kmFrom(a: string, b: string): number {
  return Math.round(kmBetween(spotOf(a) ?? assert.fail(), spotOf(b) ?? assert.fail()));
}

forEachDatabase((test) => {
  describe('the refusal of an acquisition', () => {
    let all: Countries;
    beforeEach(async () => {
      all = await Countries.open(test);
    });
    const refusal = async (count: number, ...rules: string[]) => await all.refusal(count, ...rules);

    it('says of each rule how many are short, of what it counts', async () => {
      for (const [count, rule, found, unit, words, units = ''] of COUNTED) {
        const { message, details } = await refusal(count, rule);
        const short = count - found;
        assert.deepEqual(details, { wanted: count, found, short, unit, ...named(rule) });
        const what = `${count} free ${count === 1 ? 'vessel' : 'vessels'} ${words}`;
        assert.equal(
          message,
          `expected ${what}, got ${found}${units}: ${short} short, try fewer, or without it (${rule})`,
        );
      }
    });

    it('says how far the next one is when too few are far apart', async () => {
      const { message, details } = await refusal(4, 'apart=1000km');
      const km = kmFrom('NL', 'DE');
      assert.match(
        message,
        new RegExp(
          `expected 4 free vessels at least 1000 km apart, got 3: 1 short, the 4th is at most ${km} km away from one of them, ${1000 - km} km too near \\(apart=1000km\\)$`,
        ),
      );
      const off = { nearest: { km }, off: { km: 1000 - km } };
      assert.deepEqual(details, { wanted: 4, found: 3, short: 1, unit: 'vessels', ...named('apart=1000km'), ...off });
    });

    it('says how far off the nearest miss is, whichever way the rule goes', async () => {
      for (const [count, rule, nearest, words] of [
        [3, 'within=200km@NL', { km: kmFrom('DE', 'NL') }, /the 3rd is at least \d+ km away, \d+ km too far/],
        [9, 'within!=200km@NL', { km: 0 }, /the 7th is at most 0 km away, 200 km too near/],
        [
          5,
          'apart!=1000km',
          { km: kmFrom('DE', 'US') },
          /the 5th is at least \d+ km away from one of them, \d+ km too far/,
        ],
      ] as const) {
        const km = Number(/=(\d+)km/.exec(rule)?.[1]);
        const { details, message } = await refusal(count, rule);
        assert.deepEqual([details.rule, details.nearest], [named(rule).rule, nearest], message);
        assert.deepEqual(details.off, { km: Math.abs(nearest.km - km) });
        assert.match(message, words);
      }
    });

    it('says how many are short when no rule is in the way', async () => {
      await all.get(4, 'port=any');
      all.user = await all.join('late');
      const { message, details } = await refusal(8);
      assert.deepEqual(details, { wanted: 8, found: 6, short: 2, unit: 'vessels' });
      assert.equal(message, 'expected 8 free vessels, got 6: 2 short, try fewer, or later');
    });

    it('says how many have the user’s own port, when that is in the way', async () => {
      await all.donate(all.donors[0], '10.0.1.7', { ports: [63_150, 63_151] });
      await all.get(5);
      all.user = await all.join('late');
      const { message, details } = await refusal(6);
      const own = { rule: 'own-port', text: 'port=63101' };
      assert.deepEqual(details, { wanted: 6, found: 5, short: 1, unit: 'vessels', ...own });
      assert.match(message, /on nodes that have your port 63101 free, got 5: 1 short, .*port=any/);
    });

    it('says that more would meet a rule, but for the others', async () => {
      const all = await refusal(3, 'label=gpu', 'country=US');
      assert.equal(all.message, 'expected 3 free vessels in US, got 2: 1 short, try fewer, or without it (country=US)');
      const some = await refusal(3, 'label=gpu', 'country!=US');
      assert.match(some.message, /labelled gpu, got 2 that meet all else too: 1 short/);
      const none = await refusal(5, 'country=NL,DE', 'label=gpu');
      assert.match(none.message, /in NL or DE, got 4: 1 short/);
      const before = await refusal(3, 'country!=US', 'label=gpu', 'country=NL,US');
      assert.match(before.message, /labelled gpu, got 2 that meet the rules before it too: 1 short/);
    });
  });
});
