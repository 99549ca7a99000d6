import { type FileName, type KeyId, RequestError, type VesselName } from '@potluck/protocol';
import { make, say, sentenceOf } from './dom.ts';
import { LogView } from './log-view.ts';
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

/** One vessel's log beside the others'. */
export class Column {
  readonly element: HTMLElement;
  readonly #target: Target;
  readonly #nodes: Nodes;
  readonly #log: LogView;
  readonly #status: HTMLElement;
  readonly #over = new AbortController();
  #runs = false;

  constructor(target: Target, nodes: Nodes) {
    this.#target = target;
    this.#nodes = nodes;
    const lines = make('pre', {
      className: 'log',
      tabIndex: 0,
      role: 'log',
      ariaLive: 'off',
      ariaLabel: `Log of ${target.label}`,
    });
    this.#status = make('p', { className: 'muted', role: 'status' });
    this.#log = new LogView({ lines, status: this.#status });
    const heading = make('h3', {}, make('a', { href: target.href, className: 'mono', textContent: target.label }));
    this.element = make('section', { className: 'column', ariaLabel: target.label }, heading, lines, this.#status);
  }

  /** Uploads, starts, and follows until the program has ended. */
  async run({ name, bytes, args }: Program): Promise<void> {
    const { node, vessel } = this.#target;
    try {
      say(this.#status, 'Uploading.');
      await this.#nodes.ask(node, 'AddFileToVessel', { vessel, name }, { attachment: bytes });
      const started = await this.#nodes.ask(node, 'StartVessel', { vessel, program: name, args: [...args] });
      this.#runs = true;
      const from = started.result.logFrom;
      await this.#log.follow(this.#nodes, this.#target, { from, signal: this.#over.signal });
    } catch (error) {
      if (!this.#over.signal.aborted) say(this.#status, sentenceOf(error));
    }
    this.#runs = false;
  }

  /** @throws PeerError; a program that has ended meanwhile is none to stop. */
  async stop(): Promise<void> {
    if (!this.#runs) return;
    const { node, vessel } = this.#target;
    try {
      await this.#nodes.ask(node, 'StopVessel', { vessel });
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'BAD_STATE') say(this.#status, sentenceOf(error));
    }
  }

  /** Nobody looks any more; the program goes on. */
  leave(): void {
    this.#over.abort();
  }
}
