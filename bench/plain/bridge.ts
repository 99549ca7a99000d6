// The floor of a call: an isolate calls an empty function of its host. Prints nanoseconds for each call.
// Usage: bridge.ts NATIVE CALLS
import { createRequire } from 'node:module';

/** What is used of isolated-vm, which vessel-runtime brings. */
interface Ivm {
  Isolate: new () => { createContextSync(): { evalClosureSync(text: string, args: unknown[]): unknown } };
  Callback: new (fn: () => number) => unknown;
}

const [, , native = '', calls] = process.argv;
const { ivm } = createRequire(import.meta.url)(native) as { ivm: Ivm };
const context = new ivm.Isolate().createContextSync();
const run = context.evalClosureSync(
  `const call = $0;
  return (count) => {
    for (let made = 0; made < count; made++) call();
  };`,
  [new ivm.Callback(() => 0)],
) as (count: number) => void;
run(Number(calls));
const begin = performance.now();
run(Number(calls));
console.log(((performance.now() - begin) * 1e6) / Number(calls));
