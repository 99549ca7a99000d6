/** What of a log waits to be shown, of which the newest is kept. */
export class Backlog<Mark extends { readonly textContent: string | null }> {
  readonly #init: { readonly mostCharacters: number; readonly pieceCharacters: number };
  #pieces: (string | Mark)[] = [];
  #characters = 0;

  /** @param init how much is kept beside the newest piece, and up to what length pieces of text are put together */
  constructor(init: { readonly mostCharacters: number; readonly pieceCharacters: number }) {
    this.#init = init;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  add(piece: string | Mark): void {
    const last = this.#pieces.at(-1);
    const isOneText = typeof piece === 'string' && typeof last === 'string' && last.length < this.#init.pieceCharacters;
    if (isOneText) this.#pieces[this.#pieces.length - 1] = last + piece;
    else this.#pieces.push(piece);
    this.#characters += lengthOf(piece);
    while (this.#characters > this.#init.mostCharacters && this.#pieces.length > 1) {
      this.#characters -= lengthOf(this.#pieces.shift() ?? '');
    }
  }

  /** @returns all of it, which waits no more */
  take(): readonly (string | Mark)[] {
    const taken = this.#pieces;
    this.#pieces = [];
    this.#characters = 0;
    return taken;
  }
}

function lengthOf(piece: string | { readonly textContent: string | null }): number {
  return typeof piece === 'string' ? piece.length : (piece.textContent?.length ?? 0);
}
