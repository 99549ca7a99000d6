/**
 * 42 slow-builtins: burns time inside the engine: backtracking, sorting, typed arrays
 * expected: stopped
 * variants: regexp, sort, typed, search
 * stop: when it runs
 * resource cpu 0.2
 */
const BURN = {
  regexp: () => /^(a+)+$/.test(`${'a'.repeat(200)}b`),
  sort: () => {
    for (;;) Array.from({ length: 1000 }, (_, at) => at).sort(() => Math.random() - 0.5);
  },
  typed: () => {
    const numbers = new Float64Array(500_000);
    for (;;)
      numbers
        .fill(1)
        .map((_, at) => -at)
        .sort();
  },
  search: () => {
    for (;;) 'a'.repeat(1_000_000).includes(`${'a'.repeat(100_000)}b`);
  },
};
log('running');
BURN[callargs[1]]();
