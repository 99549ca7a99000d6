import prelude from 'potluck:prelude';
import type IsolatedVM from 'isolated-vm';
import { end } from './pipe.ts';
import { PRELUDE_NAME } from './trace.ts';
import type { Primitive } from './world.ts';

/** The code inside, as one script that defines `prelude`. */
export const PRELUDE: string = prelude;
export type Ivm = typeof IsolatedVM;
type Operation = (code: unknown, ...args: unknown[]) => Primitive;

const MIB = 1024 * 1024;
/** isolated-vm takes no less. */
const LEAST_MIB = 8;

export interface Sandbox {
  readonly isolate: IsolatedVM.Isolate;
  /** Where the next code of a program or of a layer runs. */
  top: IsolatedVM.Context;
  /** The one way in; answers '' or the text of an uncaught error. A plain function costs less than a `Reference` to one. */
  readonly dispatch: (...event: (Primitive | IsolatedVM.Dereference<unknown> | undefined)[]) => string;
  readonly limitMib: number;
}

/** @param bytes a vessel's memory. @returns the heap limit for it. */
export function heapMib(bytes: number): number {
  return Math.max(LEAST_MIB, Math.ceil(bytes / MIB));
}

/** Makes an isolate with the program's world in it, and nothing of the program yet. */
export function makeSandbox(ivm: Ivm, limitMib: number, operation: Operation): Sandbox {
  // Without `onCatastrophicError`: its answer would wait for this thread, which the engine has parked for ever by then.
  // So the engine aborts when it gets no memory, and says so on stderr.
  const isolate = new ivm.Isolate({ memoryLimit: limitMib });
  const context = isolate.createContextSync();
  const dispatch = context.evalClosureSync(
    `${prelude}\nreturn prelude.install($0);`,
    [new ivm.Callback(operation as (...args: unknown[]) => unknown)],
    { filename: PRELUDE_NAME },
  ) as Sandbox['dispatch'];
  return { isolate, top: context, dispatch, limitMib };
}

/** @returns what the program's heap holds now, with what it holds outside of it. */
export function heapBytes({ isolate }: Sandbox): number {
  const { used_heap_size: used, externally_allocated_size: outside } = isolate.getHeapStatisticsSync();
  return used + outside;
}

export function outOfMemory(limitMib: number): never {
  const bytes = limitMib * MIB;
  return end({
    kind: 'limit',
    message: `out of memory: expected a heap of at most ${limitMib} MiB, got more`,
    exitCode: 98,
    limit: { resource: 'memory', limit: bytes, used: bytes },
  });
}
