/**
 * 28 string-bombs: doubles a text, keeps many texts, joins a great array
 * expected: held or killed: memory
 * variants: double, keep, join
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
import { variant, verdict } from '../inside/tell.js';

const BOMBS = {
  double: () => {
    let text = 'x';
    for (;;) text += text;
  },
  keep: () => {
    const kept = [];
    for (;;) kept.push(`${kept.length}`.repeat(10_000).split('').join('-'));
  },
  join: () => new Array(50_000_000).join('a text that is long'),
};
try {
  BOMBS[variant]();
} catch {}
verdict();
