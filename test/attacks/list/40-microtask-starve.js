/**
 * 40 microtask-starve: never lets its turn end, by promises that make promises
 * expected: stopped
 * variants: chain, await, queue
 * stop: when it runs
 * resource cpu 0.2
 */
log('running');
if (callargs[1] === 'chain')
  (function again() {
    Promise.resolve().then(again);
  })();
else if (callargs[1] === 'queue')
  (function again() {
    queueMicrotask(again);
  })();
else for (;;) await null;
