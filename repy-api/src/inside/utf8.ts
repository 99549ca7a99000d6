/** Answers of `Utf8.next` that are no code point. */
export const MORE = -1;
const BROKEN = -2;
/** The byte is the first of the next character. */
export const BROKEN_AGAIN = -3;

/** Reads UTF-8 byte by byte, by the Encoding Standard's own steps (section "UTF-8 decoder"). */
export class Utf8 {
  #needed = 0;
  #point = 0;
  #lower = 0x80;
  #upper = 0xbf;

  get within(): boolean {
    return this.#needed > 0;
  }

  reset(): void {
    this.#needed = 0;
    this.#point = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  next(byte: number): number {
    if (this.#needed === 0) return this.#first(byte);
    if (byte < this.#lower || byte > this.#upper) {
      this.reset();
      return BROKEN_AGAIN;
    }
    this.#lower = 0x80;
    this.#upper = 0xbf;
    this.#point = (this.#point << 6) | (byte & 0x3f);
    this.#needed -= 1;
    if (this.#needed > 0) return MORE;
    const point = this.#point;
    this.reset();
    return point;
  }

  #first(byte: number): number {
    if (byte < 0x80) return byte;
    if (byte < 0xc2 || byte > 0xf4) return BROKEN;
    // What would be longer than needed, half of a pair, or beyond the last character.
    if (byte === 0xe0) this.#lower = 0xa0;
    if (byte === 0xed) this.#upper = 0x9f;
    if (byte === 0xf0) this.#lower = 0x90;
    if (byte === 0xf4) this.#upper = 0x8f;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#point = byte & (byte < 0xe0 ? 0x1f : byte < 0xf0 ? 0x0f : 0x07);
    return MORE;
  }
}
