/**
 * 51 reentrancy: calls everything from within every callback, closes twice, and goes on after the end
 * expected: held
 */
import { holds, ip, otherPort, port, verdict } from '../inside/tell.js';

const step = (name, run) => {
  try {
    const made = run();
    made?.catch?.(() => {});
  } catch (error) {
    holds(`${name}: ${error}`, error instanceof RepyError);
  }
};
let ended = false;
const everything = (listener, sock) => {
  step('send', () => sendmess(ip, port, 'again'));
  step('listen', () => recvmess(ip, otherPort, () => {}).close());
  step('connect', () => openconn(ip, otherPort).then((made) => made.close()));
  step('close', () => listener?.close());
  step('close twice', () => listener?.close());
  step('stop', () => listener && stopcomm(listener));
  step('close sock', () => sock?.close());
  step('close sock twice', () => sock?.close());
  step('send closed', () => sock?.send('x'));
  step('recv closed', () => sock?.recv(1));
  const timer = settimer(0, () => {});
  step('cancel', () => canceltimer(timer));
  step('cancel twice', () => canceltimer(timer));
};
recvmess(ip, port, (from, at, message, listener) => everything(listener));
const listening = await waitforconn(ip, otherPort, (from, at, sock) => everything(undefined, sock));
const out = await openconn(ip, otherPort);
sendmess(ip, port, 'x');
const interval = setInterval(() => {
  clearInterval(interval);
  clearInterval(interval);
  everything(listening, out);
  if (ended) return;
  ended = true;
  settimer(0.2, () => {
    verdict();
    exitall();
    log('after the end');
  });
}, 5);
