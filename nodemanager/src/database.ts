import { chmodSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
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
  `ALTER TABLE vessels ADD COLUMN owner_information TEXT NOT NULL DEFAULT '';
   ALTER TABLE vessels ADD COLUMN advertise INTEGER NOT NULL DEFAULT 1;`,
];

/** For the tables that the reserve itself needs. */
const SPARE_PAGES = 8;
/** A disk with this many times the reserve has room for it: in the WAL and in the database. */
const ROOMY = 4;

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
 * written over later without asking the disk for room. With little room left, only pages that are free already are
 * used: a checkpoint that cannot make the file longer would leave every later request without a WAL to write to.
 */
function reserve(database: Database.Database, bytes: number): void {
  database.pragma('wal_checkpoint(RESTART)'); // What a crash left is not written behind, but over.
  database.exec('DROP TABLE IF EXISTS reserve');
  const pageBytes = Number(database.pragma('page_size', { simple: true }));
  const freeBytes = (Number(database.pragma('freelist_count', { simple: true })) - SPARE_PAGES) * pageBytes;
  const { bavail, bsize } = statfsSync(dirname(database.name));
  const wanted = bavail * bsize > ROOMY * bytes ? bytes : Math.min(bytes, freeBytes);
  if (wanted <= 0) return;
  database.exec('CREATE TABLE reserve (bytes BLOB)');
  database.prepare('INSERT INTO reserve VALUES (zeroblob(?))').run(wanted);
  database.exec('DROP TABLE reserve');
  database.pragma('wal_checkpoint(RESTART)');
}
