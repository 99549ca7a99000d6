import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Ending } from '@potluck/protocol';
import { encodeFrame, FrameDecoder } from '../codec.ts';
import type { StartFrame, VesselFrame } from '../frames.ts';

/** Limits of `../frames.ts`, which is not loaded here: it would bring the schemas' library into every vessel. */
const START_BYTES = 16 * 1024 * 1024;
const FRAME_BYTES = 64 * 1024;
/** In JSON a character takes up to 6 bytes, so that any text of this length fits into a frame. */
const LOG_LENGTH = 10 * 1024;
const OUT = 3;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the whole process: what waits is the program. */
export function block(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** Writes one frame whole; a reader that does not keep up blocks the program, so nothing piles up here. */
export function writeFrame(frame: VesselFrame): void {
  const bytes = encodeFrame(frame, FRAME_BYTES);
  let at = 0;
  while (at < bytes.byteLength) {
    try {
      at += writeSync(OUT, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') leave(1);
      block(1);
    }
  }
}

/** Writes a text as frames; half characters become U+FFFD, for a frame is UTF-8. */
export function writeLog(text: string): void {
  const whole = text.toWellFormed();
  for (let at = 0; at < whole.length; ) {
    let end = Math.min(whole.length, at + LOG_LENGTH);
    if (end < whole.length && (whole.charCodeAt(end) & 0xfc00) === 0xdc00) end -= 1;
    writeFrame({ type: 'log', text: whole.slice(at, end) });
    at = end;
  }
}

/** Says why the program ended, and ends the process at once: nothing of the program runs any more. */
export function end(ending: Ending): never {
  const message = ending.message.toWellFormed().slice(0, 2000).toWellFormed();
  writeFrame({ type: 'ended', ending: { ...ending, message } });
  return leave(ending.exitCode);
}

/** Without `exit` handlers and without taking the isolate down, which may be in the middle of a call. */
export function leave(exitCode: number): never {
  return (process as unknown as { reallyExit(code: number): never }).reallyExit(exitCode);
}

/** Resolves with the only frame of this process's life. When the other side goes away, so does this process. */
export function readStart(): Promise<StartFrame> {
  const { promise, resolve } = Promise.withResolvers<StartFrame>();
  const schema = { safeParse: (data: unknown) => ({ success: true, data: data as StartFrame }) as const };
  const decoder = new FrameDecoder<StartFrame>(schema, START_BYTES);
  const input = new Socket({ fd: 0 });
  input.on('data', (chunk: Buffer) => {
    for (const frame of decoder.push(chunk)) resolve(frame);
  });
  input.on('close', () => leave(1));
  input.on('error', () => leave(1));
  return promise;
}
