import type { ReplayStore } from '@potluck/protocol';
import type Database from 'better-sqlite3';

/** Every `SWEEP_EVERY` claims the expired nonces go: at most that many more than could be taken again are kept. */
const SWEEP_EVERY = 64;

interface Claim {
  readonly nonce: string;
  readonly expiresAt: number;
  resolve(isFirst: boolean): void;
  reject(error: unknown): void;
}

/**
 * Nonces in the node's database: a claim is on the disk before it resolves (WAL with synchronous=FULL). Those of one turn
 * of the event loop go to the disk together: its answer, not their number, is what takes time.
 */
export class SqliteReplayStore implements ReplayStore {
  readonly #database: Database.Database;
  readonly #claim: Database.Statement<[string, number]>;
  readonly #forget: Database.Statement<[number]>;
  readonly #nowSeconds: () => number;
  #claims: Claim[] = [];
  #untilSweep = 0;

  constructor(database: Database.Database, nowSeconds = (): number => Date.now() / 1000) {
    this.#database = database;
    this.#claim = database.prepare('INSERT INTO nonces (nonce, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#forget = database.prepare('DELETE FROM nonces WHERE expires_at < ?');
    this.#nowSeconds = nowSeconds;
  }

  async claim(nonce: string, expiresAtSeconds: number): Promise<boolean> {
    const { promise, ...settle } = Promise.withResolvers<boolean>();
    if (this.#claims.push({ nonce, expiresAt: Math.ceil(expiresAtSeconds), ...settle }) === 1) {
      setImmediate(() => this.#commit());
    }
    return await promise;
  }

  #commit(): void {
    const claims = this.#claims;
    this.#claims = [];
    try {
      const taken = this.#database.transaction(() => {
        this.#sweep(claims.length);
        return claims.map(({ nonce, expiresAt }) => this.#claim.run(nonce, expiresAt).changes === 1);
      })();
      for (const [index, { resolve }] of claims.entries()) resolve(taken[index] === true);
    } catch (error) {
      for (const { reject } of claims) reject(error);
    }
  }

  #sweep(claims: number): void {
    if (this.#untilSweep <= 0) {
      this.#forget.run(Math.floor(this.#nowSeconds()));
      this.#untilSweep = SWEEP_EVERY;
    }
    this.#untilSweep -= claims;
  }
}
