/**
 * 5 closure-fn-leak: asks the calls of the API for their callers, their arguments and their source
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

const calls = Object.getOwnPropertyNames(globalThis)
  .filter((name) => typeof globalThis[name] === 'function' && !/^[A-Z]/.test(name))
  .map((name) => [name, globalThis[name]]);
for (const [name, call] of calls) {
  for (const key of ['caller', 'arguments']) {
    try {
      holds(`${name}.${key}`, call[key] === null || call[key] === undefined);
    } catch (error) {
      holds(`${name}.${key}`, error instanceof TypeError);
    }
    await refused(`${name}.${key} set`, () => {
      'use strict';
      call[key] = 1;
      if (call[key] !== 1) throw new TypeError('it stays as it was');
    });
  }
  const source = Function.prototype.toString.call(call);
  holds(`source of ${name}`, !/require|process\.|node:|isolated|fd|\/(home|root|usr)\//.test(source));
}
// A callback sees who called it only if that is a sloppy function.
settimer(0, function seen() {
  let caller;
  try {
    caller = seen.caller;
  } catch {}
  holds('the caller of a callback', caller === null || caller === undefined);
  verdict();
});
