import type { Ending } from '@potluck/protocol';
import { FrameDecoder, type Received } from '../codec.ts';
import { VesselError } from '../errors.ts';
import { FRAME_LIMITS, type VesselFrame, vesselFrameSchema } from '../frames.ts';

/** About what checking one frame costs, told in bytes of reading. */
const FRAME_COST_BYTES = 256;

/** Only these can a vessel process know of its own program; the rest is for its node manager to say. */
const OWN_ENDINGS: readonly Ending['kind'][] = ['finished', 'exitall', 'error', 'refused', 'limit'];

/** The frames of one vessel process in the one order that they may come in. */
export class FrameReader {
  readonly #decoder: FrameDecoder<VesselFrame>;
  #ready = false;
  #mayRun = false;
  #started = false;
  #ended = false;
  #fault: VesselError | undefined;
  #cost = 0;

  /** @param isPaid whether what is attached to this frame is charged elsewhere. */
  constructor(isPaid: (frame: VesselFrame) => boolean) {
    this.#decoder = new FrameDecoder(vesselFrameSchema, FRAME_LIMITS.fromVesselBytes, isPaid);
  }

  /** Set once something came that is no frame, or a frame out of order; nothing is read after it. */
  get fault(): VesselError | undefined {
    return this.#fault;
  }

  /**
   * Bytes that all frames so far have cost beside their own, without what was attached and is charged elsewhere.
   */
  get cost(): number {
    return this.#cost - this.#decoder.paidBytes;
  }

  /** The `start` frame is on its way: from now on frames about a program may come. */
  expectProgram(): void {
    this.#mayRun = true;
  }

  /** @returns the frames before the first fault. */
  read(chunk: Uint8Array): Received<VesselFrame>[] {
    const frames: Received<VesselFrame>[] = [];
    if (this.#fault !== undefined) return frames;
    try {
      for (const frame of this.#decoder.push(chunk)) {
        this.#cost += FRAME_COST_BYTES;
        frames.push(this.#inOrder(frame));
      }
    } catch (error) {
      this.#fault =
        error instanceof VesselError ? error : new VesselError('BAD_FRAME', 'expected a frame', { cause: error });
    }
    return frames;
  }

  #inOrder(frame: Received<VesselFrame>): Received<VesselFrame> {
    if (this.#ended) throw outOfOrder('nothing after "ended"', frame);
    if (frame.type === 'ready') {
      if (this.#ready) throw outOfOrder('"ready" once', frame);
      this.#ready = true;
      return frame;
    }
    if (!this.#ready || !this.#mayRun) throw outOfOrder('"ready", then nothing before its program', frame);
    if (frame.type === 'started') {
      if (this.#started) throw outOfOrder('"started" once', frame);
      this.#started = true;
    }
    return frame.type === 'ended' ? this.#believable(frame) : frame;
  }

  #believable(frame: Extract<VesselFrame, { type: 'ended' }>): VesselFrame {
    this.#ended = true;
    const { kind, exitCode } = frame.ending;
    if (!OWN_ENDINGS.includes(kind)) throw outOfOrder('an ending of its own program', frame);
    const well = kind === 'finished' || kind === 'exitall';
    return { ...frame, ending: { ...frame.ending, exitCode: well ? 0 : exitCode || 1 } };
  }
}

function outOfOrder(expected: string, frame: VesselFrame): VesselError {
  const got = frame.type === 'ended' ? `"ended" of kind "${frame.ending.kind}"` : `"${frame.type}"`;
  return new VesselError('BAD_FRAME', `expected ${expected}, got ${got}`);
}
