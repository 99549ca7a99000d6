/**
 * 21 wasm-present: looks for WebAssembly, shared memory, Atomics and Intl, by name and by a search from a literal
 * expected: held
 */
import { holds, verdict } from '../inside/tell.js';

const ABSENT = [
  'WebAssembly',
  'SharedArrayBuffer',
  'Atomics',
  'Intl',
  'Temporal',
  'Module',
  'Memory',
  'DateTimeFormat',
];
for (const name of ABSENT) holds(name, !(name in globalThis));
const seen = new Set();
const waiting = [[], {}, '', 1, 1n, true, Symbol.iterator, /x/, () => {}, new Uint8Array(1), new Date(), globalThis];
while (waiting.length > 0) {
  const value = waiting.pop();
  if (value === null || value === undefined || seen.has(value)) continue;
  seen.add(value);
  if (typeof value === 'function') holds(`a function ${value.name}`, !ABSENT.includes(value.name));
  if (typeof value !== 'object' && typeof value !== 'function') {
    waiting.push(Object.getPrototypeOf(value));
    continue;
  }
  holds('a tag', !ABSENT.includes(Reflect.getOwnPropertyDescriptor(value, Symbol.toStringTag)?.value));
  waiting.push(Object.getPrototypeOf(value));
  for (const key of Reflect.ownKeys(value)) {
    const { value: found, get, set } = Reflect.getOwnPropertyDescriptor(value, key);
    waiting.push(found, get, set);
  }
}
holds('a walk of the whole', seen.size > 500);
verdict();
