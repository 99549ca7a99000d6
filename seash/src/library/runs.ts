import type { Ending, VesselState } from '@potluck/protocol';
import type { Failure } from '../bulk.ts';
import type { LogLine } from './follow.ts';
import { Outcome, type Result } from './outcome.ts';
import type { CallOptions, FollowOptions, Vessels } from './vessels.ts';
import { WATCH_MS, type WatchedState } from './watch.ts';

/** How a program ended, or why that is not known. */
export interface Ended {
  readonly id: string;
  readonly name: string;
  readonly state: WatchedState;
  readonly ending?: Ending;
}

/** Where a program's vessel was when it was started, and where in the vessel's log its own lines begin. */
interface Started {
  readonly state: VesselState;
  readonly logFrom: number;
}

/** Programs that were started, each in its vessel. */
export class Runs extends Outcome<Started> {
  readonly #follow: Vessels['follow'];

  constructor(of: Vessels, bulk: { vessels: readonly Result<Started>[]; failed: readonly Failure[] }) {
    super(of, bulk);
    const from = new Map(bulk.vessels.map(({ id, logFrom }) => [id, logFrom]));
    this.#follow = (options) => this.good.follow({ ...options, from });
  }

  /**
   * What the programs log, line by line, from their beginning until all of them have ended. A vessel that fails harms no
   * other: `onEnd` tells how it went with each. @throws CommandError CANCELLED
   */
  follow(options: FollowOptions = {}): AsyncIterable<LogLine> {
    return this.#follow(options);
  }

  /**
   * Waits until every program that was started has ended, or its vessel is gone. A node that does not answer is waited
   * for: give a signal. @throws CommandError CANCELLED
   */
  async ended({ everyMs = WATCH_MS, ...options }: CallOptions & { readonly everyMs?: number } = {}): Promise<Ended[]> {
    const ended = new Map<string, Ended>();
    if (this.good.size === 0) return [];
    for await (const { id, name, to, ending } of this.good.watch({ everyMs, ...options })) {
      if (to === 'Started' || to === 'NODE_UNREACHABLE') ended.delete(id);
      else ended.set(id, { id, name, state: to, ...(ending !== undefined && { ending }) });
      if (ended.size === this.good.size) break;
    }
    return [...this.good].flatMap(({ id }) => ended.get(id) ?? []);
  }
}
