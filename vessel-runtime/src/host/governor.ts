import { type Cgroup, Cgroups } from './cgroup.ts';
import { memoryEnding } from './endings.ts';
import { MemoryWatch } from './memory-watch.ts';
import { hasProc, ProcessMeter } from './proc.ts';
import { LOOK_MS, Share } from './share.ts';
import { StopList } from './stop-list.ts';
import type { VesselProcess } from './vessel-process.ts';

export interface GovernorLimits {
  /** Fraction of one core. */
  readonly cpu: number;
  /** Beyond what the process takes when the watch begins. */
  readonly memoryBytes: number;
}

interface Watched {
  readonly process: VesselProcess;
  readonly limits: GovernorLimits;
  readonly meter: ProcessMeter;
  readonly share: Share;
  readonly memory: MemoryWatch;
  readonly stops: StopList;
  /** Where the kernel holds it, as far as it does. */
  readonly group: Cgroup | undefined;
  /** All in milliseconds of the monotonic clock, or of CPU. */
  settledAt: number;
  usedMs: number;
  mainMs: number;
  /** Since when the main thread is known to have been able to run and seen not to have used anything. */
  quietAt: number;
  dueAt: number;
  /** The last full look: threads, report. */
  reportedAt: number;
  reportedMs: number;
  /** Fraction of a core, over the last second. */
  cpu: number;
  stopped: boolean;
}

/**
 * By how much the kernel lets a process pass its memory, for what the engine reserves and does not use, and so that we
 * mostly see it first and can say the figure.
 */
const HARD_PART = 0.08;
const REPORT_MS = 1000;
/** Longer than a tick of any usual kernel. */
const QUIET_MS = 12;

/**
 * Holds every watched process to its CPU share and its memory, from outside, by one timer for all of them. A process
 * that keeps within its share is never stopped; one that does not is stopped (SIGSTOP) for at most 50 ms at a time. One
 * past its memory is killed with an ending that says so. Where a group of cgroup v2 can be had, the kernel holds the CPU
 * instead, and the memory as well. Where there is no /proc it does nothing, and `detectWalls` says that.
 */
export class Governor implements AsyncDisposable {
  readonly #watched = new Map<VesselProcess, Watched>();
  #running = false;
  #able = false;
  #groups: Cgroups | undefined;
  #breathing: Watched | undefined;
  #timer: NodeJS.Timeout | undefined;

  async start(): Promise<void> {
    this.#able = hasProc();
    this.#groups = Cgroups.find();
    this.#running = true;
    this.#schedule();
  }

  /** Every process goes on, unwatched. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const process of [...this.#watched.keys()]) this.unwatch(process);
    this.#schedule();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Call it when the process is `ready`, and wait for it before its `start`: its memory then is what is not charged, and
   * its limits stand.
   */
  async watch(process: VesselProcess, limits: GovernorLimits): Promise<void> {
    if (!this.#running || !this.#able || this.#watched.has(process)) return;
    const watched = firstLook(process, limits, this.#groups);
    if (watched === undefined) return;
    this.#watched.set(process, watched);
    process.ended.then(() => {
      this.unwatch(process);
      if (watched.group !== undefined) this.#groups?.release(watched.group);
    });
    this.#schedule();
    const used = watched.meter.dataBytes();
    if (!isHeld(process, used, limits.memoryBytes)) await process.dataLimit.set(hardBytes(used, limits.memoryBytes));
  }

  /**
   * Sets ahead of time what of the limits takes a process of its own to set: for a vessel process that is `ready` and
   * waits. It can then hold a vessel of less memory, but none of more. @returns whether that stands.
   */
  static async prepare(process: VesselProcess, memoryBytes: number): Promise<boolean> {
    if (!hasProc()) return false;
    const meter = new ProcessMeter(process.pid);
    const used = meter.dataBytes();
    meter.close();
    return await process.dataLimit.set(hardBytes(used, memoryBytes));
  }

  /** The process goes on without limits. It happens by itself when the process has ended. */
  unwatch(process: VesselProcess): void {
    const watched = this.#watched.get(process);
    if (watched === undefined) return;
    this.#watched.delete(process);
    if (watched.stopped) process.signal('SIGCONT');
    watched.group?.free();
    watched.meter.close();
  }

  /** The timer alone keeps no program alive: the watched processes do. */
  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#watched.size === 0 || !this.#running) return;
    let dueAt = Number.POSITIVE_INFINITY;
    for (const watched of this.#watched.values()) dueAt = Math.min(dueAt, watched.dueAt);
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, dueAt - performance.now())).unref();
  }

  #tick(): void {
    const now = performance.now();
    for (const watched of [...this.#watched.values()]) {
      // Half a millisecond early is better than a whole one late.
      if (watched.dueAt > now + 0.5) continue;
      this.#endBreath();
      try {
        this.#look(watched);
      } catch {
        // Its files do not answer any more: it is gone, and `ended` is about to say so.
        this.unwatch(watched.process);
      }
    }
    if (this.#breathing !== undefined) setImmediate(() => this.#endBreath());
    this.#schedule();
  }

  #look(watched: Watched): void {
    const now = performance.now();
    if (now - watched.reportedAt >= REPORT_MS) report(watched, now);
    if (!watched.stopped && isIdle(watched)) {
      settle(watched, 0);
      // All idle ones together: one waking of ours, not one for each.
      watched.dueAt = (Math.floor(now / LOOK_MS) + 1) * LOOK_MS;
      return;
    }
    const usedMs = watched.meter.cpuNs() / 1e6;
    settle(watched, usedMs - watched.usedMs);
    watched.usedMs = usedMs;
    if (this.#passedMemory(watched)) return;
    if (watched.share.credit < 0 && watched.group?.holdsCpu !== true) this.#freeze(watched);
    else this.#run(watched);
  }

  #passedMemory({ process, memory, limits, cpu }: Watched): boolean {
    const used = memory.look();
    process.observe({ cpu, memory: used });
    if (used <= limits.memoryBytes) return false;
    process.kill(memoryEnding(limits.memoryBytes, used));
    this.unwatch(process);
    return true;
  }

  /** Also for a process that is stopped already and still in debt: between two freezes it breathes. */
  #freeze(watched: Watched): void {
    const breathMs = watched.share.breathMs();
    if (watched.stopped) {
      this.#thaw(watched);
      watched.dueAt = performance.now() + Math.max(1, breathMs);
      if (breathMs < 1) this.#breathing = watched;
      return;
    }
    watched.process.signal('SIGSTOP');
    watched.stops.begin();
    watched.stopped = true;
    watched.dueAt = performance.now() + watched.share.freezeMs();
  }

  #thaw(watched: Watched): void {
    watched.process.signal('SIGCONT');
    watched.stops.end();
    watched.stopped = false;
    watched.quietAt = performance.now();
  }

  /** A breath shorter than a timer can wait lasts until the next process is looked at, or until the tick is over. */
  #endBreath(): void {
    const watched = this.#breathing;
    this.#breathing = undefined;
    if (watched !== undefined && this.#watched.get(watched.process) === watched) this.#freeze(watched);
  }

  #run(watched: Watched): void {
    if (watched.stopped) this.#thaw(watched);
    watched.dueAt = performance.now() + Math.min(watched.share.nextLookMs(), watched.memory.nextLookMs());
  }
}

/** @param used what the process has before its program. */
function hardBytes(used: number, memoryBytes: number): number {
  return used + Math.ceil(memoryBytes * (1 + HARD_PART));
}

/** What waits may take a little more or less than when it was prepared; never may the kernel's bound be wider for it. */
function isHeld({ dataLimit: { bytes } }: VesselProcess, used: number, memoryBytes: number): boolean {
  const wanted = hardBytes(used, memoryBytes);
  return bytes !== undefined && bytes <= wanted && bytes >= wanted - (memoryBytes * HARD_PART) / 2;
}

function firstLook(process: VesselProcess, limits: GovernorLimits, groups?: Cgroups): Watched | undefined {
  try {
    const meter = new ProcessMeter(process.pid);
    const group = groups?.tryHold(process.pid, limits);
    process.explain = () => {
      const used = process.usage().memory ?? 0;
      return group?.report().outOfMemory ? memoryEnding(limits.memoryBytes, used) : undefined;
    };
    const now = performance.now();
    const usedMs = meter.cpuNs() / 1e6;
    return {
      process,
      limits,
      meter,
      share: new Share(limits.cpu),
      memory: new MemoryWatch(meter, limits.memoryBytes),
      stops: new StopList(),
      group,
      settledAt: now,
      usedMs,
      mainMs: meter.mainThreadNs() / 1e6,
      quietAt: now,
      dueAt: now + 1,
      reportedAt: now,
      reportedMs: usedMs,
      cpu: 0,
      stopped: false,
    };
  } catch {
    return undefined;
  }
}

/**
 * Nothing moves in a process whose main thread sleeps; what its helpers use is charged at the next full look. The kernel
 * counts a running thread at its clock ticks only, so no change says something only after more than a tick.
 */
function isIdle(watched: Watched): boolean {
  const now = performance.now();
  const mainMs = watched.meter.mainThreadNs() / 1e6;
  if (mainMs !== watched.mainMs) watched.quietAt = now;
  watched.mainMs = mainMs;
  return now - watched.quietAt >= QUIET_MS && watched.share.credit >= 0;
}

function settle(watched: Watched, usedMs: number): void {
  const now = performance.now();
  watched.share.settle(now - watched.settledAt, usedMs);
  watched.settledAt = now;
}

function report(watched: Watched, now: number): void {
  const { meter, process, memory } = watched;
  meter.refreshThreads();
  const usedMs = meter.cpuNs() / 1e6;
  watched.cpu = (usedMs - watched.reportedMs) / (now - watched.reportedAt);
  process.observe({ cpu: watched.cpu, memory: memory.look() });
  if (watched.group !== undefined) watched.stops.held(watched.group.report().heldMs);
  watched.stops.offer((stops) => process.tellStops(stops));
  watched.reportedAt = now;
  watched.reportedMs = usedMs;
}
