import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '@potluck/protocol';
import { type OuterWall, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import type { Logger } from 'pino';
import { NodeManagerError } from './errors.ts';
import type { NodeLimits } from './limits.ts';
import type { ProcessStore } from './processes.ts';

export interface WarmPoolComponents {
  readonly processes: ProcessStore;
  readonly log: Logger;
}

export interface WarmPoolInit {
  /** Asked before each process; they may have to be built first. */
  readonly files: () => Promise<RuntimeFiles>;
  /** Memory of the vessels to come, in bytes: a process that is made for another one starts its program later. */
  readonly memoryBytes: () => number | undefined;
  readonly limits: Pick<NodeLimits, 'poolSize' | 'poolRetryFirstMs' | 'poolRetryLongestMs'>;
  /** Walls that are left out of every process. */
  readonly without?: readonly OuterWall[];
}

/** The donor's own programs go first. */
const NICE = 10;

interface Taker {
  resolve(process: VesselProcess): void;
  reject(error: NodeManagerError): void;
}

/** Vessel processes that stand ready for a program; refilled one at a time, so that a burst does not load the machine. */
export class WarmPool implements AsyncDisposable {
  readonly #components: WarmPoolComponents;
  readonly #init: WarmPoolInit;
  readonly #stop = new AbortController();
  readonly #ready: VesselProcess[] = [];
  readonly #takers = new Set<Taker>();
  #filling: Promise<void> | undefined;
  #stopped = false;

  constructor(components: WarmPoolComponents, init: WarmPoolInit) {
    this.#components = components;
    this.#init = init;
  }

  start(): void {
    this.#fill();
  }

  /**
   * @returns a ready process, which now belongs to the caller.
   * @throws NodeManagerError PROCESS_NOT_READY none became ready in time.
   */
  async take(timeoutMs: number): Promise<VesselProcess> {
    const ready = this.#ready.shift();
    const taken = ready ?? (await this.#wait(timeoutMs));
    this.#fill();
    return taken;
  }

  /** Kills the waiting processes; those that were taken are their takers'. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    for (const taker of this.#takers) taker.reject(notReady('the node manager stops'));
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((process) => process[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #wait(timeoutMs: number): Promise<VesselProcess> {
    if (this.#stopped) throw notReady('the node manager stops');
    const { promise, ...taker } = Promise.withResolvers<VesselProcess>();
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
    const { poolRetryFirstMs, poolRetryLongestMs, poolSize } = this.#init.limits;
    let waitMs = poolRetryFirstMs;
    while (!this.#stopped && this.#ready.length - this.#takers.size < poolSize) {
      try {
        this.#hand(await this.#warm());
        waitMs = poolRetryFirstMs;
      } catch (error) {
        if (this.#stopped) return;
        this.#components.log.error({ reason: describeError(error), waitMs }, 'a vessel process did not become ready');
        await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, poolRetryLongestMs);
      }
    }
  }

  async #warm(): Promise<VesselProcess> {
    const { processes } = this.#components;
    const memoryBytes = this.#init.memoryBytes();
    const { files, without = [] } = this.#init;
    const warm = VesselProcess.spawn(await files(), { nice: NICE, without, ...(memoryBytes && { memoryBytes }) });
    const launcher = warm.pid;
    void warm.ended.then(() => {
      processes.remove(launcher);
      processes.remove(warm.pid);
    });
    const abort = (): void => warm.kill({ kind: 'stopped', message: 'the node manager stops', exitCode: 1 });
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    try {
      processes.add(launcher);
      await warm.ready;
      if (warm.pid !== launcher) processes.add(warm.pid);
      return warm;
    } catch (error) {
      await warm[Symbol.asyncDispose]();
      throw error;
    } finally {
      this.#stop.signal.removeEventListener('abort', abort);
    }
  }

  #hand(warm: VesselProcess): void {
    const [taker] = this.#takers;
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
