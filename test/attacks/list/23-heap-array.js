/**
 * 23 heap-array: fills the heap with arrays
 * expected: killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
const all = [];
for (;;) all.push(new Array(1000).fill(all.length));
