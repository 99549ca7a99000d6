import { EVENT } from '@potluck/repy-api';
import type IsolatedVM from 'isolated-vm';
import { end, writeFrame, writeLine } from './pipe.ts';
import { outOfMemory, type Sandbox } from './sandbox.ts';
import { Trace } from './trace.ts';
import type { Enter, World } from './world.ts';

const NOT_AN_ERROR = 'An object was thrown from supplied code within isolated-vm';
const ERROR_EXIT = 1;
/** What the engine says when the system gives no memory for a buffer. */
const REFUSED_MEMORY = /^RangeError: Array buffer allocation failed/;

type Event = Parameters<Enter>;

interface Source {
  readonly name: string;
  readonly source: string;
}
/** What is compiled under a name, and the way back from there. */
interface Code {
  readonly name: string;
  readonly trace: Trace;
}
/** Before the names of layers, in traces: a program may have the same name. */
const LAYER = 'layer/';

function codeOf(name: string, source: string): Code {
  return { name, trace: new Trace(name, source) };
}

/** One program in its sandbox: every entry goes through here, and every ending but the killed ones. */
export class Program {
  readonly #sandbox: Sandbox;
  readonly #code: Code;
  readonly #layers: readonly Code[];
  #inside = true;
  #started = false;
  #deferred: Event[] = [];
  /** Taken out of `#deferred`, and not entered yet. */
  #entering = 0;
  world: World | undefined;

  /** @param layers what it runs under, from the one next to the API. */
  constructor(sandbox: Sandbox, program: Source, layers: readonly Source[] = []) {
    this.#sandbox = sandbox;
    this.#code = codeOf(program.name, program.source);
    this.#layers = layers.map(({ name, source }) => codeOf(`${LAYER}${name}`, source));
  }

  /** Runs its layers, then the program's own body to its first wait. */
  run(args: readonly string[]): void {
    const { dispatch } = this.#sandbox;
    for (const argument of args) dispatch(EVENT.argument, argument);
    for (const layer of this.#layers) {
      this.#tell(EVENT.world, layer.name.slice(LAYER.length));
      this.#evaluate(this.#compile(layer));
      this.#tell(EVENT.layered, '');
    }
    if (this.#layers.length > 0) this.#tell(EVENT.world, '');
    const module = this.#compile(this.#code);
    writeFrame({ type: 'started' });
    this.#started = true;
    this.#evaluate(module);
    this.#left();
  }

  #compile({ name, trace }: Code): IsolatedVM.Module {
    const { isolate, top } = this.#sandbox;
    let module: IsolatedVM.Module;
    try {
      module = isolate.compileModuleSync(trace.code, { filename: name });
    } catch (error) {
      this.#refuse((error as Error).message);
    }
    const [specifier] = module.dependencySpecifiers;
    if (specifier !== undefined) this.#refuse(`expected a bundle without imports, got one of "${specifier}"`);
    module.instantiateSync(top, () => module);
    return module;
  }

  #evaluate(module: IsolatedVM.Module): void {
    try {
      module.evaluateSync();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Tells the code inside what comes next, while nothing of the program runs. */
  #tell(event: number, name: string): void {
    const answer = this.#sandbox.dispatch(event, name);
    if (answer !== '') this.#uncaught(answer.slice(1));
  }

  #translate(text: string): string {
    return [this.#code, ...this.#layers].reduce((translated, { trace }) => trace.translate(translated), text);
  }

  /** An event for the program. During a call of the program it waits: the isolate is never entered twice. */
  readonly enter: Enter = (...event) => {
    if (this.#inside || this.#deferred.length > 0) {
      if (this.#deferred.push(event) === 1) setImmediate(this.#enterDeferred);
      return;
    }
    this.#enterNow(...event);
  };

  readonly #enterDeferred = (): void => {
    const events = this.#deferred;
    this.#deferred = [];
    this.#entering = events.length;
    for (const event of events) {
      this.#entering -= 1;
      this.#enterNow(...event);
    }
  };

  #enterNow(...event: Event): void {
    this.#inside = true;
    let answer: string;
    try {
      answer = this.#sandbox.dispatch(...event);
    } catch (error) {
      this.#fail(error);
    }
    if (answer !== '') this.#uncaught(typeof answer === 'string' ? answer.slice(1) : 'an unreadable error');
    this.#left();
  }

  #left(): void {
    this.#inside = false;
    const waiting = this.#deferred.length + this.#entering;
    if (this.#started && this.world?.pending === 0 && waiting === 0) {
      end({ kind: 'finished', message: 'the program finished', exitCode: 0 });
    }
  }

  /** What isolated-vm throws here: an unhandled rejection or the body's error, copied out, or the end of the isolate. */
  #fail(error: unknown): never {
    if (this.#sandbox.isolate.isDisposed) outOfMemory(this.#sandbox.limitMib);
    if (!(error instanceof Error)) return this.#uncaught(`${String(error).slice(0, 4000)} (not an Error)`);
    if (error.message.startsWith(NOT_AN_ERROR)) return this.#uncaught('an object that is no Error');
    return this.#uncaught(String(error.stack).slice(0, 20_000));
  }

  #uncaught(stack: string): never {
    const text = this.#translate(stack);
    writeLine(`Uncaught ${text}`);
    const [first = '', ...frames] = text.split('\n');
    const place = /([^\s(]+:\d+:\d+)/.exec(frames.find((line) => /:\d+:\d+/.test(line)) ?? '')?.[1];
    const where = place === undefined ? '' : ` at ${place}`;
    if (REFUSED_MEMORY.test(first)) this.#refusedMemory(where);
    return end({ kind: 'error', message: `uncaught ${first.slice(0, 1500)}${where}`, exitCode: ERROR_EXIT });
  }

  #refusedMemory(where: string): never {
    const limit = this.world?.meter.limits.memory ?? 0;
    const message = `expected at most ${limit} bytes of memory, got more asked for at once${where}`;
    return end({ kind: 'limit', message, exitCode: 137, limit: { resource: 'memory', limit, used: limit } });
  }

  #refuse(message: string): never {
    const text = this.#translate(message).split('\n')[0] ?? '';
    writeLine(`Refused: ${text}`);
    return end({ kind: 'refused', message: `expected a program that compiles, got ${text}`, exitCode: 5 });
  }
}
