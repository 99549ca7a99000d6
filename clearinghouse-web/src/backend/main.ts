/**
 * The backend process. It is started by the site and speaks with it by the queue in the database only; the pipes carry
 * no content: any byte on fd 0 means "look at the queue", a line on fd 3 means "ready" or "a task has ended". When fd 0
 * closes, the site is gone, and so is the backend.
 */
import { createWriteStream } from 'node:fs';
import { ConfigError, describeError } from '@potluck/protocol';
import { pino } from 'pino';
import { statePaths } from '../paths.ts';
import { Store } from '../store/store.ts';
import { DonorKeys } from './keys.ts';
import { Worker } from './worker.ts';

async function main(directory: string): Promise<void> {
  process.umask(0o077);
  const logger = pino({ name: 'backend', base: null }, pino.destination({ fd: 2, sync: true }));
  const siteGone = new Promise<void>((resolve) => process.stdin.once('close', resolve));
  // Ctrl-C reaches the whole group; the site ends the backend in its own time.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => process.stdin.destroy());
  const toSite = createWriteStream('', { fd: 3 });
  toSite.on('error', () => process.stdin.destroy());
  const paths = statePaths(directory);
  using keys = new DonorKeys(paths.backendKeys);
  await using store = await Store.open(paths.database);
  const worker = new Worker({ store, keys }, { logger, onEnded: () => toSite.write('ended\n') });
  process.stdin.on('data', () => worker.wake());
  await worker.start();
  toSite.write('ready\n');
  await siteGone;
  await worker.stop();
}

const [directory] = process.argv.slice(2);
try {
  if (directory === undefined)
    throw new ConfigError('USAGE', 'expected the state directory as the only argument, got none');
  await main(directory);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${JSON.stringify({ level: 60, name: 'backend', msg: describeError(error) })}\n`);
  process.exit(1);
}
