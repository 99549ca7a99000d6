/**
 * 88 clock: counts how fine the clocks are that it finds, and looks for one that it could make itself
 * expected: held
 */
import { holds, verdict } from '../inside/tell.js';

const stepOf = (clock) => {
  const seen = new Set();
  const since = Date.now();
  while (Date.now() - since < 100) seen.add(clock());
  const sorted = [...seen].sort((a, b) => a - b);
  return Math.min(...sorted.slice(1).map((value, at) => value - sorted[at]));
};
holds('Date.now in steps of 1 ms', stepOf(() => Date.now()) >= 1);
// A tenth of a millisecond: round-trip times of networks need it, and one process holds one program.
holds('getruntime in steps of 0.1 ms', stepOf(() => getruntime()) > 0.00009);
for (const name of ['performance', 'SharedArrayBuffer', 'Atomics', 'Worker', 'WebAssembly', 'Temporal'])
  holds(name, !(name in globalThis));
const numbers = Object.getOwnPropertyNames(globalThis).filter((name) => /time|clock|hrtime/i.test(name));
const KNOWN = ['getruntime', 'settimer', 'canceltimer', 'setTimeout', 'clearTimeout', 'TimeoutError'];
holds(
  `clocks ${numbers}`,
  numbers.every((name) => KNOWN.includes(name)),
);
verdict();
