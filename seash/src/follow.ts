import { type Ending, endingSchema, keepFollowing, type VesselState, vesselStateSchema } from '@potluck/protocol';
import { z } from 'zod';
import { type Bulk, bulkOf, inParallel } from './bulk.ts';
import { Lines } from './lines.ts';
import type { Context } from './session.ts';
import { nameOf, type Target } from './targets.ts';

/** What is told while logs are followed, as it happens. */
export const followEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('line'), id: z.string(), name: z.string(), line: z.string() }),
  /** Bytes of the log that came here and are kept no longer. */
  z.object({ event: z.literal('dropped'), id: z.string(), name: z.string(), droppedBytes: z.int() }),
  z.object({
    event: z.literal('ended'),
    id: z.string(),
    name: z.string(),
    state: vesselStateSchema,
    ending: endingSchema.optional(),
  }),
]);
export type FollowEvent = z.infer<typeof followEventSchema>;

/** Members that a followed vessel has in the result; `ending` only when its program has ended. */
export const followedShape = {
  state: vesselStateSchema,
  ending: endingSchema.optional(),
  droppedBytes: z.int().optional(),
};

/** Members that the result of a command has that followed. */
export const followingShape = {
  /** The highest of the programs that ended. */
  exitCode: z.int().optional(),
  /** Given up by the user: the programs go on. */
  interrupted: z.boolean().optional(),
};

export interface Followed {
  readonly state: VesselState;
  readonly ending?: Ending;
  readonly droppedBytes: number;
}

/** A vessel, and where in its log to begin: with the oldest that is kept unless given. */
export interface Follow {
  readonly target: Target;
  readonly from?: number;
}

/** Follows all at once until each program has ended, or the command is cancelled, which is no failure. */
export async function followAll(context: Context, follows: readonly Follow[]): Promise<Bulk<Followed>> {
  const { session } = context;
  // Cancelling ends each of them by itself, with what it has.
  const all = { session, signal: new AbortController().signal, onProgress: () => undefined, parallel: follows.length };
  const { good, bad } = await inParallel(all, follows, async (follow) => await followOne(context, follow));
  return bulkOf({
    good: good.map(({ item, value }) => ({ item: item.target, value })),
    bad: bad.map(({ item, error }) => ({ item: item.target, error })),
  });
}

/** @returns the members that say how it ended for all. */
export function summaryOf(context: Context, vessels: readonly Pick<Followed, 'ending'>[]) {
  const exitCode = Math.max(0, ...vessels.map(({ ending }) => ending?.exitCode ?? 0));
  return { exitCode, interrupted: context.signal.aborted };
}

async function followOne(context: Context, { target, from }: Follow): Promise<Followed> {
  const { id } = target;
  const name = nameOf(target);
  const lines = new Lines();
  const say = async (texts: readonly string[]): Promise<void> => {
    for (const line of texts) await context.tell({ event: 'line', id, name, line });
  };
  let droppedBytes = 0;
  for await (const { result, attachment } of untilEnd(context, target, from)) {
    if (result.droppedBytes > 0) {
      await say(lines.end());
      droppedBytes += result.droppedBytes;
      await context.tell({ event: 'dropped', id, name, droppedBytes: result.droppedBytes });
    }
    await say(lines.push(attachment));
    if (result.state === undefined) continue;
    await say(lines.end());
    const { state, ending } = result;
    target.info = { ...target.info, state, ending };
    await context.tell({ event: 'ended', id, name, state, ending });
    return { state, ...(ending !== undefined && { ending }), droppedBytes };
  }
  await say(lines.end());
  return { state: 'Started', droppedBytes };
}

/** A lost connection is opened again, and the log goes on where it was. Ends in silence when the command is cancelled. */
export function untilEnd(
  { session, identity, signal }: Pick<Context, 'session' | 'identity' | 'signal'>,
  { node, reach, vessel }: Target,
  from?: number,
) {
  const open = (next?: number) => session.connections.followLog({ identity, node, reach, signal }, vessel, next);
  return keepFollowing(open, { from, signal });
}
