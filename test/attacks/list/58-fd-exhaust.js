/**
 * 58 fd-exhaust: opens files without closing them, and the same file again and again
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

const kept = [];
let refusals = 0;
for (let at = 0; at < 300; at++) {
  try {
    kept.push(await openfile(`file${at % 50}`, true));
  } catch (error) {
    refusals++;
    holds(`${error}`, error instanceof RepyError);
  }
}
holds(`${kept.length} open`, kept.length <= 10 && refusals >= 290);
await refused('one more', () => openfile('one-more', true), 'RESOURCE_EXHAUSTED');
await kept[0].close();
const again = await openfile('one-more', true);
holds('one closed leaves room for one', typeof again === 'object');
verdict();
