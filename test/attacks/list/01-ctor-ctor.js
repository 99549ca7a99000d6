/**
 * 1 ctor-ctor: makes code out of a string by the constructor of each call of the API, and of what the calls return
 * expected: held
 */
import { ip, otherPort, port, refused, verdict } from '../inside/tell.js';

const given = Object.getOwnPropertyNames(globalThis).map((name) => [name, globalThis[name]]);
const returned = [
  ['listener', recvmess(ip, port, () => {})],
  ['waiting', waitforconn(ip, otherPort, () => {})],
  ['sent', sendmess(ip, port, 'x')],
  ['timer', settimer(1000, () => {})],
  ['lock', createlock()],
  ['runtime', getruntime()],
  ['address', getmyip()],
  ['resources', getresources()],
  ['argument', callargs],
];
for (const [name, value] of [...given, ...returned]) {
  if (value === undefined || value === null) continue;
  await refused(`${name}.constructor.constructor`, () => value.constructor.constructor('return process')());
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null) continue;
  await refused(`prototype of ${name}`, () => prototype.constructor.constructor('return globalThis')());
}
verdict();
