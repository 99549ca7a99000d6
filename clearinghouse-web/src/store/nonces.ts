import type { KeyId } from '@potluck/protocol';
import type { Database } from './database.ts';

/** Which signed requests were taken, for as long as they could be taken again; a restart forgets none. */
export class Nonces {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @param untilSeconds since the epoch; after it the nonce may be forgotten. @returns false if it was taken before. */
  async claim(key: KeyId | 'passkey', nonce: string, untilSeconds: number): Promise<boolean> {
    const claimed = await this.#db
      .insertInto('nonces')
      .values({ key_id: key, nonce, expires_at: Math.ceil(untilSeconds * 1000) })
      .onConflict((oc) => oc.columns(['key_id', 'nonce']).doNothing())
      .executeTakeFirst();
    return (claimed.numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  async expire(now = Date.now()): Promise<void> {
    await this.#db.deleteFrom('nonces').where('expires_at', '<=', now).execute();
  }
}
