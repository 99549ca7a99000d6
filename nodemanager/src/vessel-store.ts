import {
  type Ending,
  endingSchema,
  type KeyId,
  keyIdSchema,
  type VesselName,
  type VesselState,
  vesselNameSchema,
  vesselStateSchema,
} from '@potluck/protocol';
import type Database from 'better-sqlite3';
import { z } from 'zod';

/** What is remembered of a vessel's last or present program. */
export interface VesselStatus {
  readonly state: VesselState;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly ending?: Ending | undefined;
  readonly program?: string | undefined;
}

export interface VesselRecord {
  readonly name: VesselName;
  readonly owner: KeyId;
  readonly users: readonly KeyId[];
  /** The text form. */
  readonly restrictions: string;
  readonly status: VesselStatus;
}

const json = z.string().transform((text): unknown => JSON.parse(text));
const rowSchema = z.object({
  name: vesselNameSchema,
  owner: keyIdSchema,
  users: json.pipe(z.array(keyIdSchema)),
  restrictions: z.string(),
  state: vesselStateSchema,
  since: z.number(),
  ending: json.pipe(endingSchema).nullable(),
  program: z.string().nullable(),
});

/** The vessels in the node's database. Each change is on the disk before its call returns. */
export class VesselStore {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  all(): VesselRecord[] {
    const rows = this.#database.prepare('SELECT * FROM vessels ORDER BY number').all();
    return rows.map((row) => {
      const { name, owner, users, restrictions, state, since, ending, program } = rowSchema.parse(row);
      const status = { state, since, ending: ending ?? undefined, program: program ?? undefined };
      return { name, owner, users, restrictions, status };
    });
  }

  /** All or none. Names go on from the highest number that is there. */
  create(vessels: readonly Pick<VesselRecord, 'owner' | 'users' | 'restrictions'>[], nowMs: number): void {
    const insert = this.#database.prepare(
      `INSERT INTO vessels (number, name, owner, users, restrictions, state, since)
       SELECT n, 'v' || n, ?, ?, ?, 'Fresh', ? FROM (SELECT coalesce(max(number), 0) + 1 AS n FROM vessels)`,
    );
    this.#database.transaction(() => {
      for (const { owner, users, restrictions } of vessels) {
        insert.run(owner, JSON.stringify(users), restrictions, nowMs);
      }
    })();
  }

  saveStatus(name: VesselName, { state, since, ending, program }: VesselStatus): void {
    this.#database
      .prepare('UPDATE vessels SET state = ?, since = ?, ending = ?, program = ? WHERE name = ?')
      .run(state, since, ending === undefined ? null : JSON.stringify(ending), program ?? null, name);
  }

  saveUsers(name: VesselName, users: readonly KeyId[]): void {
    this.#database.prepare('UPDATE vessels SET users = ? WHERE name = ?').run(JSON.stringify(users), name);
  }
}
