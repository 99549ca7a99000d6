/**
 * 11 thenable-return: returns objects with a then, a toString and a toJSON from its callbacks
 * expected: held
 */
import { holds, ip, port, verdict } from '../inside/tell.js';

let touched = 0;
const bait = () =>
  new Proxy(
    {
      then: (f) => {
        touched++;
        f(bait());
      },
    },
    {
      get: (target, key) => {
        touched++;
        return target[key];
      },
      has: () => {
        touched++;
        return true;
      },
    },
  );
recvmess(ip, port, () => bait());
settimer(0.001, () => bait());
setTimeout(() => bait(), 1);
const interval = setInterval(() => bait(), 5);
sendmess(ip, port, 'x');
await sleep(0.1);
clearInterval(interval);
holds('nothing of what callbacks return is touched', touched === 0);
verdict();
