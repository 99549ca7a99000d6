/**
 * 34 leaks: keeps closures, promises, weak references and registrations for ever
 * expected: killed: memory
 * variants: closure, promise, weak, registry
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
const kept = [];
const registry = new FinalizationRegistry(() => {});
const LEAKS = {
  closure: (at) => kept.push(() => `${at}${kept.length}`),
  promise: () => kept.push(new Promise(() => {}).then(() => kept)),
  weak: () => {
    const target = {};
    kept.push(target, new WeakRef(target));
  },
  registry: (at) => {
    const target = { at };
    kept.push(target);
    registry.register(target, { at }, target);
  },
};
const leak = LEAKS[callargs[1]];
for (let at = 0; ; at++) leak(at);
