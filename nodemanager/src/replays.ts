import type { ReplayStore } from '@potluck/protocol';
import type Database from 'better-sqlite3';

/** Every `SWEEP_EVERY` claims the expired nonces go: at most that many more than could be taken again are kept. */
const SWEEP_EVERY = 64;

/** Nonces in the node's database: a claim is on the disk before it returns (WAL with synchronous=FULL). */
export class SqliteReplayStore implements ReplayStore {
  readonly #claim: Database.Statement<[string, number]>;
  readonly #forget: Database.Statement<[number]>;
  readonly #nowSeconds: () => number;
  #untilSweep = 0;

  constructor(database: Database.Database, nowSeconds = (): number => Date.now() / 1000) {
    this.#claim = database.prepare('INSERT INTO nonces (nonce, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#forget = database.prepare('DELETE FROM nonces WHERE expires_at < ?');
    this.#nowSeconds = nowSeconds;
  }

  claim(nonce: string, expiresAtSeconds: number): boolean {
    if (this.#untilSweep === 0) {
      this.#forget.run(Math.floor(this.#nowSeconds()));
      this.#untilSweep = SWEEP_EVERY;
    }
    this.#untilSweep -= 1;
    return this.#claim.run(nonce, Math.ceil(expiresAtSeconds)).changes === 1;
  }
}
