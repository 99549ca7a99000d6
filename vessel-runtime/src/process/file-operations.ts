import { CALL_LIMITS, OP } from '@potluck/repy-api';
import { CallFailure } from './failure.ts';
import { Files, type OpenInit } from './files.ts';
import { Stream } from './stream.ts';
import type { Primitive, World } from './world.ts';

type Handler = (...args: never[]) => Primitive;

/** Stands for "all that there are" where a number of bytes is asked for. */
const ALL = -1;

/** The file calls of both generations; each answers with a request. */
export function fileOperations(world: World): Record<number, Handler> {
  const files = new Files(world);
  const streams = new Map<number, Stream>();
  /** @throws CallFailure ResourceExhausted: too many calls are unanswered. */
  const later = (run: () => Promise<Primitive>): number => {
    const request = world.request();
    run().then(
      (value) => world.resolve(request, value),
      (error: unknown) => world.reject(request, error),
    );
    return request;
  };
  return {
    ...positioned(files, later),
    ...streamed(files, streams, later),
    [OP.openfile]: (name: string, create: boolean) => later(() => files.open(name, { create, empty: false })),
    [OP.closefile]: (handle: number) => {
      streams.delete(handle);
      return later(() => done(files.close(handle)));
    },
    [OP.listfiles]: () => later(() => files.list()),
    [OP.removefile]: (name: string) => later(() => done(files.remove(name))),
  };
}

type Later = (run: () => Promise<Primitive>) => number;

/** The second generation: every call says where. */
function positioned(files: Files, later: Later): Record<number, Handler> {
  const read = async (handle: number, most: number, offset: number) =>
    (await files.alone(handle, (name) => files.read(name, offset, mostOf(most)))).bytes;
  const write = (handle: number, bytes: Buffer, offset: number) =>
    files.holding(bytes, () => files.alone(handle, (name) => files.write(name, offset, bytes)));
  return {
    [OP.readat]: (handle: number, most: number, offset: number, binary: boolean) =>
      later(async () => textOf(await read(handle, most, offset), binary)),
    [OP.writeat]: (handle: number, data: string, binary: boolean, offset: number) =>
      later(async () => await done(write(handle, bytesOf(data, binary), offset))),
  };
}

const MODES: Readonly<Record<string, OpenInit>> = {
  r: { create: false, empty: false },
  w: { create: true, empty: true },
  a: { create: true, empty: false },
};

/** The first generation: a file has a position. */
function streamed(files: Files, streams: Map<number, Stream>, later: Later): Record<number, Handler> {
  const read = async (handle: number, most: number, line: boolean): Promise<Buffer> => {
    const stream = streamOf(streams, handle);
    return await (line ? stream.line(mostOf(most)) : stream.read(mostOf(most)));
  };
  return {
    [OP.openstream]: (name: string, mode: string, binary: boolean) =>
      later(async () => {
        const handle = await files.open(name, MODES[mode] ?? { create: false, empty: false });
        streams.set(handle, new Stream(files, { handle, binary, append: mode === 'a' }));
        return handle;
      }),
    [OP.readstream]: (handle: number, most: number, line: boolean, binary: boolean) =>
      later(async () => textOf(await read(handle, most, line), binary)),
    [OP.writestream]: (handle: number, data: string, binary: boolean) =>
      later(async () => await done(streamOf(streams, handle).write(bytesOf(data, binary)))),
    [OP.seekstream]: (handle: number, offset: number, whence: number) =>
      later(async () => await done(streamOf(streams, handle).seek(offset, whence))),
    [OP.flushstream]: (handle: number) => later(async () => await done(files.alone(handle, async () => {}))),
  };
}

function streamOf(streams: Map<number, Stream>, handle: number): Stream {
  const stream = streams.get(handle);
  if (stream !== undefined) return stream;
  throw new CallFailure('FileClosedError', 'expected an open file, got one that was closed');
}

const done = async (work: Promise<unknown>): Promise<number> => {
  await work;
  return 1;
};
const mostOf = (most: number): number | undefined => (most === ALL ? undefined : most);
/** In base64, which the engine on the other side reads fastest, or the text that they are. */
const textOf = (bytes: Buffer, binary: boolean): string => (binary ? bytes.toBase64() : bytes.toString());

/** @throws CallFailure RepyArgument: a text may make more bytes than it has characters. */
function bytesOf(data: string, binary: boolean): Buffer {
  const bytes = binary ? ofBase64(data) : Buffer.from(data);
  if (bytes.byteLength <= CALL_LIMITS.fileBytes) return bytes;
  const message = `expected at most ${CALL_LIMITS.fileBytes} bytes in one write, got ${bytes.byteLength}`;
  throw new CallFailure('RepyArgumentError', message);
}

/** Several times faster than `Buffer.from`. What is not base64 comes to fewer bytes. */
function ofBase64(data: string): Buffer {
  const bytes = Buffer.allocUnsafe(Math.ceil(data.length / 4) * 3);
  return bytes.subarray(0, bytes.write(data, 'base64'));
}
