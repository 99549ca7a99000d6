import { setTimeout as delay } from 'node:timers/promises';
import type { Ending, VesselState } from '@potluck/protocol';
import { inParallel } from '../bulk.ts';
import { throwIfCancelled, unlessCancelled } from '../cancel.ts';
import { refresher } from '../refresh.ts';
import type { Context } from '../session.ts';
import { nameOf, type Target } from '../targets.ts';

/**
 * A vessel's state, or why it is not known: another key answers at its node's address, the node does not have it any more
 * (or it is somebody else's), the node does not answer.
 */
export type WatchedState = VesselState | 'NO_SUCH_NODE' | 'NO_SUCH_VESSEL' | 'NODE_UNREACHABLE';

export interface StateChange {
  readonly id: string;
  readonly name: string;
  /** Undefined the first time. The same as `to` when a program has come and gone between two looks. */
  readonly from: WatchedState | undefined;
  readonly to: WatchedState;
  /** Why the program ended, when one has. */
  readonly ending?: Ending;
}

/** Between two looks at the nodes, unless something else is asked for. */
export const WATCH_MS = 1000;

interface Look {
  readonly state: WatchedState;
  readonly since?: number;
  readonly ending?: Ending | undefined;
}

/** What each vessel is now, and then each change; until nobody reads on, or the signal says so. */
export async function* watch(
  context: Context,
  targets: readonly Target[],
  everyMs: number = WATCH_MS,
): AsyncGenerator<StateChange, void, undefined> {
  const last = new Map<Target, Look>();
  for (;;) {
    for (const [target, look] of await lookAll(context, targets)) {
      const before = last.get(target);
      if (look === undefined || (before?.state === look.state && before.since === look.since)) continue;
      last.set(target, look);
      const { state: to, ending } = look;
      yield { id: target.id, name: nameOf(target), from: before?.state, to, ...(ending !== undefined && { ending }) };
    }
    await unlessCancelled(context.signal, delay(everyMs, undefined, { signal: context.signal }));
  }
}

/** A node that refuses for the moment (`undefined`) says nothing about the vessel. */
async function lookAll(context: Context, targets: readonly Target[]): Promise<[Target, Look | undefined][]> {
  const refresh = refresher(context);
  const { good, bad } = await inParallel(context, targets, refresh);
  throwIfCancelled(context.signal);
  const looks = new Map<Target, Look | undefined>();
  for (const { item, value } of good) looks.set(item, value);
  for (const { item, error } of bad) looks.set(item, absence(error.code));
  return targets.map((target) => [target, looks.get(target)]);
}

function absence(code: string): Look | undefined {
  const states: Readonly<Record<string, WatchedState>> = {
    WRONG_IDENTITY: 'NO_SUCH_NODE',
    NO_VESSELS: 'NO_SUCH_VESSEL',
    UNREACHABLE: 'NODE_UNREACHABLE',
    TIMEOUT: 'NODE_UNREACHABLE',
    CLOSED: 'NODE_UNREACHABLE',
    BAD_REPLY: 'NODE_UNREACHABLE',
  };
  const state = states[code];
  return state && { state };
}
