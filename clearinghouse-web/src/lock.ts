import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { ServiceError } from './errors.ts';

/**
 * One process for one state directory. The lock is the system's, on an open SQLite file, so that a process that was
 * killed never leaves it behind.
 * @param waitMs for the one who has it.
 * @throws ServiceError ALREADY_RUNNING
 */
export function takeLock(path: string, waitMs = 0): Disposable {
  const database = new Database(path, { timeout: waitMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new ServiceError('ALREADY_RUNNING', `expected no other clearinghouse on this state directory, got one`, {
      cause,
    });
  }
  return { [Symbol.dispose]: () => database.close() };
}

/** @returns whether a process holds it now; takes it and gives it back to find out. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    takeLock(path)[Symbol.dispose]();
    return false;
  } catch (error) {
    if (error instanceof ServiceError) return true;
    throw error;
  }
}
