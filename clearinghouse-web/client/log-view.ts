import { describeError } from '@potluck/protocol';
import { copyText, make, say } from './dom.ts';
import type { Nodes, VesselRef } from './nodes.ts';
import { bytesInWords, endingInWords, stateInWords } from './words.ts';

/** Of a log this much is shown; what is older goes. */
const SHOWN_CHARACTERS = 256 * 1024;

export interface LogParts {
  /** Where the lines go. */
  readonly lines: HTMLElement;
  /** What is said about the log: that it is followed, has ended, or why not. */
  readonly status: HTMLElement;
  readonly pause?: HTMLButtonElement;
  readonly copy?: HTMLButtonElement;
}

/** A vessel's log in a page. */
export class LogView {
  readonly #parts: LogParts;
  #decoder = new TextDecoder();
  #shown = 0;
  /** What came while the reader had it paused. */
  #waiting: Node[] = [];
  #isPaused = false;

  constructor(parts: LogParts) {
    this.#parts = parts;
    parts.pause?.addEventListener('click', () => this.#pause(!this.#isPaused));
    parts.copy?.addEventListener('click', async () => {
      const isCopied = await copyText(parts.lines.textContent ?? '');
      if (!isCopied) getSelection()?.selectAllChildren(parts.lines);
      say(parts.status, isCopied ? 'Copied.' : 'Now press Ctrl+C.');
    });
  }

  clear(): void {
    this.#decoder = new TextDecoder();
    this.#waiting = [];
    this.#shown = 0;
    this.#parts.lines.replaceChildren();
  }

  /**
   * Follows until the program has ended, or nobody wants it any more.
   * @returns where the log goes on, and whether the program that was followed is seen to have ended.
   */
  async follow(nodes: Nodes, vessel: VesselRef, { from, signal }: { from?: number | undefined; signal: AbortSignal }) {
    let next = from;
    let state: string | undefined;
    say(this.#parts.status, 'Following.');
    try {
      for await (const { result, attachment } of nodes.follow(vessel, from, signal)) {
        if (result.droppedBytes > 0 && next !== undefined) this.#gap(result.droppedBytes);
        next = result.next;
        this.#append(document.createTextNode(this.#decoder.decode(attachment, { stream: true })));
        if (result.state === undefined) continue;
        state = result.state;
        const why = endingInWords(result.ending);
        say(this.#parts.status, `${capital(stateInWords(result.state))}${why === '' ? '' : `: ${why}`}.`);
      }
    } catch (error) {
      say(this.#parts.status, `Not followed any more: ${describeError(error)}`);
    }
    return { next, state };
  }

  #gap(bytes: number): void {
    const text = `[${bytesInWords(bytes)} came here that the node does not keep any more]\n`;
    this.#append(make('span', { className: 'gap' }, text));
  }

  #append(node: Node): void {
    if (node.textContent === '') return;
    if (this.#isPaused) this.#waiting.push(node);
    else this.#show([node]);
    const most = this.#waiting.length - 2000;
    if (most > 0) this.#waiting.splice(0, most);
  }

  #show(nodes: readonly Node[]): void {
    const { lines } = this.#parts;
    const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 24;
    for (const node of nodes) this.#shown += node.textContent?.length ?? 0;
    lines.append(...nodes);
    while (this.#shown > SHOWN_CHARACTERS && lines.firstChild !== null && lines.childNodes.length > 1) {
      this.#shown -= lines.firstChild.textContent?.length ?? 0;
      lines.firstChild.remove();
    }
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  }

  #pause(on: boolean): void {
    this.#isPaused = on;
    const { pause, status } = this.#parts;
    pause?.setAttribute('aria-pressed', String(on));
    if (pause !== undefined) pause.textContent = on ? 'Go on' : 'Pause';
    say(status, on ? 'Paused: what comes now is shown when you go on.' : 'Following.');
    if (!on) this.#show(this.#waiting.splice(0));
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
