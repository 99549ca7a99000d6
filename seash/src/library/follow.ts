import type { Ending, VesselState } from '@potluck/protocol';
import { throwIfCancelled } from '../cancel.ts';
import { type ErrorFacts, factsOf } from '../errors.ts';
import { untilEnd } from '../follow.ts';
import { Lines } from '../lines.ts';
import type { Context } from '../session.ts';
import { nameOf, type Target } from '../targets.ts';

/** One line of a vessel's log, without its end. */
export interface LogLine {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** Bytes that are missing before it: the program wrote faster than they were read. */
  readonly droppedBytes?: number;
}

/** How the following of one vessel came to its end. */
export interface LogEnd {
  readonly id: string;
  readonly name: string;
  readonly state?: VesselState | undefined;
  readonly ending?: Ending | undefined;
  /** Why nothing more comes of this vessel, when it is not that its program ended. */
  readonly error?: ErrorFacts;
}

export interface Followed {
  readonly target: Target;
  /** Where in its log to begin; with the oldest line that is kept unless given. */
  readonly from?: number | undefined;
}

/**
 * The lines of many vessels' logs as they are written, until all their programs have ended; one that fails harms no other.
 * @param onEnd called when nothing more comes of a vessel
 * @throws CommandError CANCELLED
 */
export async function* followAll(
  context: Context,
  followed: readonly Followed[],
  onEnd: (end: LogEnd) => void,
): AsyncGenerator<LogLine, void, undefined> {
  const leaving = new AbortController();
  const ended = (end: LogEnd): void => {
    if (!leaving.signal.aborted) onEnd(end);
  };
  const signal = AbortSignal.any([context.signal, leaving.signal]);
  const readers = followed.map((one) => guarded(lines(context, one, signal), one.target, ended));
  const next = new Map(readers.map((reader) => [reader, step(reader)]));
  try {
    while (next.size > 0) {
      const { reader, result } = await Promise.race(next.values());
      throwIfCancelled(context.signal);
      if (result.done) next.delete(reader);
      else {
        next.set(reader, step(reader));
        yield result.value;
      }
    }
  } finally {
    leaving.abort(); // A reader that waits for a line hears of nothing else.
    await Promise.allSettled(next.values());
    await Promise.allSettled(readers.map(async (reader) => await reader.return()));
  }
}

type Reader = AsyncGenerator<LogLine, void, undefined>;

async function step(reader: Reader): Promise<{ reader: Reader; result: IteratorResult<LogLine, void> }> {
  return { reader, result: await reader.next() };
}

async function* guarded(reading: ReturnType<typeof lines>, target: Target, onEnd: (end: LogEnd) => void): Reader {
  const who = { id: target.id, name: nameOf(target) };
  try {
    onEnd({ ...who, ...(yield* reading) });
  } catch (error) {
    onEnd({ ...who, error: factsOf(error) });
  }
}

async function* lines(
  { session, identity }: Context,
  { target, from }: Followed,
  signal: AbortSignal,
): AsyncGenerator<LogLine, Pick<LogEnd, 'state' | 'ending'>, undefined> {
  const who = { id: target.id, name: nameOf(target) };
  const whole = new Lines();
  let dropped = 0;
  let last: Pick<LogEnd, 'state' | 'ending'> = {};
  for await (const { result, attachment } of untilEnd({ session, identity, signal }, target, from)) {
    const { droppedBytes, state, ending } = result;
    const before = droppedBytes > 0 ? whole.end() : []; // The rest of that line is what was dropped.
    for (const text of before) yield { ...who, text };
    dropped += droppedBytes;
    for (const text of whole.push(attachment)) {
      yield { ...who, text, ...(dropped > 0 && { droppedBytes: dropped }) };
      dropped = 0;
    }
    last = { state, ending };
  }
  for (const text of whole.end()) yield { ...who, text };
  return last;
}
