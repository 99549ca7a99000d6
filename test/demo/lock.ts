import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { DemoError } from './errors.ts';

/**
 * Two demonstrations never share a directory. The lock is an abstract socket of Linux: the kernel lets it go with its
 * process, however that ends, so none is ever stale.
 * @throws DemoError BUSY while another process holds it
 */
export async function lock(directory: string): Promise<Disposable> {
  const server = createServer().unref();
  server.listen(`\0potluck-demo-${createHash('sha256').update(directory).digest('hex')}`);
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    throw new DemoError('BUSY', `expected no other demonstration in ${directory}, got one that is up: end it first`);
  });
  return { [Symbol.dispose]: () => void server.close() };
}
