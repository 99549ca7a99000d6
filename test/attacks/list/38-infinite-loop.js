/**
 * 38 infinite-loop: never comes back, at its top level
 * expected: stopped
 * stop: when it runs
 * resource cpu 0.2
 */
log('running');
for (;;);
