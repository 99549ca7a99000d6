import { VesselError } from './errors.ts';

const HEADER_BYTES = 4;

/** The part of a zod schema that the decoder needs, so that this file loads no zod. */
export interface FrameSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } };
}

/** A frame as it came: with the bytes that followed it, when its `attached` said that some would. */
export type Received<T> = T & { readonly attachment?: Uint8Array };

/**
 * @returns 4 bytes big-endian length, then the frame as JSON in UTF-8. A frame that says `attached: n` is followed by n
 * bytes as they are, which the caller sends.
 * @throws VesselError FRAME_TOO_LARGE
 */
export function encodeFrame(frame: object, limitBytes: number): Buffer {
  const json = JSON.stringify(frame);
  const length = Buffer.byteLength(json);
  if (length > limitBytes) {
    throw new VesselError('FRAME_TOO_LARGE', `expected a frame of at most ${limitBytes} bytes, got ${length}`);
  }
  const encoded = Buffer.allocUnsafe(HEADER_BYTES + length);
  encoded.writeUInt32BE(length);
  encoded.write(json, HEADER_BYTES);
  return encoded;
}

/**
 * Takes the bytes of a pipe as they come and gives the frames in them. It holds at most one frame of `limitBytes`, and
 * refuses a longer one at its header; how many bytes may be attached is for the schema to say. After a refusal it stays
 * refused: there is no way back into step.
 */
export class FrameDecoder<T extends object> {
  readonly #schema: FrameSchema<T>;
  readonly #limitBytes: number;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;
  /** Read and checked; its attached bytes are what `#body` waits for. */
  #announced: T | undefined;
  readonly #isPaid: (frame: T) => boolean;
  #paid = false;
  #paidBytes = 0;
  #refused: VesselError | undefined;

  /** @param isPaid whether somebody else counts what is attached to this frame, which is still to come. */
  constructor(schema: FrameSchema<T>, limitBytes: number, isPaid: (frame: T) => boolean = () => false) {
    this.#isPaid = isPaid;
    this.#schema = schema;
    this.#limitBytes = limitBytes;
  }

  /** True while a frame has begun and not ended: the end of the pipe now means that it was cut off. */
  get midFrame(): boolean {
    return this.#headerFilled > 0;
  }

  /** Bytes so far that were attached to frames and somebody else counts; only grows. */
  get paidBytes(): number {
    return this.#paidBytes;
  }

  /**
   * Lazy: each frame is decoded when it is asked for, so the frames before a bad one are seen.
   * @throws VesselError BAD_FRAME
   */
  *push(chunk: Uint8Array): Generator<Received<T>, void, undefined> {
    if (this.#refused !== undefined) throw this.#refused;
    let rest = chunk;
    while (rest.byteLength > 0) {
      rest = this.#body === undefined ? this.#takeHeader(rest) : this.#takeBody(this.#body, rest);
      if (this.#body === undefined || this.#bodyFilled < this.#body.byteLength) continue;
      const frame = this.#finishBody(this.#body);
      if (frame !== undefined) yield frame;
    }
  }

  #takeHeader(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(HEADER_BYTES - this.#headerFilled, bytes.byteLength);
    this.#header.set(bytes.subarray(0, taken), this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled === HEADER_BYTES) {
      const length = this.#header.readUInt32BE();
      if (length > this.#limitBytes) throw this.#refuse(`of at most ${this.#limitBytes} bytes, got ${length}`);
      this.#expect(length);
    }
    return bytes.subarray(taken);
  }

  #expect(length: number): void {
    this.#body = Buffer.allocUnsafe(length);
    this.#bodyFilled = 0;
  }

  #takeBody(body: Buffer, bytes: Uint8Array): Uint8Array {
    const taken = Math.min(body.byteLength - this.#bodyFilled, bytes.byteLength);
    body.set(bytes.subarray(0, taken), this.#bodyFilled);
    this.#bodyFilled += taken;
    if (this.#announced !== undefined && this.#paid) this.#paidBytes += taken;
    return bytes.subarray(taken);
  }

  /** @returns undefined when bytes that belong to the frame are still to come. */
  #finishBody(body: Buffer): Received<T> | undefined {
    const announced = this.#announced;
    const frame = announced ?? this.#check(body);
    const attached = announced === undefined ? attachedTo(frame) : 0;
    if (attached > 0) {
      this.#announced = frame;
      this.#paid = this.#isPaid(frame);
      this.#expect(attached);
      return undefined;
    }
    this.#announced = undefined;
    this.#body = undefined;
    this.#headerFilled = 0;
    return announced === undefined ? frame : { ...frame, attachment: body };
  }

  #check(body: Buffer): T {
    const parsed = this.#schema.safeParse(this.#parse(body));
    if (parsed.success) return parsed.data;
    throw this.#refuse(`of a known shape, got another: ${parsed.error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
  }

  #parse(body: Buffer): unknown {
    try {
      return JSON.parse(this.#text.decode(body));
    } catch (cause) {
      throw this.#refuse('in JSON, got something else', cause);
    }
  }

  #refuse(what: string, cause?: unknown): VesselError {
    this.#refused = new VesselError('BAD_FRAME', `expected a frame ${what}`, { cause });
    return this.#refused;
  }
}

function attachedTo(frame: { readonly attached?: number | undefined }): number {
  return frame.attached ?? 0;
}
