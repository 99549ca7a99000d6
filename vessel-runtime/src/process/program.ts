import { EVENT } from '@potluck/repy-api';
import { end, writeFrame, writeLine } from './pipe.ts';
import { outOfMemory, type Sandbox } from './sandbox.ts';
import { Trace } from './trace.ts';
import type { Enter, World } from './world.ts';

const NOT_AN_ERROR = 'An object was thrown from supplied code within isolated-vm';
const ERROR_EXIT = 1;

type Event = Parameters<Enter>;

/** One program in its sandbox: every entry goes through here, and every ending but the killed ones. */
export class Program {
  readonly #sandbox: Sandbox;
  readonly #trace: Trace;
  readonly #name: string;
  #inside = true;
  #started = false;
  #deferred: Event[] = [];
  /** Taken out of `#deferred`, and not entered yet. */
  #entering = 0;
  world: World | undefined;

  constructor(sandbox: Sandbox, program: { name: string; source: string }) {
    this.#sandbox = sandbox;
    this.#name = program.name;
    this.#trace = new Trace(program.name, program.source);
  }

  /** Runs the program's own body, to its first wait. */
  run(args: readonly string[]): void {
    const { isolate, context, dispatch } = this.#sandbox;
    for (const argument of args) dispatch(EVENT.argument, argument);
    let module: ReturnType<typeof isolate.compileModuleSync>;
    try {
      module = isolate.compileModuleSync(this.#trace.code, { filename: this.#name });
    } catch (error) {
      this.#refuse((error as Error).message);
    }
    const [specifier] = module.dependencySpecifiers;
    if (specifier !== undefined) this.#refuse(`expected a bundle without imports, got one of "${specifier}"`);
    module.instantiateSync(context, () => module);
    writeFrame({ type: 'started' });
    this.#started = true;
    try {
      module.evaluateSync();
    } catch (error) {
      this.#fail(error);
    }
    this.#left();
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
    const text = this.#trace.translate(stack);
    writeLine(`Uncaught ${text}`);
    const [first = '', ...frames] = text.split('\n');
    const place = /([^\s(]+:\d+:\d+)/.exec(frames.find((line) => /:\d+:\d+/.test(line)) ?? '')?.[1];
    const where = place === undefined ? '' : ` at ${place}`;
    return end({ kind: 'error', message: `uncaught ${first.slice(0, 1500)}${where}`, exitCode: ERROR_EXIT });
  }

  #refuse(message: string): never {
    const text = this.#trace.translate(message).split('\n')[0] ?? '';
    writeLine(`Refused: ${text}`);
    return end({ kind: 'refused', message: `expected a program that compiles, got ${text}`, exitCode: 5 });
  }
}
