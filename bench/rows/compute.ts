import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { figureOfText } from '../src/child.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { figureOfProgram } from '../src/vessel.ts';

const ROUNDS = 7;
const COUNT_MS = 300;

/** Each defines `work`, a few milliseconds of it. */
const WORKS = {
  'fib(27)': `
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
const work = () => fib(27);`,
  JSON: `
const rows = [];
for (let id = 0; id < 2000; id++) rows.push({ id, name: 'row ' + id, tags: ['a', 'b', 'c'], at: { x: id / 3, y: -id } });
const work = () => JSON.parse(JSON.stringify(rows)).length;`,
  'string work': `
const words = 'the quick brown fox jumps over the lazy dog '.repeat(500);
const work = () => {
  const counts = new Map();
  for (const word of words.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  return words.replace(/[aeiou]/g, (vowel) => vowel.toUpperCase()).indexOf('DOG') + counts.size;
};`,
};

/** The same text on both sides: half of the time to warm up, and half that counts. */
const source = (work: string, now: string) => `${work}
const now = () => ${now};
const run = (ms) => {
  const begin = now();
  let runs = 0;
  while (now() - begin < ms) {
    for (let n = 0; n < 5; n++) work();
    runs += 5;
  }
  return (runs * 1000) / (now() - begin);
};
run(${COUNT_MS});
log(run(${COUNT_MS}));`;

async function measure(files: RuntimeFiles, name: string, work: string): Promise<Result> {
  const figures = await interleave(
    ROUNDS,
    () => figureOfProgram(files, source(work, 'getruntime() * 1000')),
    () => figureOfText(source(work, 'performance.now()')),
  );
  return {
    row: name,
    ...figures,
    unit: 'runs/s',
    better: 'more',
    goal: { least: 0.95 },
    counted: `the same text as a program / in Node; median of ${ROUNDS} x ${COUNT_MS / 1000} s, after as long a warm-up`,
  };
}

export const compute: Row = {
  name: 'compute',
  run: async (files) => {
    const results: Result[] = [];
    for (const [name, work] of Object.entries(WORKS)) results.push(await measure(files, name, work));
    return results;
  },
};
