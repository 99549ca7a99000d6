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

  /**
   * Uploads, starts, and follows until the program has ended.
   * @param mayReplace asked when another program runs there
   */
  async run(program: Program, mayReplace: () => Promise<boolean>): Promise<void> {
    try {
      say(this.#status, 'Uploading.');
      const { nodes } = this.#init;
      const from = await this.#begin(program, mayReplace);
      this.#enter('running');
      const onLink = (isLost: boolean): void => this.#enter(isLost ? 'reconnecting' : 'running');
      this.#enter(phaseOf(await this.#log.follow(nodes, this.target, { from, signal: this.#over.signal, onLink })));
    } catch (error) {
      say(this.#status, sentenceOf(error));
      this.#enter('failed');
    }
  }

  /** @returns where in the log it begins */
  async #begin({ name, bytes, args }: Program, mayReplace: () => Promise<boolean>): Promise<number> {
    const { node, vessel } = this.target;
    const { nodes } = this.#init;
    await nodes.ask(node, 'AddFileToVessel', { vessel, name }, { attachment: bytes });
    const start = async () => await nodes.ask(node, 'StartVessel', { vessel, program: name, args: [...args] });
    try {
      return (await start()).result.logFrom;
    } catch (error) {
      if (!isBadState(error) || !(await mayReplace())) throw error;
    }
    await this.#end();
    return (await start()).result.logFrom;
  }

  /** What fails is said in its place. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    try {
      await this.#end();
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
