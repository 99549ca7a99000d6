/**
 * 2 ctor-variants: the same by the constructors of async functions, generators and async generators
 * expected: held
 */
import { refused, verdict } from '../inside/tell.js';

const kinds = {
  function: () => {},
  async: async () => {},
  generator: function* () {},
  'async generator': async function* () {},
  method: { method() {} }.method,
  class: class {},
  bound: log.bind(null),
  native: Array.prototype.push,
};
for (const [name, sample] of Object.entries(kinds)) {
  for (let at = sample; at !== null; at = Object.getPrototypeOf(at)) {
    const maker = at.constructor;
    if (typeof maker !== 'function' || maker === Object) continue;
    await refused(`${name} called`, () => maker('return process'), undefined);
    await refused(`${name} made`, () => new maker('return process'), undefined);
    await refused(`${name} reflected`, () => Reflect.construct(maker, ['return process'], class extends maker {}));
    await refused(`${name} derived`, () => new (class extends maker {})('return process'));
  }
}
verdict();
