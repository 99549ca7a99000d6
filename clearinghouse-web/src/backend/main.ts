/**
 * The backend process. It is started by the site and speaks with it by the queue in the database only; the pipes carry
 * news and nothing that is asked for: any byte on fd 0 means "look at the queue", a line on fd 3 is "ready" or a message
 * for the bus. When fd 0 closes, the site is gone, and so is the backend.
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ConfigError, describeError, type GatewayAddress, gatewayAddressSchema, parseJson } from '@potluck/protocol';
import { pino } from 'pino';
import type { News } from '../bus/subjects.ts';
import { takeLock } from '../lock.ts';
import { statePaths } from '../paths.ts';
import { Store } from '../store/store.ts';
import type { Claim } from '../store/tasks.ts';
import { DonorKeys } from './keys.ts';
import { taskSchema } from './kinds.ts';
import { Worker } from './worker.ts';

const LOCK_WAIT_MS = 20_000;

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
  // A backend before this one may still be ending.
  using _lock = takeLock(paths.backendLock, LOCK_WAIT_MS);
  const { POTLUCK_DATABASE: database = paths.database, POTLUCK_KEYS_DATABASE: keysDatabase } = process.env;
  const anew = process.env.POTLUCK_NEW_KEYS_DATABASE !== undefined;
  await using keys = await DonorKeys.open(keysDatabase ?? paths.backendKeys);
  await using store = await Store.open(database, { backend: backendName(paths.backendName) });
  await store.sites.adoptKeys({ name: await keys.identity(), kept: async (all) => await keys.keptOf(all), anew });
  const onEnded = (claim: Claim, done: boolean): void => {
    for (const news of newsOfEnd(claim, done)) toSite.write(`${JSON.stringify(news)}\n`);
  };
  const worker = new Worker({ store, keys, gateway: gatewayOf(process.env.POTLUCK_GATEWAY) }, { logger, onEnded });
  process.stdin.on('data', () => worker.wake());
  await worker.start();
  toSite.write('ready\n');
  await siteGone;
  await worker.stop();
}

function gatewayOf(text: string | undefined): GatewayAddress | undefined {
  return text === undefined ? undefined : gatewayAddressSchema.parse(parseJson(text));
}

/** Made once for a state directory: what this backend had claimed before it was killed is its own to take up again. */
function backendName(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(8).toString('hex'), { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

/** What the end of a task means to others. */
function newsOfEnd({ id, kind, subject, payload }: Claim, done: boolean): News[] {
  const ended: News = { subject: 'task.ended', message: { task: id, kind, subject, done } };
  const task = taskSchema.safeParse({ ...JSON.parse(payload), kind }).data;
  if (task === undefined || task.kind === 'make-donor-key') return [ended];
  if (!('vessel' in task)) return [ended, { subject: 'node.changed', message: { node: task.node } }];
  const { node, vessel } = task;
  return [ended, { subject: 'vessel.changed', message: { node, vessel } }];
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
