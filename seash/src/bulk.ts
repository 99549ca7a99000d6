import type { KeyId, MethodName, Params, Result } from '@potluck/protocol';
import { PeerError } from '@potluck/protocol';
import { z } from 'zod';
import { throwIfCancelled } from './cancel.ts';
import type { Answer } from './connections.ts';
import { type ErrorFacts, factsOf } from './errors.ts';
import type { Context } from './session.ts';
import { nameOf, type Target } from './targets.ts';

/** Vessels, or the addresses of nodes, that failed for the same reason. */
export const failureSchema = z.object({ code: z.string(), message: z.string(), affected: z.array(z.string()) });
export type Failure = z.infer<typeof failureSchema>;

const vesselShape = { id: z.string(), name: z.string() };

/** The shape of a bulk command's result: what each vessel answered, and why the others did not. */
export function bulkSchema<S extends z.core.$ZodLooseShape>(facts: S) {
  return z.object({ vessels: z.array(z.object({ ...vesselShape, ...facts })), failed: z.array(failureSchema) });
}

export interface Bulk<T> {
  vessels: ({ id: string; name: string } & T)[];
  failed: Failure[];
}

/** Does one thing on many vessels at once; one that fails harms no other. Leaves the command's two groups behind. */
export async function onEach<T extends object>(
  context: Context,
  vessels: readonly Target[],
  work: (target: Target) => Promise<T>,
): Promise<Bulk<T>> {
  const { good, bad } = await onEachNode(context, vessels, work);
  leaveGroups(context, { good: good.map(({ item }) => item), fail: bad.map(({ item }) => item) });
  return bulkOf({ good, bad });
}

/** The two groups that the command leaves, if it does. */
export function leaveGroups({ leaves, session }: Context, groups: Record<'good' | 'fail', Target[]>): void {
  if (leaves === undefined) return;
  for (const [end, members] of Object.entries(groups)) session.targets.setGroup(`${leaves}${end}`, members);
}

/** Not one node after the other: with many vessels on each, all nodes are at work at once. */
async function onEachNode<T>(
  context: Context,
  targets: readonly Target[],
  work: (target: Target) => Promise<T>,
): Promise<Outcomes<Target, T>> {
  const rows = [...Map.groupBy(targets, ({ node }) => node).values()];
  const most = Math.max(0, ...rows.map(({ length }) => length));
  const turns = Array.from({ length: most }, (_, turn) => rows.flatMap((row) => row.slice(turn, turn + 1)));
  const { good, bad } = await inParallel(context, turns.flat(), work);
  const places = new Map(targets.map((target, place) => [target, place]));
  const byPlace = (a: { item: Target }, b: { item: Target }): number =>
    (places.get(a.item) ?? 0) - (places.get(b.item) ?? 0);
  return { good: good.sort(byPlace), bad: bad.sort(byPlace) };
}

export function bulkOf<T extends object>({ good, bad }: Outcomes<Target, T>): Bulk<T> {
  return {
    vessels: good.map(({ item, value }) => ({ id: item.id, name: nameOf(item), ...value })),
    failed: groupFailures(bad.map(({ item, error }) => ({ affected: nameOf(item), error }))),
  };
}

export interface Outcomes<I, T> {
  readonly good: { item: I; value: T }[];
  readonly bad: { item: I; error: ErrorFacts }[];
}

/** Both lists in the order of the items; at most `parallel` at work at once, else the session's. Never throws. */
export async function inParallel<I, T>(
  { session, signal, onProgress, parallel }: Pick<Context, 'session' | 'signal' | 'onProgress'> & { parallel?: number },
  items: readonly I[],
  work: (item: I) => Promise<T>,
): Promise<Outcomes<I, T>> {
  const outcomes: ({ item: I; value: T } | { item: I; error: ErrorFacts })[] = [];
  const todo = items.entries();
  let done = 0;
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (const [index, item] of todo) {
      try {
        throwIfCancelled(signal);
        outcomes[index] = { item, value: await work(item) };
      } catch (error) {
        outcomes[index] = { item, error: peerFactsOf(error) };
        failed += 1;
      }
      done += 1;
      onProgress({ done, total: items.length, failed });
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel ?? session.parallel, items.length) }, worker));
  return {
    good: outcomes.filter((outcome) => 'value' in outcome),
    bad: outcomes.filter((outcome) => 'error' in outcome),
  };
}

/** One request to a vessel's node in the name of the context's identity. */
export async function ask<M extends MethodName>(
  context: Context,
  target: Pick<Target, 'node' | 'reach'>,
  call: { method: M; params: Params<M>; attachment?: Uint8Array },
): Promise<Answer<M>> {
  const { identity, signal, session } = context;
  return await session.connections.call({ identity, signal, node: target.node, reach: target.reach }, call);
}

/** Characters of a node's version that are kept: what it says must not fill a state. */
const VERSION_LENGTH = 64;

/** `GetVessels`; what the node says of itself is kept for conditions, with the time that it took. */
export async function askNode(
  context: Context,
  { node, reach }: Pick<Target, 'node' | 'reach'>,
): Promise<Result<'GetVessels'>> {
  const { result, roundTripMs } = await ask(context, { node, reach }, { method: 'GetVessels', params: {} });
  const { os, arch } = result;
  const version = result.version.slice(0, VERSION_LENGTH);
  context.session.targets.learn(node, { version, os, arch, latencyMs: roundTripMs });
  return result;
}

/** `askNode` once for each node, however many of its vessels are asked for. */
export function nodeFacts(context: Context): (target: Target) => Promise<Result<'GetVessels'>> {
  const asked = new Map<KeyId, Promise<Result<'GetVessels'>>>();
  return async (target) => {
    const answer = asked.get(target.node) ?? askNode(context, target);
    asked.set(target.node, answer);
    return await answer;
  };
}

/** Asks each target's node while `work` goes on; when that fails, nobody is waited for. @returns what `work` gives. */
export async function askMeanwhile<T>(
  context: Context,
  { targets, factsOf }: { targets: readonly Target[]; factsOf: ReturnType<typeof nodeFacts> },
  work: () => Promise<T>,
): Promise<T> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const nodes = new Map(targets.map((target) => [target.node, target]));
  const asking = inParallel({ session: context.session, signal, onProgress: () => {} }, [...nodes.values()], factsOf);
  try {
    const value = await work();
    await asking;
    return value;
  } finally {
    failed.abort();
  }
}

/** One entry for each message, the most frequent first. */
export function groupFailures(failures: readonly { affected: string; error: ErrorFacts }[]): Failure[] {
  const groups = Map.groupBy(failures, ({ error }) => `${error.code} ${error.message}`);
  return [...groups.values()]
    .map((group) => ({ ...factsIn(group), affected: group.map(({ affected }) => affected) }))
    .sort((a, b) => b.affected.length - a.affected.length);
}

function factsIn(group: readonly { error: ErrorFacts }[]): ErrorFacts {
  const { code, message } = group[0]?.error ?? { code: 'INTERNAL', message: '' };
  return { code, message };
}

/** The same fault of many nodes in the same words: without the node's address, which the list of the affected has. */
function peerFactsOf(error: unknown): ErrorFacts {
  if (!(error instanceof PeerError)) return factsOf(error);
  const { cause: of, details } = error;
  const why = details.refusal ?? (of instanceof Error && 'code' in of ? of.code : undefined);
  const cause = why === undefined ? '' : ` (${String(why)})`;
  const messages: Record<PeerError['code'], string> = {
    UNREACHABLE: `expected a node to answer, got no connection${cause}`,
    TIMEOUT: 'expected a node to answer in time, got nothing',
    CLOSED: 'expected the node to answer, got a closed connection',
    WRONG_IDENTITY: "expected the node's own key, got another: somebody else answers at its address",
    BAD_REPLY: `expected an answer of Potluck's protocol, got something else`,
  };
  return { code: error.code, message: messages[error.code] };
}
