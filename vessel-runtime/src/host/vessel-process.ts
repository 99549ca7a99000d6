import type { Readable, Writable } from 'node:stream';
import type { Ending, Restrictions } from '@potluck/protocol';
import type { RuntimeFiles } from '../build.ts';
import { encodeFrame, type Received } from '../codec.ts';
import { VesselError } from '../errors.ts';
import { FRAME_LIMITS, type StartFrame, type ToVesselFrame, type VesselFrame } from '../frames.ts';
import { Calls, type Services } from './calls.ts';
import { DataLimit } from './data-limit.ts';
import { Drain } from './drain.ts';
import { crashed, endingOf } from './endings.ts';
import { FrameReader } from './frame-reader.ts';
import { Latest } from './latest.ts';
import { availableWrappers, type Launched, launch, type SpawnOptions } from './launch.ts';
import { type NetworkInit, networkOf } from './network.ts';
import { VesselChild } from './vessel-child.ts';

export interface StartInit extends NetworkInit {
  readonly program: { readonly name: string; readonly source: string };
  /** What it runs under, from the one next to the API. */
  readonly layers?: readonly { readonly name: string; readonly source: string }[];
  readonly args: readonly string[];
  readonly restrictions: Restrictions;
  /** What is done here for the program when it asks, by the names of its calls; nothing, unless said. */
  readonly services?: Services;
}

/** What the governor has seen of a process from outside. */
export interface Observed {
  /** Fraction of one core, over about the last second. */
  readonly cpu: number;
  /** Bytes beyond what the process took when the watch began. */
  readonly memory: number;
}

const PIPE_BYTES_PER_SECOND = 4 * 1024 * 1024;
/** What a call costs here, which is not counted where its service charges for it: its frame, and the work on that. */
const CALL_BYTES = 384;
const ENGINE_BYTES_PER_SECOND = 256 * 1024;
const STDERR_KEPT_BYTES = 2048;
/** From the `ended` frame to the end of the process; it only has to exit. */
const FAREWELL_MS = 1000;
/** From the end of the process to the end of its pipe, which something that it left behind could hold open. */
const LAST_WORDS_MS = 1000;

/**
 * One process that holds one vessel's program, seen from its node manager. Nothing that it writes is believed without a
 * check; a bad frame ends it and nothing else.
 */
export class VesselProcess implements AsyncDisposable {
  /** Rejects with VesselError NOT_READY when the process ends first or needs more than `FRAME_LIMITS.readyMs`. */
  readonly ready: Promise<void>;
  /** Resolves when the program's first statement is about to run; rejects with VesselError ENDED_EARLY. */
  readonly started: Promise<void>;
  /** Resolves once, after the process is gone from the system; never rejects. */
  readonly ended: Promise<Ending>;
  /** For the governor. */
  readonly dataLimit: DataLimit;
  /** Called with each text that the program logs. */
  onLog: (text: string) => void = () => {};
  /** For the governor: what the kernel did to a process that went without a word. */
  explain: () => Ending | undefined = () => undefined;
  /** Called with what the process prints on its stderr: nothing, unless the engine or the runtime is broken. */
  onStderr: (text: string) => void = () => {};

  readonly #child: VesselChild;
  readonly #reader: FrameReader;
  readonly #drains: Drain[];
  readonly #calls: Calls;
  readonly #usages = new Latest((usage) => this.#send({ type: 'usage', usage }));
  readonly #ready = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Ending>();
  #timer: NodeJS.Timeout | undefined;
  #ending: Ending | undefined;
  /** Why it is being stopped, while its program has its moment. */
  #stopping: Ending | undefined;
  #isToBeTold = false;
  #grace: NodeJS.Timeout | undefined;
  #stderr = '';
  #memoryLimit: number | undefined;
  #reported: Record<string, number> = {};
  #observed: Observed | undefined;

  /** @throws VesselError SPAWN_FAILED */
  static spawn(files: RuntimeFiles, options: SpawnOptions = {}): VesselProcess {
    return new VesselProcess(launch(files, options), options);
  }

  private constructor(launched: Launched, options: SpawnOptions) {
    this.#child = new VesselChild(launched, options.nice);
    const prlimit = options.without?.includes('rlimits') ? undefined : availableWrappers().get('prlimit');
    this.dataLimit = new DataLimit(prlimit, { user: launched.user, pid: () => this.pid });
    this.ready = this.#ready.promise;
    this.started = this.#started.promise;
    this.ended = this.#ended.promise;
    // Nobody has to listen to these two: `ended` tells the same.
    this.ready.catch(() => {});
    this.started.catch(() => {});
    const [stdin, stdout, stderr, pipe] = this.#child.stdio as [Writable, Readable, Readable, Readable];
    stdin.on('error', () => {});
    this.#calls = new Calls({
      send: (frame, attachment) => {
        this.#usages.include(frame.usage);
        return this.#send(frame, attachment);
      },
      end: (ending) => this.kill(ending),
      breach: (error) => this.#broken(error, pipe),
    });
    this.#reader = new FrameReader((frame) => frame.type === 'call' && this.#calls.isCharged(frame));
    this.#drains = [
      new Drain(stdout, ENGINE_BYTES_PER_SECOND, () => 0),
      new Drain(stderr, ENGINE_BYTES_PER_SECOND, (chunk) => this.#keepStderr(chunk)),
      new Drain(pipe, PIPE_BYTES_PER_SECOND, (chunk) => this.#read(chunk, pipe)),
    ];
    this.#child.exited.then((exit) => this.#exited(pipe, exit));
    this.#timer = setTimeout(() => this.#late(), FRAME_LIMITS.readyMs).unref();
  }

  /** That of the process itself from `ready` on; before, it may be its launcher's, with which it dies. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Gives the process its program. Once in its life; may be called before `ready`.
   * @throws VesselError ALREADY_STARTED, FRAME_TOO_LARGE
   */
  start(init: StartInit): void {
    if (this.#memoryLimit !== undefined) {
      throw new VesselError('ALREADY_STARTED', 'expected a vessel process without a program, got one that has one');
    }
    const { restrictions, args } = init;
    const { network, services } = networkOf(init, restrictions, this.#calls.stopped);
    const frame: StartFrame = {
      type: 'start',
      program: { name: init.program.name, source: init.program.source },
      layers: [...(init.layers ?? [])],
      args: [...args],
      address: init.address,
      network,
      restrictions: {
        quantities: { ...restrictions.quantities },
        messport: [...restrictions.messport],
        connport: [...restrictions.connport],
        destinations: [...restrictions.destinations],
      },
    };
    void this.#send(frame);
    this.#memoryLimit = restrictions.quantities.memory;
    this.#calls.offer({ ...services, ...init.services });
    this.#reader.expectProgram();
  }

  /** Tells the program what is used of resources that are counted here, for its `getresources`: the latest, when it reads. */
  tell(usage: Readonly<Record<string, number>>): void {
    if (this.#ending === undefined) this.#usages.tell(usage);
  }

  /** For the governor. @returns false when the process has not read yet what it was told before. */
  tellStops(stops: readonly number[]): boolean {
    if ((this.#child.stdio[0] as Writable).writableLength > 0) return false;
    if (this.#ending === undefined) void this.#send({ type: 'stops', stops });
    return true;
  }

  /** What the process said last, overruled by what was seen from outside: `cpu` in cores, `memory` in bytes. */
  usage(): Record<string, number> {
    return { ...this.#reported, ...this.#observed };
  }

  /** For the governor. */
  observe(observed: Observed): void {
    this.#observed = observed;
  }

  /** For the governor. @returns false when the process is gone. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): boolean {
    return this.#child.kill(signal);
  }

  /** Tells a program that asked for it, and ends it after `graceMs`; ends any other, and one that was told, at once. */
  stop(ending: Ending, graceMs: number = FRAME_LIMITS.stopMs): void {
    const isDoomed = (this.#stopping ?? this.#ending) !== undefined;
    this.#grace ??= setTimeout(() => this.kill(ending), graceMs).unref();
    this.#stopping ??= ending;
    if (isDoomed || !this.#isToBeTold) this.kill(ending);
    else void this.#send({ type: 'stop', reason: ending.kind === 'restart' ? 'node stops' : 'stopped' });
  }

  /** Ends the process at once, stopped or looping as it may be. The first reason given is the one that is told. */
  kill(ending: Ending): void {
    this.#ending ??= this.#stopping ?? ending;
    this.#calls.stop();
    this.#child.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill({ kind: 'stopped', message: 'the vessel process is no longer needed', exitCode: 143 });
    await this.ended;
  }

  #late(): void {
    const message = `expected a vessel process to be ready in ${FRAME_LIMITS.readyMs} ms, it was not`;
    this.#ready.reject(new VesselError('NOT_READY', message));
    this.kill(crashed(message));
  }

  /**
   * Resolves when the pipe has taken it, or is broken.
   * @throws VesselError FRAME_TOO_LARGE
   */
  #send(frame: ToVesselFrame, attachment?: Uint8Array): Promise<void> {
    const encoded = encodeFrame(frame, FRAME_LIMITS.toVesselBytes);
    const stdin = this.#child.stdio[0] as Writable;
    const { promise, resolve } = Promise.withResolvers<void>();
    stdin.cork();
    stdin.write(encoded, attachment === undefined ? () => resolve() : undefined);
    if (attachment !== undefined) stdin.write(attachment, () => resolve());
    stdin.uncork();
    return promise;
  }

  /** @returns what its frames cost beside their bytes. */
  #read(chunk: Buffer, pipe: Readable): number {
    const before = this.#reader.cost;
    const frames = this.#reader.read(chunk);
    let charged = 0;
    for (const frame of frames) if (this.#handle(frame)) charged += CALL_BYTES;
    if (this.#reader.fault !== undefined) this.#broken(this.#reader.fault, pipe);
    return this.#reader.cost - before - charged;
  }

  #broken(fault: VesselError, pipe: Readable): void {
    this.kill(crashed(`the vessel process broke its pipe: ${fault.message}`));
    pipe.destroy();
  }

  /** @returns whether it is charged for elsewhere. */
  #handle(frame: Received<VesselFrame>): boolean {
    if (frame.type === 'call') return this.#calls.take(frame);
    if (frame.type === 'ready') {
      this.#child.known.then(() => {
        clearTimeout(this.#timer);
        this.#ready.resolve();
      });
    } else if (frame.type === 'started') this.#started.resolve();
    else if (frame.type === 'onstop') this.#isToBeTold = true;
    else if (frame.type === 'log') this.onLog(frame.text);
    else if (frame.type === 'usage') this.#reported = frame.usage;
    else {
      this.#ending ??= this.#stopping ?? frame.ending;
      this.#timer = setTimeout(() => this.#child.kill('SIGKILL'), FAREWELL_MS).unref();
    }
    return false;
  }

  #keepStderr(chunk: Buffer): number {
    const text = chunk.toString('latin1', Math.max(0, chunk.length - STDERR_KEPT_BYTES));
    this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_BYTES);
    this.onStderr(text);
    return 0;
  }

  /** What it wrote before its end may still be in the pipe: its ending is known when the pipe has ended. */
  #exited(pipe: Readable, exit: { code: number | null; signal: NodeJS.Signals | null }): void {
    clearTimeout(this.#timer);
    const settle = (): void => {
      clearTimeout(this.#timer);
      const used = this.#observed?.memory;
      this.#settle(
        this.#ending ??
          this.#stopping ??
          this.explain() ??
          endingOf({ ...exit, stderr: this.#stderr, memoryLimit: this.#memoryLimit, memoryUsed: used }),
      );
    };
    for (const drain of this.#drains) drain.release();
    if (pipe.closed) settle();
    else {
      pipe.once('close', settle);
      this.#timer = setTimeout(() => pipe.destroy(), LAST_WORDS_MS);
    }
  }

  #settle(ending: Ending): void {
    clearTimeout(this.#grace);
    this.#calls.stop();
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#ready.reject(new VesselError('NOT_READY', `expected a ready vessel process, it ended: ${ending.message}`));
    this.#started.reject(new VesselError('ENDED_EARLY', `expected the program to start, it ended: ${ending.message}`));
    this.#ended.resolve(ending);
  }
}
