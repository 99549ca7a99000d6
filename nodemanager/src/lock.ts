import { chmodSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { codeOf, NodeManagerError } from './errors.ts';
import type { StatePaths } from './paths.ts';

/**
 * Keeps a second node manager off a state directory. The lock is the kernel's, taken through SQLite, so it ends with
 * its process however that dies, and a process id that was given out again cannot look like it.
 */
export class StateLock implements Disposable {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @throws NodeManagerError ALREADY_RUNNING, STATE_UNUSABLE */
  static take(paths: StatePaths): StateLock {
    let database: Database.Database | undefined;
    try {
      database = new Database(paths.lock, { timeout: 0 });
      chmodSync(paths.lock, 0o600);
      database.exec('BEGIN EXCLUSIVE');
      return new StateLock(database);
    } catch (cause) {
      database?.close();
      throw isHeld(cause) ? alreadyRunning(paths) : unusable(paths, cause);
    }
  }

  /** @returns whether a node manager runs on that directory now; takes and gives back the lock to find out. */
  static isHeld(paths: StatePaths): boolean {
    let database: Database.Database | undefined;
    try {
      database = new Database(paths.lock, { timeout: 0, fileMustExist: true });
      database.exec('BEGIN EXCLUSIVE; ROLLBACK');
      return false;
    } catch (cause) {
      return isHeld(cause);
    } finally {
      database?.close();
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function isHeld(error: unknown): boolean {
  return codeOf(error)?.startsWith('SQLITE_BUSY') ?? false;
}

function alreadyRunning(paths: StatePaths): NodeManagerError {
  const pid = readPid(paths);
  const who = pid === undefined ? 'one that runs' : `process ${pid}`;
  return new NodeManagerError('ALREADY_RUNNING', `expected no node manager on ${paths.directory}, got ${who}`, {
    details: { pid },
  });
}

function unusable(paths: StatePaths, cause: unknown): NodeManagerError {
  const message = `expected a state directory that can be written to at ${paths.directory}, got one that cannot`;
  return new NodeManagerError('STATE_UNUSABLE', message, { cause });
}

/** Only for messages: the lock says whether it runs. */
function readPid(paths: StatePaths): number | undefined {
  try {
    return Number.parseInt(readFileSync(paths.pid, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}
