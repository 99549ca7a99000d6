import { chmodSync } from 'node:fs';
import { generateIdentity, type Identity, identityFrom, type KeyId, privateJwkSchema } from '@potluck/protocol';
import Database from 'better-sqlite3';

/**
 * The private keys that own donated vessels: in a database of the backend's own, which no other process opens.
 * While one backend has it open no other can, so a backend that has it is the only one.
 */
export class DonorKeys implements Disposable {
  readonly #database: Database.Database;

  constructor(path: string) {
    // A backend before this one may still be ending.
    this.#database = new Database(path, { timeout: 20_000 });
    chmodSync(path, 0o600);
    this.#database.pragma('locking_mode = EXCLUSIVE');
    this.#database.pragma('synchronous = FULL');
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS donor_keys (account TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, jwk TEXT NOT NULL)',
    );
    // A write, so that the exclusive lock is taken now and not at the first key.
    this.#database.exec('BEGIN EXCLUSIVE; COMMIT');
  }

  /** @returns the account's donor key, made if there was none: asking twice is asking once. */
  ensure(account: string): KeyId {
    const identity = generateIdentity();
    this.#database
      .prepare('INSERT INTO donor_keys VALUES (?, ?, ?) ON CONFLICT (account) DO NOTHING')
      .run(account, identity.id, JSON.stringify(identity.privateJwk));
    const row = this.#database
      .prepare<[string], { key: KeyId }>('SELECT key FROM donor_keys WHERE account = ?')
      .get(account);
    return row?.key ?? identity.id;
  }

  find(key: KeyId): Identity | undefined {
    const row = this.#database.prepare<[KeyId], { jwk: string }>('SELECT jwk FROM donor_keys WHERE key = ?').get(key);
    return row === undefined ? undefined : identityFrom(privateJwkSchema.parse(JSON.parse(row.jwk)));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
