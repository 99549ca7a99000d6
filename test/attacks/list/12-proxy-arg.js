/**
 * 12 proxy-arg: gives proxies, revoked ones and proxies of arrays as each argument of each call
 * expected: held
 */
import { holds, ip, port, verdict } from '../inside/tell.js';

const traps = [];
const handler = new Proxy(
  {},
  {
    get:
      (_, trap) =>
      (...args) => {
        traps.push(trap);
        return Reflect[trap](...args);
      },
  },
);
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const revokedFunction = Proxy.revocable(() => {}, {});
revokedFunction.revoke();
const proxies = [
  new Proxy({}, handler),
  revoked.proxy,
  new Proxy([], handler),
  new Proxy(() => {}, handler),
  revokedFunction.proxy,
  new Proxy(new Uint8Array(4), handler),
  new Proxy(new Date(), handler),
  new Proxy(new Error('x'), handler),
];
const names = Object.getOwnPropertyNames(globalThis).filter(
  (name) => typeof globalThis[name] === 'function' && !/^[A-Z]|exitall/.test(name),
);
const lists = (value) => [
  [value],
  [ip, value],
  [ip, port, value],
  [ip, port, 'x', value],
  [ip, port, 'x', ip, value],
  [0, value],
];
let odd = 0;
for (const name of names) {
  for (const value of proxies) {
    for (const list of lists(value)) {
      try {
        const made = await Promise.race([globalThis[name](...list), undefined]);
        if (typeof made?.close === 'function') made.close();
      } catch (error) {
        if (!(error instanceof Error)) odd++;
      }
    }
  }
}
holds('only errors of this world', odd === 0);
// Traps may run, but only here: nothing of them could be seen by the host, which takes texts, numbers and booleans.
holds('the API works after it', getmyip() === ip);
verdict();
