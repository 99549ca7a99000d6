import assert from 'node:assert/strict';
import { catalogue } from './catalogue.ts';
import { listOfCode, listOfPage } from './page.ts';
import type { Outcome } from './run.ts';
import { runSuite } from './suite.ts';

describe('attack', () => {
  const attacks = catalogue();
  let outcomes: Outcome[] = [];

  before(async function () {
    this.timeout(900_000);
    outcomes = await runSuite({ attacks, quick: true });
  });

  it('list in docs/SECURITY.md is the one that is run', () => {
    assert.equal(listOfPage(), listOfCode());
  });

  it('list has the numbers from 1 to 95, each once', () => {
    assert.deepEqual(
      attacks.map(({ number }) => number),
      Array.from({ length: 95 }, (_, at) => at + 1),
    );
  });

  for (const attack of attacks) {
    it(`${attack.number} ${attack.name}: ${attack.expected}`, function () {
      const own = outcomes.filter((outcome) => outcome.attack.number === attack.number);
      assert.ok(own.length > 0);
      if (own.every(({ verdict }) => verdict === 'not run')) this.skip();
      assert.deepEqual(own.filter(({ verdict }) => verdict === 'wrong').map(lineOf), []);
    });
  }
});

function lineOf({ missing, told }: Outcome): string {
  return `without ${missing.join(', ') || 'nothing'}: ${told}`;
}
