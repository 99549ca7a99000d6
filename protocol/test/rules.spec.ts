import assert from 'node:assert/strict';
import { LIMITS, ruleSchema } from '../src/index.ts';

describe('a rule', () => {
  const countries = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => String.fromCharCode(65 + Math.floor(index / 26), 65 + (index % 26)));

  it('ruleCountries: names as many countries, and not one more', () => {
    const named = (count: number) => ruleSchema.safeParse({ kind: 'country', countries: countries(count) });
    assert.equal(named(LIMITS.ruleCountries).success, true);
    const refused = named(LIMITS.ruleCountries + 1);
    assert.match(String(refused.error), /expected at most 50 countries/);
    const bad = Array.from({ length: LIMITS.ruleCountries + 1 }, () => 'nowhere');
    assert.equal(ruleSchema.safeParse({ kind: 'country', countries: bad }).error?.issues.length, 1);
  });

  it('is the same as text and as an object', () => {
    assert.deepEqual(ruleSchema.parse('country!=NL,DE'), { kind: 'country', countries: ['NL', 'DE'], not: true });
  });
});
