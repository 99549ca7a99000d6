import type { KeyId } from '@potluck/protocol';
import { cat, download, remove, upload } from '../commands/files.ts';
import { list } from '../commands/find.ts';
import { reset, run, startCommand, stop } from '../commands/programs.ts';
import { files, log, resources } from '../commands/show.ts';
import { CommandError } from '../errors.ts';
import { release, renew } from '../leases.ts';
import { uploaddir } from '../modules/uploaddir.ts';
import type { Context, Progress } from '../session.ts';
import { handleOf, nameOf, type Target } from '../targets.ts';
import { followAll, type LogEnd } from './follow.ts';
import { Outcome } from './outcome.ts';
import { Runs } from './runs.ts';
import { type StateChange, watch } from './watch.ts';

export interface CallOptions {
  /** Ends the waiting; what was done by then is done. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface FollowOptions extends CallOptions {
  /** Called when nothing more comes of a vessel: its program has ended, or its node cannot be read. */
  readonly onEnd?: ((end: LogEnd) => void) | undefined;
}

/** One vessel, as it was last known. */
export interface Vessel {
  /** `%3`: its number in the session. */
  readonly id: string;
  /** `10.0.0.7:1224:v1` */
  readonly name: string;
  /** `NODEID:v1`, as the clearinghouse calls it. */
  readonly handle: string;
  readonly node: KeyId;
  readonly state: Target['info']['state'];
}

/** Makes what a command sees, for these vessels. */
export type ContextOf = (targets: readonly Target[], options: CallOptions) => Context;

/**
 * Some vessels of a session, in a fixed order. What is asked of them is asked of all at once; one that fails harms no
 * other, and the outcome says which and why. Local paths are relative to the session's directory.
 */
export class Vessels implements Iterable<Vessel> {
  readonly #contextOf: ContextOf;
  readonly #targets: readonly Target[];

  constructor(contextOf: ContextOf, targets: readonly Target[]) {
    this.#contextOf = contextOf;
    this.#targets = targets;
  }

  get size(): number {
    return this.#targets.length;
  }

  *[Symbol.iterator](): Iterator<Vessel> {
    for (const target of this.#targets) yield vesselOf(target);
  }

  filter(wanted: (vessel: Vessel) => boolean): Vessels {
    return new Vessels(
      this.#contextOf,
      this.#targets.filter((target) => wanted(vesselOf(target))),
    );
  }

  /** These and the others, each once. */
  and(others: Vessels): Vessels {
    return new Vessels(this.#contextOf, [...new Set([...this.#targets, ...others.#targets])]);
  }

  /** What each does now, or why its program has ended. */
  async list(options: CallOptions = {}) {
    return new Outcome(this, await list.work(this.#context(options), {}));
  }

  /** Copies a local file into each vessel. @throws CommandError FILE_MISSING, FILE_TOO_LARGE, BAD_NAME */
  async upload(local: string, { as, ...options }: CallOptions & { readonly as?: string } = {}) {
    return new Outcome(this, await upload.work(this.#context(options), { LOCAL: local, REMOTE: as }));
  }

  /** Copies the files of a local folder into each vessel, where they differ. @throws CommandError as `upload` */
  async uploadFolder(folder: string, options: CallOptions = {}) {
    return new Outcome(this, await uploaddir.work(this.#context(options), { FOLDER: folder }));
  }

  /** Copies a file out of each vessel; of many, each has its vessel's name behind. `file` of a result says where it is. */
  async download(remote: string, { to, ...options }: CallOptions & { readonly to?: string } = {}) {
    return new Outcome(this, await download.work(this.#context(options), { REMOTE: remote, LOCAL: to }));
  }

  /** The text of a file in each vessel. */
  async read(remote: string, options: CallOptions = {}) {
    return new Outcome(this, await cat.work(this.#context(options), { REMOTE: remote }));
  }

  /** Removes a file from each vessel. */
  async delete(remote: string, options: CallOptions = {}) {
    return new Outcome(this, await remove.work(this.#context(options), { REMOTE: remote, yes: true }));
  }

  /** The names, sizes and hashes of each vessel's files. */
  async files(options: CallOptions = {}) {
    return new Outcome(this, await files.work(this.#context(options), {}));
  }

  /** Bundles a local program, uploads it where it differs, and starts it. @throws CommandError, BundleError */
  async run(program: string, args: readonly string[] = [], options: CallOptions = {}): Promise<Runs> {
    const bulk = await run.work(this.#context(options), { FILE: program, ARG: args, follow: false, 'no-check': false });
    return new Runs(this, bulk);
  }

  /** Starts a program that is in the vessels' files. */
  async start(program: string, args: readonly string[] = [], options: CallOptions = {}): Promise<Runs> {
    const bulk = await startCommand.work(this.#context(options), { PROGRAM: program, ARG: args, follow: false });
    return new Runs(this, bulk);
  }

  async stop(options: CallOptions = {}) {
    return new Outcome(this, await stop.work(this.#context(options), {}));
  }

  /** Stops the program, removes the files and the log. */
  async reset(options: CallOptions = {}) {
    return new Outcome(this, await reset.work(this.#context(options), { yes: true }));
  }

  /** Each vessel's log, as far as its node has kept it. */
  async logs(options: CallOptions = {}) {
    return new Outcome(this, await log.work(this.#context(options), { FILE: undefined, follow: false }));
  }

  /**
   * The lines of the vessels' logs as they are written, until no program runs in them any more.
   * @param from where in the log of each vessel to begin, by its id; with the oldest line that is kept unless given
   */
  async *follow({
    from,
    onEnd = () => undefined,
    ...options
  }: FollowOptions & { readonly from?: ReadonlyMap<string, number> } = {}) {
    if (this.size === 0) return;
    const followed = this.#targets.map((target) => ({ target, from: from?.get(target.id) }));
    yield* followAll(this.#context(options), followed, onEnd);
  }

  /** What each vessel may use, and what it uses now. */
  async resources(options: CallOptions = {}) {
    return new Outcome(this, await resources.work(this.#context(options), {}));
  }

  /** Holds them for as long from now as the clearinghouse renews. @throws ClearinghouseError */
  async renew(options: CallOptions = {}) {
    return new Outcome(this, await renew(this.#context(options), this.#targets));
  }

  /** Gives them back; they are emptied. @throws ClearinghouseError */
  async release(options: CallOptions = {}) {
    return new Outcome(this, await release(this.#context(options), this.#targets));
  }

  /**
   * What each vessel is now, and then each change, until the reader or the signal ends it; then it throws CANCELLED.
   * @param everyMs between two looks at the nodes; 1 s unless given
   */
  watch({ everyMs, ...options }: CallOptions & { readonly everyMs?: number } = {}): AsyncIterable<StateChange> {
    return watch(this.#context(options), this.#targets, everyMs);
  }

  #context(options: CallOptions): Context {
    if (this.size === 0) throw new CommandError('NO_TARGET', 'expected at least one vessel, got none');
    return this.#contextOf(this.#targets, options);
  }
}

function vesselOf(target: Target): Vessel {
  const { id, node, info } = target;
  return { id, node, name: nameOf(target), handle: handleOf(target), state: info.state };
}
