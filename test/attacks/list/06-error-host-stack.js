/**
 * 6 error-host-stack: makes each call fail, and reads the stack, the cause and all properties of each error
 * expected: held
 */
import { holds, ip, port, verdict } from '../inside/tell.js';

const HOST = /node:|\.mjs|\/(home|root|usr|vessel|tmp|var)\/|internal\/|isolated-vm/;
const calls = [
  () => sendmess(),
  () => sendmess(ip, port, 'x', '9.9.9.9', port),
  () => sendmess(ip, 1, 'x'),
  () => sendmess('10.1.2.3', 80, 'x'),
  () => sendmess('no address', 80, 'x'),
  () => recvmess(1),
  () => recvmess(ip, 1),
  () => recvmess('8.8.8.8', port),
  () => recvmess(ip, port, log) && recvmess(ip, port, log),
  () => openconn('x', 1),
  () => openconn(ip, port),
  () => openconn(ip, port, ip, port),
  () => waitforconn(ip, 9, log),
  () => waitforconn('1.1.1.1', port, log),
  () => stopcomm({}),
  () => settimer(-1),
  () => settimer(0, 'x'),
  () => canceltimer({}),
  () => sleep(-1),
  () => createlock().release(),
  () => createthread(1),
  () => randombytes(-1),
  () => structuredClone(log),
  () => atob('!'),
  () => new TextDecoder('none'),
  () => crypto.getRandomValues(1),
  () => import(['fs'][0]),
  () => (0, eval)('1'),
  () => null.x,
  () => new Array(-1),
  ...Object.getOwnPropertyNames(globalThis)
    .filter((name) => typeof globalThis[name] === 'function' && !/^[A-Z]|exitall|^log$/.test(name))
    .map((name) => () => globalThis[name](Symbol('x'), {}, -1)),
];
let failed = 0;
for (const call of calls) {
  try {
    await call();
  } catch (error) {
    failed++;
    for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
      const texts = [at.stack, at.message, ...Reflect.ownKeys(at).map((key) => `${String(key)} ${String(at[key])}`)];
      for (const text of texts) holds(`${at.message} in ${HOST.exec(text)?.[0]}`, !HOST.test(text));
      holds('an error of this world', Object.getPrototypeOf(at) !== null && at instanceof Error);
    }
  }
}
holds('many failures', failed > 25);
holds('the last error', !HOST.test(String(getlasterror())));
verdict();
