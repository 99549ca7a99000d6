import { OP } from '../ops.ts';
import { invoke } from './bridge.ts';
import { needFunction } from './data.ts';
import { callProgram } from './errors.ts';
import { table } from './primordials.ts';

const handlers = table<(...args: unknown[]) => unknown>();
let count = 0;

export function onstop(fn: unknown): void {
  const handler = needFunction(fn, 'what to call');
  if (count === 0) invoke(OP.onstop);
  handlers[count++] = handler;
}

/** All are called, in their order, and the program ends when all are done: nobody waits longer than it needs. */
export async function stop(reason: string): Promise<void> {
  const results = table<unknown>();
  for (let at = 0; at < count; at++)
    results[at] = callProgram(handlers[at] as (...args: unknown[]) => unknown, [reason]);
  for (let at = 0; at < count; at++) await results[at];
  invoke(OP.exitall);
}
