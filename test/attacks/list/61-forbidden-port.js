/**
 * 61 forbidden-port: listens on, sends from, sends to and connects to ports off its list, thousands of them, and what is no port
 * expected: held
 */
import { holds, ip, otherPort, port, refused, verdict } from '../inside/tell.js';

const own = new Set([port, otherPort]);
const wrong = [];
for (let at = 1; at < 65_536; at += at < 1100 || (at > port - 50 && at < port + 50) ? 1 : 13) {
  if (own.has(at)) continue;
  try {
    recvmess(ip, at, () => {});
    wrong.push(at);
  } catch (error) {
    if (error.code !== 'RESOURCE_FORBIDDEN') wrong.push(`${at} ${error.code}`);
  }
}
holds(`listening on ${wrong.slice(0, 5)}`, wrong.length === 0);
const NONE = [
  0,
  -1,
  65_536,
  1.5,
  '80',
  `${port}`,
  Number.NaN,
  Infinity,
  null,
  2 ** 32 + port,
  [port],
  { valueOf: () => port },
];
for (const at of NONE) {
  await refused(`recvmess ${String(at)}`, () => recvmess(ip, at, () => {}), 'ARGUMENT');
  await refused(`sendmess to ${String(at)}`, () => sendmess(ip, at, 'x'), 'ARGUMENT');
  await refused(`waitforconn ${String(at)}`, () => waitforconn(ip, at, () => {}), 'ARGUMENT');
  await refused(`openconn ${String(at)}`, () => openconn(ip, at), 'ARGUMENT');
}
for (const at of [1, 22, 25, 53, 80, 443, 1023, 1024, 8080, port - 1, otherPort + 1, 65_535]) {
  await refused(`sendmess to ${at}`, () => sendmess(ip, at, 'x'), 'RESOURCE_FORBIDDEN');
  await refused(`openconn to ${at}`, () => openconn(ip, at), 'RESOURCE_FORBIDDEN');
  await refused(`waitforconn ${at}`, () => waitforconn(ip, at, () => {}), 'RESOURCE_FORBIDDEN');
  await refused(`sendmess from ${at}`, () => sendmess(ip, port, 'x', ip, at), 'RESOURCE_FORBIDDEN');
  await refused(`openconn from ${at}`, () => openconn(ip, port, ip, at), 'RESOURCE_FORBIDDEN');
}
verdict();
