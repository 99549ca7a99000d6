/**
 * 49 odd-intervals: intervals of nothing, zero timers within zero timers, delays that are no numbers
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

let ticks = 0;
const made = [];
for (let at = 0; at < 50; at++) made.push(setInterval(() => ticks++, at % 2 === 0 ? 0 : 1));
let nested = 0;
(function again() {
  nested++;
  if (nested < 100_000) setTimeout(again, 0);
})();
for (const delay of [Number.NaN, -1, 1e12, Infinity, '5', {}, null, undefined, 2 ** 31])
  clearTimeout(setTimeout(() => {}, delay));
for (const delay of [Number.NaN, -1, 1e12, Infinity, '5', {}, null])
  await refused(`settimer ${delay}`, () => settimer(delay, () => {}));
const since = getruntime();
await sleep(1);
const took = getruntime() - since;
for (const interval of made) clearInterval(interval);
// An interval of 4 ms at the shortest: at most 250 in a second for each of 50, however long the second was.
holds(`${ticks} ticks in ${took} s`, ticks <= 50 * 260 * (took + 0.1));
verdict();
