/**
 * 48 timers-flood: sets a million timers, at once and in turn
 * expected: held
 */
import { holds, verdict } from '../inside/tell.js';

let set = 0;
let refusals = 0;
for (let at = 0; at < 1_000_000; at++) {
  try {
    at % 2 === 0 ? settimer(1000, () => {}) : setTimeout(() => {}, 1e6);
    set++;
  } catch (error) {
    refusals++;
    if (!(error instanceof ResourceExhaustedError)) holds(String(error), false);
    if (refusals > 10_000) break;
  }
}
holds(`${set} timers`, set <= 200 && refusals > 1000);
verdict();
