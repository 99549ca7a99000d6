/**
 * 32 regexp-source-bomb: compiles regular expressions of 200,000 groups, and one of a huge count
 * expected: held or killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
import { verdict } from '../inside/tell.js';

const SOURCES = [
  '(a)'.repeat(200_000),
  '(?:a|b|c)'.repeat(200_000),
  '(?:(?:a{1000}){1000}){1000}',
  '[\\p{L}--[a-z]]'.repeat(5000),
];
for (const source of SOURCES) {
  for (const flags of ['', 'v', 'i']) {
    try {
      new RegExp(source, flags).test('abc'.repeat(1000));
    } catch {}
  }
}
verdict();
