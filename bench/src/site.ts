import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type GatewayAddress, type KeyId, keyIdSchema } from '@potluck/protocol';
import type { Store } from '../../clearinghouse-web/src/store/store.ts';
import { BenchError } from './errors.ts';

const SITE = fileURLToPath(new URL('../../clearinghouse-web/bin/clearinghouse.ts', import.meta.url));
const LOOK_MS = 50;

/** A clearinghouse that listens. */
export interface Site {
  readonly url: string;
  readonly gateway: GatewayAddress;
  readonly pid: number;
}

/** A clearinghouse as an operator runs it, a process of its own. */
export async function startSite(stack: AsyncDisposableStack, state: string, database: string[]): Promise<Site> {
  const args = [SITE, 'run', '--state', state, '--port', '0', '--gateway-port', '0', ...database];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(async () => await end(child, 'SIGTERM'));
  const gone = once(child, 'exit').then(() => {
    throw new BenchError('CHILD_FAILED', 'expected a clearinghouse to start, it ended');
  });
  gone.catch(() => {});
  await Promise.race([once(child.stdout, 'data'), gone]);
  return JSON.parse(await readFile(join(state, 'address.json'), 'utf8'));
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** The key for the vessels of what this account donates, once the backend has made it. */
export async function donorKeyOf({ accounts }: Store, username: string): Promise<KeyId> {
  for (;;) {
    const key = (await accounts.byUsername(username))?.donor_key ?? null;
    if (key !== null) return keyIdSchema.parse(key);
    await delay(LOOK_MS);
  }
}
