import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { CallFailure, networkFailure } from './failure.ts';
import type { Renewable } from './meter.ts';
import type { World } from './world.ts';

/** What a call costs beyond its data, as in Seattle: in the direction of the data, and for the answer in the other. */
const HEADER_BYTES = 64;
/** What opening and closing cost where it was asked for; the other direction costs a header. */
const SHAKE_BYTES = 128;
/** Bytes of one connection that may wait for a slow reader; more is refused. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024;
const MOST_READERS = 64;
/** A peer that does not read after our close is not waited for longer. */
const LINGER_MS = 30_000;

export interface ConnectionInit {
  readonly socket: Socket;
  readonly binary: boolean;
  /** Whether its traffic stays on this machine. */
  readonly local: boolean;
  /** Whether this program asked for it. */
  readonly dialled: boolean;
}

/**
 * One TCP connection. It reads only as much as the system and one buffer hold until the program asks for it, and a
 * `send` is answered when the system has taken the data: the peer's pace is the program's pace.
 */
export class Connection {
  readonly #world: World;
  readonly #socket: Socket;
  readonly #decoder: StringDecoder | undefined;
  readonly #sends: Renewable;
  readonly #receives: Renewable;
  readonly #readers: { readonly request: number; readonly bytes: number }[] = [];
  #unsent = 0;
  #pacing = false;
  #ended = false;
  #closed = false;
  #problem: unknown;
  /** Called once, when the system has let go of it. */
  onGone: () => void = () => {};
  /** Called once, when the program closes it. */
  onClosing: () => void = () => {};

  constructor(world: World, { socket, binary, local, dialled }: ConnectionInit) {
    this.#world = world;
    this.#socket = socket;
    this.#sends = world.meter.rate(local ? 'loopsend' : 'netsend');
    this.#receives = world.meter.rate(local ? 'looprecv' : 'netrecv');
    this.#sends.add(dialled ? SHAKE_BYTES : HEADER_BYTES);
    this.#receives.add(dialled ? HEADER_BYTES : SHAKE_BYTES);
    this.#decoder = binary ? undefined : new StringDecoder('utf8');
    socket.on('readable', this.#pump);
    socket.on('end', this.#end);
    socket.on('error', (error) => {
      this.#problem = error;
    });
    socket.on('close', () => {
      this.#end();
      this.onGone();
    });
  }

  /** @returns a request, or the number of bytes as a text when the system has them all. @throws CallFailure */
  send(bytes: Buffer): number | string {
    const world = this.#world;
    const { byteLength } = bytes;
    if (this.#ended) throw this.#closedByRemote();
    if (this.#unsent + byteLength > MOST_UNSENT_BYTES) {
      const message = `expected sends to be awaited, got ${this.#unsent} bytes waiting for the peer`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    const request = world.request();
    let written = false;
    let answered = false;
    const write = () => {
      if (this.#closed) {
        this.#unsent -= byteLength;
        const failure = new CallFailure('SocketClosedLocalError', 'expected an open connection, got one closed here');
        world.reject(request, failure);
        return;
      }
      this.#socket.write(bytes, (error) => {
        this.#unsent -= byteLength;
        if (written) return;
        if (error) world.reject(request, networkFailure(this.#problem ?? error, 'a peer that takes the data'));
        else world.resolve(request, byteLength);
      });
    };
    this.#unsent += byteLength;
    try {
      this.#receives.add(HEADER_BYTES);
      const now = this.#sends.pace(HEADER_BYTES + byteLength, write);
      written = now && this.#isWritten();
      answered = written && world.answerNow();
      // Not in this turn of the event loop: a program that only sends would leave nothing else its turn.
      if (written && !answered) setImmediate(() => world.resolve(request, byteLength));
    } catch (error) {
      this.#unsent -= byteLength;
      setImmediate(() => world.reject(request, error));
    }
    return answered ? `${byteLength}` : request;
  }

  /** Whether the system has all that was sent. */
  #isWritten(): boolean {
    return !this.#closed && this.#socket.writableLength === 0 && this.#socket.errored === null;
  }

  recv(bytes: number): number {
    if (this.#readers.length >= MOST_READERS) {
      const message = `expected at most ${MOST_READERS} recv to wait on one connection, got one more`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    const request = this.#world.request();
    this.#readers.push({ request, bytes });
    this.#pump();
    return request;
  }

  /** @returns 1 if a `recv` would wait now, plus 2 if a `send` would: the end of a connection waits for nothing. */
  willblock(): number {
    if (this.#ended) return 0;
    return (this.#socket.readableLength === 0 ? 1 : 0) + (this.#unsent > 0 ? 2 : 0);
  }

  close(): void {
    this.#closed = true;
    this.#sends.add(SHAKE_BYTES);
    this.#receives.add(HEADER_BYTES);
    this.onClosing();
    const message = 'expected an open connection, got one that this program closed';
    for (const { request } of this.#readers.splice(0)) {
      setImmediate(() => this.#world.reject(request, new CallFailure('SocketClosedLocalError', message)));
    }
    // Data that nobody will read would hold back the end of the connection.
    this.#socket.off('readable', this.#pump);
    this.#socket.resume();
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #pump = (): void => {
    while (!this.#pacing && this.#readers.length > 0) {
      const available = this.#socket.readableLength;
      if (available === 0) {
        // Reading nothing is what makes the stream notice its end.
        this.#socket.read(0);
        if (this.#ended) this.#finishReaders();
        return;
      }
      const reader = this.#readers[0];
      const chunk: Buffer | null = this.#socket.read(Math.min(available, reader?.bytes ?? 1));
      if (chunk === null) return;
      const text = this.#decoder === undefined ? chunk.toString('latin1') : this.#decoder.write(chunk);
      // Half a character is kept for the next bytes.
      if (text !== '') this.#deliver(text, chunk.byteLength);
    }
  };

  #deliver(text: string, bytes: number): void {
    const reader = this.#readers.shift();
    if (reader === undefined) return;
    this.#pacing = true;
    let now = true;
    const answer = () => {
      this.#pacing = false;
      this.#world.resolve(reader.request, text);
      if (!now) this.#pump();
    };
    try {
      this.#sends.add(HEADER_BYTES);
      this.#receives.pace(HEADER_BYTES + bytes, answer);
    } catch (error) {
      this.#pacing = false;
      this.#world.reject(reader.request, error);
    }
    now = false;
  }

  #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#pacing && this.#socket.readableLength === 0) this.#finishReaders();
  };

  #finishReaders(): void {
    const rest = this.#decoder?.end() ?? '';
    if (rest !== '') this.#deliver(rest, rest.length);
    for (const { request } of this.#readers.splice(0)) this.#world.reject(request, this.#closedByRemote());
  }

  #closedByRemote(): CallFailure {
    return new CallFailure('SocketClosedRemoteError', 'expected an open connection, got one that the peer closed');
  }
}
