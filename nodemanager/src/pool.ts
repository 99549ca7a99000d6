import { totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '@potluck/protocol';
import { Governor, type OuterWall, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import type { Logger } from 'pino';
import { NodeManagerError } from './errors.ts';
import type { NodeLimits } from './limits.ts';
import type { ProcessStore } from './processes.ts';

export interface WarmPoolComponents {
  readonly processes: ProcessStore;
  readonly log: Logger;
}

/** For whom processes are kept warm. */
export interface Demand {
  /** Vessels without a program. */
  readonly idle: number;
  /** Memory of most vessels, in bytes: a process that is made for another one starts its program later. */
  readonly commonBytes: number | undefined;
  /** The most that any vessel has: what is bounded for it can be bounded closer for another, but not wider. */
  readonly mostBytes: number | undefined;
}

export interface WarmPoolInit {
  /** Asked before each process; they may have to be built first. */
  readonly files: () => Promise<RuntimeFiles>;
  readonly demand: () => Demand;
  readonly limits: Pick<NodeLimits, 'poolSize' | 'poolRestMs' | 'poolRetryFirstMs' | 'poolRetryLongestMs'>;
  /** Walls that are left out of every process. */
  readonly without?: readonly OuterWall[];
}

/** The donor's own programs go first. */
const NICE = 10;

/** However few vessels are idle: one of them may be started again at once. */
const LEAST = 2;
/** One start after the other puts the filling off, but not for more rests than this: nobody can keep the pool empty. */
const MOST_RESTS = 10;
/** What a waiting process takes at most, and the part of the machine that all of them may take. */
const WARM_BYTES = 16 * 2 ** 20;
const MACHINE_PART = 1 / 64;

/** @returns how many may wait on this machine, unless its operator says so himself. */
export function warmMost(limit: number, configured: number | undefined): number {
  return configured ?? Math.min(limit, Math.max(LEAST, Math.floor((totalmem() * MACHINE_PART) / WARM_BYTES)));
}

interface Taker {
  readonly memoryBytes: number;
  resolve(process: VesselProcess): void;
  reject(error: NodeManagerError): void;
}

/**
 * Vessel processes that stand ready for a program, one for each vessel that has none, as far as there is room. They are
 * made one at a time, and not before a burst of starts is over.
 */
export class WarmPool implements AsyncDisposable {
  readonly #components: WarmPoolComponents;
  readonly #init: WarmPoolInit;
  readonly #stop = new AbortController();
  readonly #ready: VesselProcess[] = [];
  readonly #takers = new Set<Taker>();
  /** The vessel's memory that the kernel bounds them to, where it does so already. */
  readonly #boundTo = new WeakMap<VesselProcess, number>();
  #resting: NodeJS.Timeout | undefined;
  #restingSince = 0;
  #filling: Promise<void> | undefined;
  #stopped = false;

  constructor(components: WarmPoolComponents, init: WarmPoolInit) {
    this.#components = components;
    this.#init = init;
  }

  start(): void {
    this.#fill();
  }

  /** Processes that stand ready now. */
  get size(): number {
    return this.#ready.length;
  }

  /**
   * @param memoryBytes of the vessel.
   * @returns a ready process, which now belongs to the caller.
   * @throws NodeManagerError PROCESS_NOT_READY none became ready in time.
   */
  async take(memoryBytes: number, timeoutMs: number): Promise<VesselProcess> {
    const ready = this.#ready.findIndex((process) => this.#fits(process, memoryBytes));
    if (ready < 0) return await this.#wait(memoryBytes, timeoutMs);
    this.refill();
    return this.#ready.splice(ready, 1)[0] as VesselProcess;
  }

  /** Soon after the last of these, as many are made as are wanted then. */
  refill(): void {
    if (this.#stopped) return;
    const { poolRestMs } = this.#init.limits;
    if (this.#resting === undefined) this.#restingSince = performance.now();
    else if (performance.now() - this.#restingSince > MOST_RESTS * poolRestMs) return;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.#fill();
    }, poolRestMs).unref();
  }

  /** Kills the waiting processes; those that were taken are their takers'. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    clearTimeout(this.#resting);
    for (const taker of this.#takers) taker.reject(notReady('the node manager stops'));
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((process) => process[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Whether it may have that much memory. */
  #fits(process: VesselProcess, memoryBytes: number): boolean {
    return (this.#boundTo.get(process) ?? Number.POSITIVE_INFINITY) >= memoryBytes;
  }

  async #wait(memoryBytes: number, timeoutMs: number): Promise<VesselProcess> {
    if (this.#stopped) throw notReady('the node manager stops');
    const { promise, ...settle } = Promise.withResolvers<VesselProcess>();
    const taker = { ...settle, memoryBytes };
    const timer = setTimeout(() => taker.reject(notReady(`none within ${timeoutMs / 1000} s`)), timeoutMs);
    this.#takers.add(taker);
    this.#fill();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#takers.delete(taker);
    }
  }

  #fill(): void {
    if (this.#stopped || this.#filling !== undefined) return;
    this.#filling = this.#refill().finally(() => {
      this.#filling = undefined;
    });
  }

  async #refill(): Promise<void> {
    const { poolRetryFirstMs, poolRetryLongestMs } = this.#init.limits;
    let waitMs = poolRetryFirstMs;
    await this.#sortOut();
    while (!this.#stopped && (this.#takers.size > 0 || this.#wanted() > 0)) {
      try {
        await this.#hand(await this.#warm());
        waitMs = poolRetryFirstMs;
      } catch (error) {
        if (this.#stopped) return;
        this.#components.log.error({ reason: describeError(error), waitMs }, 'a vessel process did not become ready');
        await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, poolRetryLongestMs);
      }
    }
  }

  #wanted(): number {
    const { idle } = this.#init.demand();
    return Math.min(this.#init.limits.poolSize, Math.max(LEAST, idle)) - this.#ready.length;
  }

  /** Those that are bounded to less than the largest vessel has by now make room for others. */
  async #sortOut(): Promise<void> {
    const { mostBytes = 0 } = this.#init.demand();
    const narrow = this.#ready.filter((process) => !this.#fits(process, mostBytes));
    for (const process of narrow) this.#ready.splice(this.#ready.indexOf(process), 1);
    await Promise.all(narrow.map((process) => process[Symbol.asyncDispose]()));
  }

  async #warm(): Promise<VesselProcess> {
    const { processes } = this.#components;
    const { files, demand, without = [] } = this.#init;
    const { commonBytes, mostBytes } = demand();
    const options = { nice: NICE, waits: this.#takers.size === 0, without };
    const warm = VesselProcess.spawn(await files(), { ...options, ...(commonBytes && { memoryBytes: commonBytes }) });
    const launcher = warm.pid;
    void warm.ended.then(() => processes.remove(warm.pid, launcher));
    const abort = (): void => warm.kill({ kind: 'stopped', message: 'the node manager stops', exitCode: 1 });
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    try {
      processes.add(launcher);
      await warm.ready;
      if (warm.pid !== launcher) processes.add(warm.pid);
      if (mostBytes !== undefined && this.#takers.size === 0) await this.#bound(warm, mostBytes);
      return warm;
    } catch (error) {
      await warm[Symbol.asyncDispose]();
      throw error;
    } finally {
      this.#stop.signal.removeEventListener('abort', abort);
    }
  }

  /** Now rather than in the way of a start: it takes a process of its own to set. */
  async #bound(warm: VesselProcess, memoryBytes: number): Promise<void> {
    if (this.#init.without?.includes('governor')) return;
    if (await Governor.prepare(warm, memoryBytes)) this.#boundTo.set(warm, memoryBytes);
  }

  async #hand(warm: VesselProcess): Promise<void> {
    const taker = [...this.#takers].find(({ memoryBytes }) => this.#fits(warm, memoryBytes));
    // Somebody waits for a wider one, which is made next.
    if (taker === undefined && this.#takers.size > 0) return await warm[Symbol.asyncDispose]();
    if (taker !== undefined) {
      this.#takers.delete(taker);
      taker.resolve(warm);
      return;
    }
    this.#ready.push(warm);
    // One that dies while it waits (the machine ran out of memory, somebody killed it) is replaced.
    void warm.ended.then(() => {
      const index = this.#ready.indexOf(warm);
      if (index < 0) return;
      this.#ready.splice(index, 1);
      this.#fill();
    });
  }
}

function notReady(got: string): NodeManagerError {
  return new NodeManagerError('PROCESS_NOT_READY', `expected a vessel process that is ready, got: ${got}`);
}
