/**
 * 91 visible: looks for the machine's environment, names, paths and numbers of processes in all that it can read
 * expected: held
 */
import { facts, holds, verdict } from '../inside/tell.js';

const seen = new Set();
const texts = [];
const waiting = [globalThis, getresources(), mycontext, import.meta, new Error('x').stack, String(getlasterror())];
while (waiting.length > 0) {
  const value = waiting.pop();
  if (typeof value === 'string') texts.push(value);
  if (
    (typeof value !== 'object' && typeof value !== 'function') ||
    value === null ||
    seen.has(value) ||
    value === callargs
  )
    continue;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    texts.push(String(key));
    const { value: found } = Reflect.getOwnPropertyDescriptor(value, key);
    waiting.push(found);
  }
}
const MACHINE =
  /\/(home|root|usr|etc|proc|tmp|vessel|dev)\b|PATH=|linux|x86_64|debian|node_modules|v\d+\.\d+\.\d+|localhost/i;
for (const text of texts) holds(`"${text.slice(0, 60)}"`, !MACHINE.test(text));
for (const text of texts) holds('the number of the node manager', text !== `${facts.managerPid}`);
for (const name of [
  'process',
  'env',
  'navigator',
  'location',
  'os',
  'argv',
  'hostname',
  'pid',
  '__dirname',
  '__filename',
])
  holds(name, !(name in globalThis));
holds('its arguments and no others', callargs.length === 3);
verdict();
