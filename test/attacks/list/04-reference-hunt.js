/**
 * 4 reference-hunt: walks every object that it can reach for a reference of the engine's host
 * expected: held
 */
import { holds, ip, port, verdict } from '../inside/tell.js';

const HOSTS = ['applySync', 'applySyncPromise', 'derefInto', 'getSync', 'copySync', 'copyInto', 'transferIn'];
const roots = [globalThis, recvmess(ip, port, () => {}), sendmess(ip, port, 'x'), createlock(), settimer(1000, log)];
const seen = new Set();
const waiting = [...roots];
while (waiting.length > 0) {
  const value = waiting.pop();
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
  seen.add(value);
  for (const name of HOSTS) holds(`${name} of ${String(value?.name)}`, !(name in value));
  waiting.push(Object.getPrototypeOf(value));
  for (const key of Reflect.ownKeys(value)) {
    const { value: found, get, set } = Reflect.getOwnPropertyDescriptor(value, key);
    waiting.push(found, get, set);
  }
}
holds('a walk of the whole', seen.size > 500);
verdict();
