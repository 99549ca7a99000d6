import type { Server } from 'node:net';
import { ServiceError } from './errors.ts';

export interface ListenInit {
  readonly host: string;
  readonly port: number;
  /** Names the server in the error. */
  readonly what: string;
}

/** @throws ServiceError PORT_IN_USE, CANNOT_LISTEN */
export async function listen(server: Server, { host, port, what }: ListenInit): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new ServiceError('PORT_IN_USE', `expected port ${port} on ${host} to be free for ${what}, it is in use`, {
        cause,
      });
    }
    throw new ServiceError('CANNOT_LISTEN', `expected to listen on ${host}:${port} for ${what}, could not`, { cause });
  } finally {
    server.off('error', reject);
  }
}
