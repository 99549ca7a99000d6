/**
 * 44 deep-recursion: recursion, parsing, JSON and proxies, all far too deep
 * expected: held
 */
import { holds, verdict } from '../inside/tell.js';

function within(name, attack) {
  try {
    attack();
  } catch (error) {
    holds(name, error instanceof RangeError || error instanceof SyntaxError);
  }
}

within('recursion', () => {
  (function f() {
    f();
  })();
});
within('JSON.stringify', () => {
  let nested = [];
  for (let depth = 0; depth < 200_000; depth++) nested = [nested];
  JSON.stringify(nested);
});
within('JSON.parse', () => JSON.parse('['.repeat(100_000)));
within('proxies', () => {
  let proxy = {};
  for (let depth = 0; depth < 100_000; depth++) proxy = new Proxy(proxy, {});
  proxy.x;
});
within('a regular expression', () => new RegExp(`${'('.repeat(50_000)}${')'.repeat(50_000)}`).test(''));
within('structuredClone', () => {
  let nested = {};
  for (let depth = 0; depth < 100_000; depth++) nested = { nested };
  structuredClone(nested);
});
verdict();
