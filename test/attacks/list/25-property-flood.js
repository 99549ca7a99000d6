/**
 * 25 property-flood: gives one object properties without end
 * expected: killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
const object = {};
for (let key = 0; ; key++) object[`property ${key}`] = key;
