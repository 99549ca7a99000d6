import assert from 'node:assert/strict';
import { filesOf, readText } from './workspace.ts';

/** How many of Seattle's tested semantics there are: of programs, vessels, nodes, the shell and the site. */
const LAST = 51;

/** The numbers that titles of tests begin with, as in `it('Seattle 28: a double release ...`. */
function tested(): ReadonlySet<number> {
  const titles = filesOf('*/test/**/*.spec.ts', 'test/**/*.spec.ts').flatMap((path) =>
    [...readText(path).matchAll(/\bit\(\s*['"`]Seattle (\d+):/g)].map(([, number]) => Number(number)),
  );
  return new Set(titles);
}

describe('the semantics of Seattle', () => {
  it(`1 to ${LAST} have a test of their name each`, () => {
    const found = tested();
    const all = Array.from({ length: LAST }, (_, index) => index + 1);
    assert.deepEqual(
      all.filter((number) => !found.has(number)),
      [],
    );
  });
});
