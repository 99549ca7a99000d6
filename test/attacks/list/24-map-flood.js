/**
 * 24 map-flood: fills a map, whose table the engine cannot make greater
 * expected: killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
const map = new Map();
for (let key = 0; ; key++) map.set(key, { key });
