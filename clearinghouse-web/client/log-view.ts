import { describeError, type Ending, type VesselState } from '@potluck/protocol';
import { Backlog } from './backlog.ts';
import { copyText, make, say } from './dom.ts';
import type { Nodes, VesselRef } from './nodes.ts';
import { cutAtPlaces, type Place } from './places.ts';
import { bytesInWords, endingInWords, stateInWords } from './words.ts';

/** Of a log this much is shown, and kept while a reader has it paused; what is older goes. */
const SHOWN_CHARACTERS = 256 * 1024;
/** A line that is not over is written anew with what comes, up to so many characters. */
const OPEN_CHARACTERS = 4096;
/** From one piece that is shown to the next: what a flood brings meanwhile is laid out at once. */
const SHOW_EVERY_MS = 100;
/** So near to the end, a reader wants to see what comes. */
const NEAR_PX = 24;

export interface LogParts {
  /** Where the lines go. */
  readonly lines: HTMLElement;
  /** What is said about the log: that it is followed, has ended, or why not. */
  readonly status: HTMLElement;
  readonly pause?: HTMLButtonElement;
  readonly copy?: HTMLButtonElement;
  /** Makes the places in files of these into something to press. */
  readonly places?: { readonly isKnown: (file: string) => boolean; readonly onPlace: (place: Place) => void };
}

/** How the following of a log was over. */
export interface Followed {
  /** Where the log goes on. */
  readonly next: number | undefined;
  /** Of the program, when it was seen to end. */
  readonly state?: VesselState | undefined;
  readonly ending?: Ending | undefined;
  /** Why nobody follows any more. */
  readonly error?: unknown;
}

interface FollowInit {
  readonly from?: number | undefined;
  readonly signal: AbortSignal;
  /** The connection was lost, or is there again. */
  readonly onLink?: (isLost: boolean) => void;
}

/** A vessel's log in a page. */
export class LogView {
  readonly #parts: LogParts;
  #decoder = new TextDecoder();
  #shown = 0;
  /** What came while the reader had it paused, or just after something was shown. */
  readonly #waiting = new Backlog<HTMLElement>({
    mostCharacters: SHOWN_CHARACTERS,
    pieceCharacters: OPEN_CHARACTERS,
  });
  #rest: ReturnType<typeof setTimeout> | undefined;
  #isPaused = false;
  /** Whether the end stays in sight; a reader who looks further up is left there. */
  #isAtEnd = true;
  /** The line that is not over. */
  #open: HTMLElement | undefined;

  constructor(parts: LogParts) {
    this.#parts = parts;
    const { lines, pause, copy, status } = parts;
    lines.addEventListener('scroll', () => {
      // Hidden, it has no height, and its place is not the reader's.
      if (lines.clientHeight > 0) this.#isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < NEAR_PX;
    });
    pause?.addEventListener('click', () => this.#pause(!this.#isPaused));
    copy?.addEventListener('click', async () => {
      const isCopied = await copyText(lines.textContent ?? '');
      if (!isCopied) getSelection()?.selectAllChildren(lines);
      say(status, isCopied ? 'Copied.' : 'Now press Ctrl+C.');
    });
  }

  clear(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.#decoder = new TextDecoder();
    this.#waiting.take();
    this.#shown = 0;
    this.#open = undefined;
    this.#parts.lines.replaceChildren();
  }

  /** Brings the end into sight again, when the log was hidden meanwhile. */
  reveal(): void {
    const { lines } = this.#parts;
    if (this.#isAtEnd) lines.scrollTop = lines.scrollHeight;
  }

  /** Follows until the program has ended, or nobody wants it any more. */
  async follow(nodes: Nodes, vessel: VesselRef, { from, signal, onLink }: FollowInit): Promise<Followed> {
    const { status } = this.#parts;
    let next = from;
    let last: Omit<Followed, 'next'> = {};
    let isLost = false;
    const link = (lost: boolean): void => {
      if (lost === isLost) return;
      isLost = lost;
      say(status, lost ? 'The connection is lost: trying again.' : this.#following());
      onLink?.(lost);
    };
    say(status, this.#following());
    try {
      for await (const { result, attachment } of nodes.follow(vessel, { from, signal, onLost: () => link(true) })) {
        link(false);
        if (result.droppedBytes > 0 && next !== undefined) this.#gap(result.droppedBytes);
        next = result.next;
        this.#append(this.#decoder.decode(attachment, { stream: true }));
        if (result.state === undefined) continue;
        last = { state: result.state, ending: result.ending };
        const why = endingInWords(result.ending);
        say(status, `${capital(stateInWords(result.state))}${why === '' ? '' : `: ${why}`}.`);
      }
    } catch (error) {
      last = { error };
      say(status, `Not followed any more: ${describeError(error)}`);
    }
    if (!this.#isPaused) this.#show();
    return { next, ...last };
  }

  #following(): string {
    return this.#isPaused ? 'Paused: what comes now is shown when you go on.' : 'Following.';
  }

  #gap(bytes: number): void {
    const text = `[${bytesInWords(bytes)} came here that the node does not keep any more]\n`;
    this.#append(make('div', { className: 'gap' }, text));
  }

  #append(piece: string | HTMLElement): void {
    if (piece === '') return;
    this.#waiting.add(piece);
    if (!this.#isPaused && this.#rest === undefined) this.#show();
  }

  /** All that waits, and nothing more for a moment. */
  #show(): void {
    const { lines } = this.#parts;
    clearTimeout(this.#rest);
    this.#rest = undefined;
    if (this.#waiting.isEmpty) return;
    for (const piece of this.#waiting.take()) this.#write(piece);
    while (this.#shown > SHOWN_CHARACTERS && lines.firstChild !== null && lines.childNodes.length > 1) {
      this.#shown -= lines.firstChild.textContent?.length ?? 0;
      lines.firstChild.remove();
    }
    this.reveal();
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      if (!this.#isPaused) this.#show();
    }, SHOW_EVERY_MS);
  }

  /** In blocks of whole lines, so that what comes makes the browser lay out nothing else anew. */
  #write(piece: string | HTMLElement): void {
    if (typeof piece !== 'string') {
      this.#open = undefined;
      this.#add(piece);
      return;
    }
    const text = (this.#open?.textContent ?? '') + piece;
    this.#shown -= this.#open?.textContent?.length ?? 0;
    this.#open?.remove();
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) this.#add(make('div', {}, ...this.#pressable(text.slice(0, end))));
    const rest = end < text.length ? make('div', {}, ...this.#pressable(text.slice(end))) : undefined;
    if (rest !== undefined) this.#add(rest);
    this.#open = text.length - end < OPEN_CHARACTERS ? rest : undefined;
  }

  #add(block: HTMLElement): void {
    this.#shown += block.textContent?.length ?? 0;
    this.#parts.lines.append(block);
  }

  #pressable(text: string): (Node | string)[] {
    const { places } = this.#parts;
    if (places === undefined) return [text];
    return cutAtPlaces(text, places.isKnown).map((piece) => {
      if (typeof piece === 'string') return piece;
      const { file, line } = piece.place;
      const title = `Go to line ${line} of ${file}`;
      const button = make('button', { type: 'button', className: 'place', title }, piece.text);
      button.addEventListener('click', () => places.onPlace(piece.place));
      return button;
    });
  }

  #pause(on: boolean): void {
    this.#isPaused = on;
    const { pause, status } = this.#parts;
    pause?.setAttribute('aria-pressed', String(on));
    if (pause !== undefined) pause.textContent = on ? 'Go on' : 'Pause';
    say(status, this.#following());
    if (!on) this.#show();
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
