/**
 * 20 eval-inside: runs code out of strings, which is refused here, so that what runs is what was uploaded
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

const direct = (text) => eval(text);
await refused('eval', () => direct('1'));
await refused('indirect eval', () => (0, eval)('1'));
await refused('eval of the global', () => globalThis.eval('1'));
await refused('eval of another receiver', () => eval.call({}, '1'));
await refused('Function', () => new Function('return 1')());
await refused('Function called', () => Function('return 1')());
await refused('a timer of a text', () => setTimeout('1', 0));
await refused('a callback of a text', () => settimer(0, '1'));
holds('functions are still functions', (() => {}) instanceof Function);
verdict();
