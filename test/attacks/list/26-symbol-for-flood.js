/**
 * 26 symbol-for-flood: registers symbols that are never collected
 * expected: killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
for (let name = 0; ; name++) Symbol.for(`a name that is rather long and stays for ever ${name}`);
