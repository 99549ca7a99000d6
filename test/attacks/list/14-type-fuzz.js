/**
 * 14 type-fuzz: calls everything with values of every kind, among them numbers at the edges and arrays with four billion holes
 * expected: held
 * resource events 3000
 * resource insockets 3000
 */
import { holds, ip, port, verdict } from '../inside/tell.js';

const cyclic = {};
cyclic.self = cyclic;
const values = [
  undefined,
  null,
  Number.NaN,
  -0,
  Infinity,
  -Infinity,
  1e308,
  2 ** 53,
  -1,
  1.5,
  Symbol('x'),
  12n,
  () => {},
  '',
  'x',
  new Date(),
  new Map(),
  new Set(),
  new WeakMap(),
  cyclic,
  {},
  [],
  new Array(2 ** 32 - 1),
  Object.create(null),
  /x/,
  new Error('x'),
  new Uint8Array(0),
  new Uint8Array(70_000),
  new Float64Array(2),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  true,
  false,
  Promise.resolve(1),
  function* () {},
  globalThis,
  new Proxy({}, {}),
  'x'.repeat(70_000),
  '\ud800',
  '\0',
];
const names = Object.getOwnPropertyNames(globalThis).filter(
  (name) => typeof globalThis[name] === 'function' && !/^[A-Z]|exitall|^log$/.test(name),
);
let odd = 0;
let slowest = 0;
for (const name of names) {
  for (const value of values) {
    for (const list of [[value], [ip, value], [ip, port, value], [value, value, value, value, value, value]]) {
      const since = getruntime();
      try {
        const made = globalThis[name](...list);
        if (typeof made?.then === 'function')
          made.then(
            (late) => late?.close?.(),
            () => {},
          );
        if (typeof made?.close === 'function') made.close();
      } catch (error) {
        if (!(error instanceof Error)) odd++;
      }
      slowest = Math.max(slowest, getruntime() - since);
    }
  }
  await sleep(0.001);
}
holds('only errors of this world', odd === 0);
holds(`no call of ${slowest} s`, slowest < 5);
holds('the API works after it', getmyip() === ip);
verdict();
