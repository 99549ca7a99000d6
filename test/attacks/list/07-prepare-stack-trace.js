/**
 * 7 prepare-stack-trace: takes the frames of an error apart by Error.prepareStackTrace, for a function or object of the host
 * expected: held
 */
import { holds, ip, port, verdict } from '../inside/tell.js';

let frames = 0;
Error.prepareStackTrace = (error, sites) => {
  for (const site of sites) {
    frames++;
    holds('getThis', site.getThis() === undefined || site.getThis() === globalThis);
    holds('getFunction', site.getFunction() === undefined);
    const place = `${site.getFileName()} ${site.getScriptNameOrSourceURL?.()} ${site.getEvalOrigin?.()}`;
    holds(`a frame in ${place}`, !/node:|\.mjs|isolated|\/(home|root|usr|vessel)\//.test(place));
  }
  return 'taken apart';
};
try {
  Error.stackTraceLimit = 1e9;
} catch {}
holds('a trace of twenty frames', Error.stackTraceLimit === 20);
const read = (error) => String(error.stack);
const calls = [
  () => sendmess(),
  () => recvmess(ip, 1),
  () => settimer(-1),
  () => openconn('x', 1),
  () => (0, eval)(''),
];
for (const call of calls) {
  try {
    await call();
  } catch (error) {
    read(error);
  }
}
read(new Error('own'));
recvmess(ip, port, (from, at, message, listener) => {
  read(new Error('in a callback'));
  holds('frames were seen', frames > 0);
  verdict();
});
sendmess(ip, port, 'x');
