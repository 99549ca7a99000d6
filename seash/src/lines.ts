/** What seash holds of logs that it follows. */
export const LINE_LIMITS = {
  /** Of one line; a longer one is shown in pieces. */
  lineLength: 16_384,
} as const;

/** Cuts the bytes of a log, as they come, into whole lines. */
export class Lines {
  #decoder = new TextDecoder();
  #text = '';

  /** @returns the lines that are whole by now, without their ends. */
  push(bytes: Uint8Array): string[] {
    const parts = (this.#text + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#text = parts.pop() ?? '';
    const lines = parts.flatMap((part) => (part === '' ? [''] : piecesOf(part)));
    if (this.#text.length < LINE_LIMITS.lineLength) return lines;
    const pieces = piecesOf(this.#text);
    this.#text = pieces.pop() ?? '';
    return [...lines, ...pieces];
  }

  /** @returns what is left of a line that was not ended: the log ends here, or something of it is missing. */
  end(): string[] {
    const text = this.#text + this.#decoder.decode();
    this.#decoder = new TextDecoder();
    this.#text = '';
    return piecesOf(text);
  }
}

function piecesOf(text: string): string[] {
  const count = Math.ceil(text.length / LINE_LIMITS.lineLength);
  return Array.from({ length: count }, (_, index) => {
    return text.slice(index * LINE_LIMITS.lineLength, (index + 1) * LINE_LIMITS.lineLength);
  });
}
