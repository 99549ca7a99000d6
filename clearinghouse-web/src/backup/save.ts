import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, loadIdentity, parseJson, writeJson } from '@potluck/protocol';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { takeLock } from '../lock.ts';
import { noState, type Place } from '../operator.ts';
import { statePaths } from '../paths.ts';
import { faultOf, withoutPasswords } from '../store/postgres.ts';
import { type Snapshot, withSnapshot } from '../store/snapshot.ts';
import { FORMAT, fitted, type Write, writeArchive } from './archive.ts';

export interface BackupPlace extends Place {
  readonly keysDatabase?: string | undefined;
}

export interface Saved {
  readonly rows: number;
  /** Of them, rows whose texts were too long and are cut. */
  readonly cut: number;
  /** No site ran meanwhile, so that it may be moved elsewhere as it is. */
  readonly stopped: boolean;
}

/**
 * Writes all of a clearinghouse into one file, of a moment, while it runs: both databases and the gateway's key.
 * @throws ServiceError NO_STATE, BACKUP_EXISTS, BACKUP_FAILED, DATABASE_AWAY, DATABASE_REFUSED @throws ConfigError KEY_FILE_*
 */
export async function backup(place: BackupPlace, file: string): Promise<Saved> {
  if (!existsSync(join(place.state, 'gateway.jwk'))) throw noState(place.state);
  const paths = statePaths(place.state);
  const { privateJwk: gatewayKey } = await loadIdentity(paths.gatewayKey);
  using lock = lockIfStopped(paths.lock);
  const stopped = lock !== undefined && place.database === undefined;
  let [rows, cut] = [0, 0];
  const count = (copied: Copied): void => {
    rows += copied.rows;
    cut += copied.cut;
  };
  await writeArchive(file, async (write) => {
    await fromDatabase(place.database ?? paths.database, async (snapshot) => {
      const { schema = '' } = snapshot;
      await write({ format: FORMAT, madeAt: Date.now(), schema, stopped, gatewayKey });
      count(await copy(snapshot, 'main', write));
    });
    // After the main database: a donor's key is named there only when it is already here.
    await fromDatabase(place.keysDatabase ?? paths.backendKeys, async (snapshot) => {
      count(await copy(snapshot, 'keys', write));
    });
    await write({ end: true, rows });
  });
  await writeJson(paths.backup, { at: Date.now() });
  return { rows, cut, stopped };
}

const madeSchema = z.object({ at: z.int() });

/** @returns when the newest backup was made of this state directory; undefined where none is known. */
export async function backupAt(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return madeSchema.safeParse(parseJson(text)).data?.at;
}

type Copied = Pick<Saved, 'rows' | 'cut'>;

async function copy(snapshot: Snapshot, database: 'main' | 'keys', write: Write): Promise<Copied> {
  let [rows, cut] = [0, 0];
  for (const table of snapshot.tables) {
    await write({ database, table: table.name, columns: [...table.columns] });
    for await (const row of snapshot.rows(table)) {
      const line = fitted(table.columns.map((column) => row[column] ?? null));
      await write(line.row);
      if (line.cut) cut += 1;
      rows += 1;
    }
  }
  return { rows, cut };
}

async function fromDatabase(location: string, read: (snapshot: Snapshot) => Promise<void>): Promise<void> {
  try {
    await withSnapshot(location, read);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    const message = `expected to read the database ${withoutPasswords(location)}, got: ${describeError(error)}`;
    throw faultOf(location, error) ?? new ServiceError('BACKUP_FAILED', message, { cause: error });
  }
}

/** Of several sites on one PostgreSQL it would tell of one only. */
function lockIfStopped(path: string): Disposable | undefined {
  try {
    return takeLock(path);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'ALREADY_RUNNING') return undefined;
    throw error;
  }
}
