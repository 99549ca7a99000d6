import { writevSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Ending } from '@potluck/protocol';
import { encodeFrame, FrameDecoder } from '../codec.ts';
import type { StartFrame, ToVesselFrame, VesselFrame } from '../frames.ts';
import type { Calls } from './calls.ts';
import type { Stops } from './stops.ts';

/** Limits of `../frames.ts`, which is not loaded here: it would bring the schemas' library into every vessel. */
const START_BYTES = 16 * 1024 * 1024;
const FRAME_BYTES = 64 * 1024;
/** In JSON a character takes up to 6 bytes, so that any text of this length fits into a frame. */
const LOG_LENGTH = 10 * 1024;
/** What one reading takes: about as much as the system holds. The decoder copies it, so one buffer is enough. */
const READ_BYTES = 256 * 1024;
const OUT = 3;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the whole process: what waits is the program. */
export function block(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/**
 * Writes one frame whole, and the bytes that belong to it; a reader that does not keep up blocks the program, so nothing
 * piles up here.
 */
export function writeFrame(frame: VesselFrame, attachment?: Uint8Array): void {
  const head = encodeFrame(frame, FRAME_BYTES);
  let parts: Uint8Array[] = attachment === undefined ? [head] : [head, attachment];
  while (parts.length > 0) {
    try {
      parts = without(parts, writevSync(OUT, parts));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') leave(1);
      block(1);
    }
  }
}

/** @returns what is left of the parts without their first bytes. */
function without(parts: Uint8Array[], bytes: number): Uint8Array[] {
  const [first, ...rest] = parts;
  if (first === undefined) return [];
  if (bytes < first.byteLength) return [first.subarray(bytes), ...rest];
  return without(rest, bytes - first.byteLength);
}

let lineOpen = false;

/** Writes a text that begins a line of the log, whatever the program wrote last. */
export function writeLine(text: string): void {
  writeLog(`${lineOpen ? '\n' : ''}${text}\n`);
}

/** Writes a text as frames; half characters become U+FFFD, for a frame is UTF-8. */
export function writeLog(text: string): void {
  if (text !== '') lineOpen = !text.endsWith('\n');
  const whole = text.toWellFormed();
  for (let at = 0; at < whole.length; ) {
    let end = Math.min(whole.length, at + LOG_LENGTH);
    if (end < whole.length && (whole.charCodeAt(end) & 0xfc00) === 0xdc00) end -= 1;
    writeFrame({ type: 'log', text: whole.slice(at, end) });
    at = end;
  }
}

let beforeEnd = (): void => {};

/** @param fn is called once more before the program's end is said. */
export function onEnd(fn: () => void): void {
  beforeEnd = fn;
}

/** Says why the program ended, and ends the process at once: nothing of the program runs any more. */
export function end(ending: Ending): never {
  beforeEnd();
  const message = ending.message.toWellFormed().slice(0, 2000).toWellFormed();
  writeFrame({ type: 'ended', ending: { ...ending, message } });
  return leave(ending.exitCode);
}

/** Without `exit` handlers and without taking the isolate down, which may be in the middle of a call. */
export function leave(exitCode: number): never {
  return (process as unknown as { reallyExit(code: number): never }).reallyExit(exitCode);
}

interface Readers {
  readonly calls: Calls;
  readonly stops: Stops;
  readonly stop: (reason: string) => void;
}

/** Resolves with the `start` frame; all others are for the readers. When the other side goes away, so does this process. */
export function readFrames({ calls, stops, stop }: Readers): Promise<StartFrame> {
  const { promise, resolve } = Promise.withResolvers<StartFrame>();
  const schema = { safeParse: (data: unknown) => ({ success: true, data: data as ToVesselFrame }) as const };
  const decoder = new FrameDecoder(schema, START_BYTES);
  const take = (bytes: number, buffer: Uint8Array): boolean => {
    for (const frame of decoder.push(buffer.subarray(0, bytes))) {
      if (frame.type === 'reply') calls.settle(frame);
      else if (frame.type === 'usage') calls.tell(frame.usage);
      else if (frame.type === 'stops') stops.add(frame.stops);
      else if (frame.type === 'stop') stop(frame.reason);
      else resolve(frame);
    }
    return true;
  };
  const input = new Socket({ fd: 0, onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: take } });
  input.on('close', () => leave(1));
  input.on('error', () => leave(1));
  return promise;
}
