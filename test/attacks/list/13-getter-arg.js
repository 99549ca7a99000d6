/**
 * 13 getter-arg: gives objects whose conversion to a text or number throws, lies or answers each time anew
 * expected: held
 */
import { holds, ip, otherPort, port, verdict } from '../inside/tell.js';

let converted = 0;
const convert = (value) => ({
  toString: () => {
    converted++;
    return value;
  },
  valueOf: () => {
    converted++;
    return value;
  },
  [Symbol.toPrimitive]: () => {
    converted++;
    return value;
  },
});
const failing = {
  toString() {
    throw 'a text';
  },
  valueOf() {
    throw 'a text';
  },
};
const texts = [convert(ip), failing, new String(ip)];
const numbers = [convert(port), failing, new Number(port), `${port}`];
const refusedAll = [];
async function must(name, call) {
  try {
    const made = await call();
    if (typeof made?.close === 'function') made.close();
    refusedAll.push(name);
  } catch (error) {
    if (!(error instanceof RepyArgumentError)) refusedAll.push(`${name} ${error}`);
  }
}
for (const text of texts) {
  await must('recvmess ip', () => recvmess(text, port, log));
  await must('sendmess ip', () => sendmess(text, port, 'x'));
  await must('openconn ip', () => openconn(text, otherPort));
  await must('waitforconn ip', () => waitforconn(text, otherPort, log));
  await must('sendmess data', () => sendmess(ip, port, text));
}
for (const number of numbers) {
  await must('recvmess port', () => recvmess(ip, number, log));
  await must('sendmess port', () => sendmess(ip, number, 'x'));
  await must('openconn port', () => openconn(ip, number));
  await must('settimer', () => settimer(number, log));
  await must('sleep', () => sleep(number));
}
for (const made of refusedAll) holds(made, false);
holds('nothing was converted', converted === 0);
verdict();
