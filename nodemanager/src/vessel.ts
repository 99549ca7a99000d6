import {
  type Ending,
  FairQueue,
  type FileName,
  type KeyId,
  type Permission,
  parseRestrictions,
  QUANTITIES,
  RequestError,
  type Restrictions,
  type VesselInfo,
  type VesselName,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import { VesselFiles } from './files.ts';
import { Follower, type FollowerInit } from './follower.ts';
import type { NodeLimits } from './limits.ts';
import { LogRing } from './log-ring.ts';
import type { VesselPaths } from './paths.ts';
import type { Launcher, Run } from './program.ts';
import type { VesselRecord, VesselRights, VesselStatus, VesselStore } from './vessel-store.ts';

export interface VesselComponents {
  readonly store: VesselStore;
  readonly launcher: Launcher;
  readonly log: Logger;
}

export interface VesselInit {
  readonly record: VesselRecord;
  readonly paths: VesselPaths;
  readonly limits: NodeLimits;
}

const ENDINGS = {
  stopped: { kind: 'stopped', message: 'a user stopped it', exitCode: 143 },
  reset: { kind: 'stopped', message: 'a user reset the vessel', exitCode: 143 },
  nodeStopped: { kind: 'restart', message: 'the node manager was stopped while it ran', exitCode: 143 },
  nodeVanished: { kind: 'restart', message: 'the node manager ended without notice while it ran', exitCode: 137 },
} as const satisfies Record<string, Ending>;

/** One slice of the node: its files, its log, and at most one running program. */
export class Vessel {
  readonly name: VesselName;
  readonly restrictions: Restrictions;
  readonly files: VesselFiles;
  readonly log: LogRing;
  /** What changes the vessel goes through here, one at a time, in turn by key. */
  readonly queue: FairQueue;
  readonly #components: VesselComponents;
  readonly #limits: NodeLimits;
  readonly #followers = new Set<Follower>();
  #rights: VesselRights;
  #status: VesselStatus;
  #run: Run | undefined;
  #isStopping = false;

  constructor(components: VesselComponents, { record, paths, limits }: VesselInit) {
    this.#components = components;
    this.#limits = limits;
    this.name = record.name;
    const { owner, users, ownerInformation, advertise } = record;
    this.#rights = { owner, users, ownerInformation, advertise };
    this.#status = record.status;
    this.restrictions = parseRestrictions(record.restrictions, record.name);
    this.files = new VesselFiles(paths, this.restrictions.quantities.diskused);
    this.log = new LogRing({ newPath: paths.logNew, oldPath: paths.logOld, limitBytes: limits.vesselLogBytes });
    const of = 'requests of one key under way for the vessel';
    this.queue = new FairQueue({ atOnce: 1, perCaller: limits.requestsPerVessel, of });
  }

  /** Nothing runs yet: a vessel that was recorded as `Started` has lost its program with the last node manager. */
  async start(): Promise<void> {
    await this.files.start();
    this.log.start();
    if (this.#status.state === 'Started') this.#end(ENDINGS.nodeVanished);
  }

  /** Tells and ends its program, and records that the node manager's stop was the reason; a second call ends it at once. */
  async stop(): Promise<void> {
    const run = this.#run;
    run?.stop(ENDINGS.nodeStopped); // A start that is under way need not be waited for.
    await this.queue.close();
    if (this.#run !== run) this.#run?.stop(ENDINGS.nodeStopped);
    await this.#run?.ended;
    this.log.close();
  }

  get rights(): VesselRights {
    return this.#rights;
  }

  get info(): VesselInfo {
    const { state, since, ending, program } = this.#status;
    return { name: this.name, state, since, ending, program, ...this.#rights, users: [...this.#rights.users] };
  }

  /** By resource name, in the units of the restrictions. */
  async usage(): Promise<Record<string, number>> {
    // What the process reports is not trusted to be of ours only.
    const reported = Object.entries(this.#run?.usage() ?? {}).filter(([name]) => Object.hasOwn(QUANTITIES, name));
    return { ...Object.fromEntries(reported), diskused: this.files.disk.usedBytes };
  }

  permits(permission: Permission, signer: KeyId): boolean {
    const { owner, users } = this.#rights;
    if (permission === 'anyone' || signer === owner) return true;
    return permission === 'user' && users.includes(signer);
  }

  /** On the disk before it counts. */
  changeRights(change: Partial<VesselRights>): VesselRights {
    const rights = { ...this.#rights, ...change };
    this.#components.store.saveRights(this.name, rights);
    this.#rights = rights;
    for (const follower of this.#followers) {
      if (this.permits('user', follower.signer)) continue;
      const message = `expected a user or the owner of ${this.name} to follow its log, got key ${follower.signer} by now`;
      follower.fail(new RequestError('NOT_PERMITTED', message));
    }
    return rights;
  }

  /** Who follow its log now. */
  get followers(): number {
    return this.#followers.size;
  }

  /**
   * The log as it is written, until the program that runs has ended; where none runs, what is there.
   * @throws RequestError BUSY
   */
  follow(init: Omit<FollowerInit, 'limits'>): Follower & Disposable {
    const { followersPerVessel } = this.#limits;
    if (this.#followers.size >= followersPerVessel) {
      const message = `expected at most ${followersPerVessel} who follow the log of ${this.name}, got one more`;
      throw new RequestError('BUSY', message);
    }
    const follower = new Follower(this.log, { ...init, limits: this.#limits });
    if (this.#run === undefined) follower.finish({ state: this.#status.state, ending: this.#status.ending });
    this.#followers.add(follower);
    return Object.assign(follower, { [Symbol.dispose]: () => void this.#followers.delete(follower) });
  }

  /** For a vessel in whose place there are others now. */
  gone(): void {
    const message = `expected a vessel of this node, got ${this.name}, which was split or joined`;
    for (const follower of this.#followers) follower.fail(new RequestError('NO_SUCH_VESSEL', message));
  }

  /** For a vessel that is not on the disk yet. */
  inherit(rights: VesselRights): void {
    this.#rights = rights;
  }

  get isIdle(): boolean {
    return this.#run === undefined;
  }

  /** @throws RequestError BAD_STATE */
  checkIdle(): void {
    if (this.#run === undefined && this.#status.state !== 'Started') return;
    throw new RequestError('BAD_STATE', `expected ${this.name} without a program that runs: stop it first`);
  }

  /**
   * @returns where in the log its lines begin, when its first statement is about to run.
   * @throws RequestError BAD_STATE, NO_SUCH_FILE, START_FAILED (with the `ending` in its details, if it had begun)
   */
  async startProgram(program: FileName, args: readonly string[]): Promise<{ logFrom: number }> {
    if (this.#run !== undefined) throw new RequestError('BAD_STATE', `expected a vessel without a program that runs`);
    const { bytes } = await this.files.read(program);
    const run = await this.#components.launcher.launch({
      program: { name: program, source: sourceOf(program, bytes) },
      args,
      restrictions: this.restrictions,
      disk: this.files.disk,
      log: (text) => this.log.append(text),
    });
    this.#run = run;
    const logFrom = this.log.end;
    const recorded = run.ended.then((ending) => this.#end(ending));
    // Before its first statement: whatever happens from here on, nobody will read that it never ran.
    this.#enter({ state: 'Started', since: Date.now(), program });
    const failure = await run.begin();
    if (failure === undefined) return { logFrom };
    await recorded;
    throw new RequestError('START_FAILED', `the program did not start: ${failure.message}`, {
      details: { ending: failure },
    });
  }

  /** @throws RequestError BAD_STATE */
  async stopProgram(): Promise<void> {
    if (this.#run === undefined) {
      throw new RequestError('BAD_STATE', `expected a vessel that is Started, got one that is ${this.#status.state}`);
    }
    this.#isStopping = true;
    this.#run.stop(ENDINGS.stopped);
    await this.#run.ended;
  }

  /** While its program has the moment that it is given before it is stopped: another stop need not wait for it. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** As it was when it was new; its users stay. */
  async reset(): Promise<void> {
    this.#run?.kill(ENDINGS.reset);
    await this.#run?.ended;
    await this.files.clear();
    this.log.clear();
    this.#enter({ state: 'Fresh', since: Date.now() });
  }

  #end(ending: Ending): void {
    this.#run = undefined;
    this.#isStopping = false;
    this.log.close();
    const state = ending.kind === 'stopped' ? 'Stopped' : ending.kind === 'restart' ? 'Stale' : 'Terminated';
    this.#enter({ state, since: Date.now(), ending, program: this.#status.program });
    for (const follower of this.#followers) follower.finish({ state, ending });
  }

  #enter(status: VesselStatus): void {
    this.#status = status;
    try {
      this.#components.store.saveStatus(this.name, status);
    } catch (error) {
      // The program has begun or ended all the same; only after a restart will its state be told as it was before.
      this.#components.log.error({ vessel: this.name, state: status.state, err: error }, 'a state was not recorded');
    }
  }
}

function sourceOf(name: FileName, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RequestError('START_FAILED', `expected a program in UTF-8, got other bytes in "${name}"`, { cause });
  }
}
