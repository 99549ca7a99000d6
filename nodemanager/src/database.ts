import { chmodSync } from 'node:fs';
import Database from 'better-sqlite3';
import { NodeManagerError } from './errors.ts';
import type { StatePaths } from './paths.ts';

/** Each entry brings a database from the version of its index to the next; entries are never changed, only added. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE vessels (
     number       INTEGER PRIMARY KEY,
     name         TEXT NOT NULL UNIQUE,
     owner        TEXT NOT NULL,
     users        TEXT NOT NULL,
     restrictions TEXT NOT NULL,
     state        TEXT NOT NULL,
     since        INTEGER NOT NULL,
     ending       TEXT,
     program      TEXT
   ) STRICT;
   CREATE TABLE nonces (nonce TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX nonces_by_expiry ON nonces (expires_at);
   CREATE TABLE processes (pid INTEGER PRIMARY KEY, birth TEXT NOT NULL) STRICT;`,
];

/**
 * Opens the node's database and brings it to the newest version.
 * @param reserveBytes room that is taken from the disk now, so that the node can go on when the disk is full.
 * @throws NodeManagerError STATE_UNUSABLE
 */
export function openDatabase(paths: StatePaths, reserveBytes: number): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(paths.database, { timeout: 5000 });
    chmodSync(paths.database, 0o600); // SQLite gives its WAL the same mode.
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    // A small WAL is soon used again from its start, so it does not ask a full disk for more.
    database.pragma('wal_autocheckpoint = 16');
    migrate(database);
    reserve(database, reserveBytes);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof NodeManagerError) throw cause;
    throw unusable(paths.database, 'one that cannot be used', cause);
  }
}

function unusable(path: string, got: string, cause?: unknown): NodeManagerError {
  return new NodeManagerError('STATE_UNUSABLE', `expected a node manager's database at ${path}, got ${got}`, { cause });
}

function migrate(database: Database.Database): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > MIGRATIONS.length) {
    throw unusable(database.name, `one of version ${version}, newer than this program's ${MIGRATIONS.length}`);
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/**
 * Pages that were written and freed stay in the database's file, and a checkpointed WAL keeps its length: both are
 * written over later without asking the disk for room.
 */
function reserve(database: Database.Database, bytes: number): void {
  try {
    database.exec('CREATE TABLE reserve (bytes BLOB)');
    database.prepare('INSERT INTO reserve VALUES (zeroblob(?))').run(bytes);
  } catch {
    // No room even now: a node that cannot reserve is better than one that does not start.
  } finally {
    database.exec('DROP TABLE IF EXISTS reserve');
    database.pragma('wal_checkpoint(RESTART)');
  }
}
