import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describeError } from '@potluck/protocol';

/** Datagrams get lost: a question is sent again and again, each time after twice as long. */
export interface Question<T> {
  /** The first wait for an answer. */
  readonly firstWaitMs: number;
  /** Binds or connects the socket. @returns the event by which it is ready. */
  readonly prepare: (socket: Socket) => 'connect' | 'listening';
  /** @param failed is told when it could not be sent, if that is the end of it. */
  readonly send: (socket: Socket, failed: (error: Error) => void) => void;
  /** @returns undefined for what is no answer to this. @throws what is the end of it */
  readonly read: (message: Buffer, from: RemoteInfo) => T | undefined;
  /** The error for why there is no answer. */
  readonly failure: (why: string) => Error;
}

/** Asks until it is answered, or the signal says that the time is over. @throws what `failure` makes, or `read` throws */
export async function askAgain<T>(question: Question<T>, signal: AbortSignal): Promise<T> {
  const { firstWaitMs, prepare, send, read, failure } = question;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => undefined);
  await using socket = createSocket('udp4');
  const give = (why: string): void => reject(failure(why));
  const failed = (error: Error): void => give(describeError(error));
  const abort = (): void => give('no answer in time');
  let timer: NodeJS.Timeout | undefined;
  const sendAfter = (waitMs: number): void => {
    send(socket, failed);
    timer = setTimeout(() => sendAfter(2 * waitMs), waitMs);
  };
  socket.on('error', failed);
  socket.on('message', (message, from) => {
    try {
      const answer = read(message, from);
      if (answer !== undefined) resolve(answer);
    } catch (error) {
      reject(error);
    }
  });
  try {
    signal.addEventListener('abort', abort);
    await once(socket, prepare(socket));
    if (signal.aborted) abort(); // Before us: the event will not come.
    sendAfter(firstWaitMs);
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
