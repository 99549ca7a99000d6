/**
 * 29 typedarray-grow: takes buffers, writes to each byte, catches the error and goes on
 * expected: held or killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
import { verdict } from '../inside/tell.js';

const kept = [];
let failures = 0;
while (failures < 100) {
  try {
    kept.push(new Uint8Array(1 << 20).fill(1));
  } catch {
    failures++;
  }
}
verdict();
