import { type FileName, type KeyId, RequestError, type VesselName } from '@potluck/protocol';
import { make, say, sentenceOf } from './dom.ts';
import { type Followed, type LogParts, LogView } from './log-view.ts';
import type { Nodes } from './nodes.ts';

/** A vessel that was chosen, with what it is called in the page. */
export interface Target {
  readonly node: KeyId;
  readonly vessel: VesselName;
  readonly label: string;
  readonly href: string;
}

export interface Program {
  readonly name: FileName;
  readonly bytes: Uint8Array;
  readonly args: readonly string[];
}

/** How it stands with the program on a vessel, in a word that people read. `lost`: nobody here knows. */
export type Phase = 'starting' | 'running' | 'reconnecting' | 'ended' | 'stopped' | 'failed' | 'lost';

const LOOKS: Readonly<Record<Phase, string>> = {
  starting: 'off',
  running: 'on',
  reconnecting: 'bad',
  ended: 'off',
  stopped: 'off',
  failed: 'bad',
  lost: 'bad',
};

export interface ColumnInit {
  readonly nodes: Nodes;
  readonly places: NonNullable<LogParts['places']>;
  readonly onPhase: () => void;
}

/** What is there already when a program is to run. */
export interface Before {
  /** Whether it is a program of this page's. */
  readonly isOurs: boolean;
  /** Asked when another program runs there. */
  readonly mayReplace: () => Promise<boolean>;
}

/** One vessel's log beside the others'. */
export class Column {
  readonly element: HTMLElement;
  readonly target: Target;
  readonly #init: ColumnInit;
  readonly #log: LogView;
  readonly #status: HTMLElement;
  readonly #badge = badge();
  readonly #over = new AbortController();
  #phase: Phase = 'starting';
  /** Whether the node may have started it, as far as anybody here knows. */
  #mayRun = false;
  /** Pressed while it was about to start: carried out as soon as that has an end. */
  #isUnwanted = false;

  constructor(target: Target, init: ColumnInit) {
    this.target = target;
    this.#init = init;
    const { label, href } = target;
    const lines = make('pre', {
      className: 'log',
      tabIndex: 0,
      role: 'log',
      ariaLive: 'off',
      ariaLabel: `Log of ${label}`,
    });
    this.#status = make('p', { className: 'muted' });
    this.#log = new LogView({ lines, status: this.#status, places: init.places });
    const heading = make('h3', {}, make('a', { href, className: 'mono', textContent: label }));
    const head = make('div', { className: 'row between' }, heading, this.#badge);
    this.element = make('section', { className: 'column', ariaLabel: label }, head, lines, this.#status);
    showPhase(this.#badge, this.#phase);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether a program of this page's runs there, as far as it knows. */
  get isRunning(): boolean {
    return this.#phase === 'running' || this.#phase === 'reconnecting' || this.#phase === 'lost';
  }

  /** It can be seen again. */
  reveal(): void {
    this.#log.reveal();
  }

  /** Uploads, starts, and follows until the program has ended. */
  async run(program: Program, before: Before): Promise<void> {
    try {
      say(this.#status, 'Uploading.');
      const { nodes } = this.#init;
      const from = await this.#begin(program, before);
      if (from === undefined) return this.#stopped('Stopped before it ran.');
      this.#enter('running');
      if (this.#isUnwanted) await this.stop();
      const onLink = (isLost: boolean): void => this.#enter(isLost ? 'reconnecting' : 'running');
      this.#enter(phaseOf(await this.#log.follow(nodes, this.target, { from, signal: this.#over.signal, onLink })));
    } catch (error) {
      say(this.#status, sentenceOf(error));
      this.#enter(this.#mayRun && !(error instanceof RequestError) ? 'lost' : 'failed');
      if (this.#isUnwanted) await this.stop();
    }
  }

  /** @returns where in the log it begins; nothing when it was stopped before it began */
  async #begin(program: Program, { isOurs, mayReplace }: Before): Promise<number | undefined> {
    const { node, vessel } = this.target;
    const { name, bytes } = program;
    await this.#init.nodes.ask(node, 'AddFileToVessel', { vessel, name }, { attachment: bytes });
    try {
      if (!this.#isUnwanted) return await this.#start(program);
    } catch (error) {
      if (!isBadState(error)) throw error;
      if (!this.#isUnwanted && !(await mayReplace())) throw error;
    }
    if (isOurs || !this.#isUnwanted) await this.#end();
    return this.#isUnwanted ? undefined : await this.#start(program);
  }

  async #start({ name, args }: Program): Promise<number> {
    const { node, vessel } = this.target;
    this.#mayRun = true;
    const params = { vessel, program: name, args: [...args] };
    return (await this.#init.nodes.ask(node, 'StartVessel', params)).result.logFrom;
  }

  /** What fails is said in its place. */
  async stop(): Promise<void> {
    this.#isUnwanted = this.#phase === 'starting';
    if (this.#isUnwanted) say(this.#status, 'Stopping as soon as it has started.');
    if (!this.isRunning) return;
    try {
      await this.#end();
      // Nobody follows it who would see that.
      if (this.#phase === 'lost') this.#stopped('Stopped.');
    } catch (error) {
      say(this.#status, sentenceOf(error));
    }
  }

  /** @throws PeerError; a program that has ended meanwhile is none to stop. */
  async #end(): Promise<void> {
    const { node, vessel } = this.target;
    try {
      await this.#init.nodes.ask(node, 'StopVessel', { vessel });
    } catch (error) {
      if (!isBadState(error)) throw error;
    }
  }

  /** Nobody looks any more; the program goes on. */
  leave(): void {
    this.#over.abort();
  }

  #stopped(why: string): void {
    say(this.#status, why);
    this.#enter('stopped');
  }

  #enter(phase: Phase): void {
    if (this.#over.signal.aborted) return;
    this.#phase = phase;
    showPhase(this.#badge, phase);
    this.#init.onPhase();
  }
}

export function badge(): HTMLElement {
  return make('span');
}

export function showPhase(element: HTMLElement, phase: Phase): void {
  element.className = `state ${LOOKS[phase]}`;
  element.textContent = phase;
}

function phaseOf({ state, ending, error }: Followed): Phase {
  if (error !== undefined || state === undefined) return 'lost';
  if (state === 'Stopped') return 'stopped';
  return state === 'Terminated' && ending?.exitCode === 0 ? 'ended' : 'failed';
}

function isBadState(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'BAD_STATE';
}
