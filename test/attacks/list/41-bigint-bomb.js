/**
 * 41 bigint-bomb: computes a number that takes for ever and that the engine itself cannot interrupt
 * expected: stopped or killed: memory
 * stop: when it runs
 * resource cpu 0.2
 */
log('running');
log((2n ** (2n ** 29n)).toString().length);
