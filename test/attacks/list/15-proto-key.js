/**
 * 15 proto-key: gives objects with an own property __proto__, constructor or prototype as argument, as options and as data
 * expected: held
 */
import { holds, ip, otherPort, port, refused, verdict } from '../inside/tell.js';

const keys = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'then'];
for (const key of keys) {
  const bait = JSON.parse(`{"${key}":{"x":1,"encoding":"binary","localport":1}}`);
  await refused(`sendmess of ${key}`, () => sendmess(ip, port, bait), 'ARGUMENT');
  await refused(`recvmess of ${key}`, () => recvmess(bait, port, log), 'ARGUMENT');
  const listener = recvmess(ip, port, log, bait);
  listener.close();
  await refused(`openconn with ${key}`, () => openconn(ip, otherPort, bait));
  structuredClone(bait);
  mycontext[key] = bait;
  log(bait, '');
}
holds('no prototype has changed', {}.x === undefined && {}.encoding === undefined && [].localport === undefined);
verdict();
