import { chmod, mkdir, stat } from 'node:fs/promises';
import { ConfigError, generateIdentity, type Identity, loadIdentity, saveIdentity } from '@potluck/protocol';
import { type Logger, pino } from 'pino';
import { codeOf, NodeManagerError } from './errors.ts';
import type { NodeLimits } from './limits.ts';
import { LogRing } from './log-ring.ts';
import type { StatePaths } from './paths.ts';

/** Makes the state directory, and closes it to others. @throws NodeManagerError STATE_UNUSABLE */
export async function makeState({ directory, config }: StatePaths): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    await chmod(config, 0o600).catch(() => undefined); // Written by hand, perhaps; `loadConfig` says what is wrong with it.
  } catch (cause) {
    const message = `expected a state directory at ${directory}, got one that cannot be made`;
    throw new NodeManagerError('STATE_UNUSABLE', message, { cause });
  }
}

/** A node gets its key at its first start; one that has vessels and lost its key is broken, not new. */
export async function ownIdentity(paths: StatePaths): Promise<Identity> {
  try {
    return await loadIdentity(paths.identity);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== 'KEY_FILE_MISSING') throw error;
    const isNew = await stat(paths.database).then(
      () => false,
      (cause: unknown) => codeOf(cause) === 'ENOENT',
    );
    if (!isNew) throw error;
    const identity = generateIdentity();
    await saveIdentity(paths.identity, identity);
    return identity;
  }
}

/** The daemon's own log, until the stack is disposed. */
export function openLog(paths: StatePaths, limits: NodeLimits, stack: AsyncDisposableStack): Logger {
  const ring = new LogRing({ newPath: paths.log, oldPath: paths.logOld, limitBytes: limits.daemonLogBytes });
  ring.start();
  stack.defer(() => ring.close());
  return pino({ base: null }, { write: (line: string) => ring.append(line) });
}
