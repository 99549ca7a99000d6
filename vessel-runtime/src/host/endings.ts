import type { Ending } from '@potluck/protocol';
import { signalNumber } from './launch.ts';

/** What is known of a vessel process that is gone and whose program did not say how it ended. */
export interface Remains {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its stderr: only the engine writes there. */
  readonly stderr: string;
  /** Bytes; unknown before `start`. */
  readonly memoryLimit: number | undefined;
  /** Bytes beyond an idle process, as last seen by the governor. */
  readonly memoryUsed: number | undefined;
}

/** The engine gives up by one of these when it gets no memory; 133 and 134 are the same two through an exit code. */
const ENGINE_SIGNALS: readonly string[] = ['SIGABRT', 'SIGTRAP', 'SIGSEGV', 'SIGILL', 'SIGBUS'];
const ENGINE_CODES: readonly number[] = [133, 134, 139];
/** The words of the engine, of its heap's report, of the C++ library and of its threads. */
const OUT_OF_MEMORY =
  /out of memory|heap limit|allocation fail|is_heap_oom|bad_alloc|resource temporarily unavailable/i;

/** @returns the ending of a process that went without a word: a memory limit where the signs say so, else `crashed`. */
export function endingOf(remains: Remains): Ending {
  const { code, signal, memoryLimit, memoryUsed = 0 } = remains;
  const engine = ENGINE_SIGNALS.includes(signal ?? '') || ENGINE_CODES.includes(code ?? 0);
  if (engine && memoryLimit !== undefined) {
    // It grows faster than it is looked at, so the last look may well have been at half.
    const isMemory = OUT_OF_MEMORY.test(remains.stderr) || memoryUsed > memoryLimit / 2;
    if (isMemory) return memoryEnding(memoryLimit, memoryUsed);
  }
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const lastLine = remains.stderr.trim().split('\n').at(-1) ?? '';
  const last = lastLine === '' ? '' : `; it last wrote "${printable(lastLine.slice(0, 500))}"`;
  return crashed(
    `expected the vessel process to say how its program ended, it ended ${how}${last}`,
    exitCodeOf(remains),
  );
}

export function crashed(message: string, exitCode = 70): Ending {
  return { kind: 'crashed', message: message.slice(0, 2000), exitCode };
}

/** @param limit bytes; @param used bytes. */
export function memoryEnding(limit: number, used: number): Ending {
  // What was seen last may be of before the growth: the system refused what would have passed the limit.
  const got = used > limit ? `${used}` : 'more asked for at once';
  const message = `expected at most ${limit} bytes of memory, got ${got}`;
  return { kind: 'limit', message, exitCode: 137, limit: { resource: 'memory', limit, used: Math.max(used, limit) } };
}

function exitCodeOf({ code, signal }: Remains): number {
  if (signal !== null) return Math.min(255, 128 + signalNumber(signal));
  return code === null || code === 0 ? 70 : Math.min(255, code);
}

/** Engine messages go to a log that people read in a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
