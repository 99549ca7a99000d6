/**
 * 27 array-fill: fills an array of 300,000,000 elements by one call of the engine's
 * expected: killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
new Array(3e8).fill(1);
