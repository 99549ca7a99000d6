import { describeError, type Ending, RequestError, type Restrictions } from '@potluck/protocol';
import {
  type Disk,
  FileSession,
  type Governor,
  type NetworkInit,
  type Services,
  type VesselProcess,
} from '@potluck/vessel-runtime';
import type { Layer } from './layers.ts';
import type { NodeLimits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import type { WarmPool } from './pool.ts';

export interface LauncherComponents {
  readonly pool: WarmPool;
  readonly governor: Governor;
  readonly metrics: Metrics;
}

export interface LauncherInit {
  /** What each program is told of the node's network when it starts. */
  readonly network: () => Promise<NetworkInit>;
  /** Of the node's owner, under every program. */
  readonly layers: readonly Layer[];
  readonly limits: Pick<NodeLimits, 'startMs' | 'endingMessageLength'>;
}

export interface LaunchInit {
  readonly program: { readonly name: string; readonly source: string };
  readonly args: readonly string[];
  readonly restrictions: Restrictions;
  /** Of its files. */
  readonly disk: Disk;
  readonly log: (text: string) => void;
}

/** One program in one vessel process, from the choice of the process to its end. */
export interface Run {
  /** Always resolves, once. */
  readonly ended: Promise<Ending>;
  /** Starts it. @returns undefined when its first statement is about to run, else why it never will. */
  begin(): Promise<Ending | undefined>;
  /** Tells the program first, if it wants to be told; a second time, it is ended at once. */
  stop(ending: Ending): void;
  kill(ending: Ending): void;
  usage(): Record<string, number>;
}

/** Puts programs into warm vessel processes. */
export class Launcher {
  readonly #components: LauncherComponents;
  readonly #init: LauncherInit;

  constructor(components: LauncherComponents, init: LauncherInit) {
    this.#components = components;
    this.#init = init;
  }

  /** Takes a process and sets its limits; nothing of the program runs yet. @throws RequestError START_FAILED */
  async launch(launch: LaunchInit): Promise<Run> {
    const { startMs, endingMessageLength } = this.#init.limits;
    const deadlineMs = performance.now() + startMs;
    const { quantities } = launch.restrictions;
    const { cpu, memory } = quantities;
    const vessel = await this.#components.pool.take(memory, startMs).catch((cause: unknown) => {
      throw new RequestError('START_FAILED', describeError(cause), { cause });
    });
    await this.#components.governor.watch(vessel, { cpu, memoryBytes: memory });
    vessel.onLog = launch.log;
    const files = new FileSession(launch.disk, { quantities, tell: (usage) => vessel.tell(usage) });
    // Before anybody else hears of the end, and may start another program.
    void vessel.ended.then(({ kind }) => {
      this.#components.pool.refill();
      this.#components.metrics.countEnding(kind);
      return files.stop();
    });
    return {
      ended: vessel.ended.then((ending) => ({ ...ending, message: tidy(ending.message, endingMessageLength) })),
      begin: async () => await this.#begin(vessel, { ...launch, services: files.services }, deadlineMs),
      stop: (ending) => vessel.stop(ending),
      kill: (ending) => vessel.kill(ending),
      usage: () => vessel.usage(),
    };
  }

  async #begin(
    vessel: VesselProcess,
    launch: LaunchInit & { services: Services },
    deadlineMs: number,
  ): Promise<Ending | undefined> {
    const { network, layers, limits } = this.#init;
    const { program, args, restrictions, services } = launch;
    const timer = setTimeout(
      () => {
        const message = `expected it to start within ${limits.startMs / 1000} s, got no sign of it`;
        vessel.kill({ kind: 'crashed', message, exitCode: 1 });
      },
      Math.max(0, deadlineMs - performance.now()),
    );
    try {
      vessel.start({ program, layers, args: [...args], ...(await network()), restrictions, services });
      await vessel.started;
      return undefined;
    } catch (error) {
      // Only says something when the process still lives: a frame that could not be sent.
      vessel.kill({ kind: 'crashed', message: tidy(describeError(error), limits.endingMessageLength), exitCode: 1 });
      return await vessel.ended;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Programs choose these words: no control characters in anybody's terminal, and not more than fits. */
function tidy(message: string, length: number): string {
  return message
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, length);
}
