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

/** What is the owner's to change. */
export interface VesselRights {
  readonly owner: KeyId;
  readonly users: readonly KeyId[];
  readonly ownerInformation: string;
  readonly advertise: boolean;
}

export interface VesselRecord extends VesselRights {
  readonly name: VesselName;
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
  owner_information: z.string(),
  advertise: z.literal([0, 1]),
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
      const { name, owner, users, restrictions, state, since, ending, program, ...more } = rowSchema.parse(row);
      const status = { state, since, ending: ending ?? undefined, program: program ?? undefined };
      const rights = { owner, users, ownerInformation: more.owner_information, advertise: more.advertise === 1 };
      return { name, ...rights, restrictions, status };
    });
  }

  /** All or none. Names go on from the highest number that is there. */
  create(vessels: readonly Pick<VesselRecord, 'owner' | 'users' | 'restrictions'>[], nowMs: number): void {
    this.#database.transaction(() => {
      for (const { owner, users, restrictions } of vessels) {
        this.#insert({ owner, users, ownerInformation: '', advertise: true }, restrictions, nowMs);
      }
    })();
  }

  /** @returns the name that the next vessel gets, and `more` names after it. */
  nextNames(count: number): VesselName[] {
    const last = z.number().parse(this.#database.prepare('SELECT coalesce(max(number), 0) FROM vessels').pluck().get());
    return Array.from({ length: count }, (_, index) => vesselNameSchema.parse(`v${last + 1 + index}`));
  }

  /** Takes vessels away and puts others in their place, under the next names, in one step: all or none. */
  replace(gone: readonly VesselName[], next: readonly VesselRecord[]): void {
    const remove = this.#database.prepare('DELETE FROM vessels WHERE name = ?');
    this.#database.transaction(() => {
      // First, so that no number is given twice.
      for (const record of next) this.#insert(record, record.restrictions, record.status.since);
      for (const name of gone) remove.run(name);
    })();
  }

  #insert({ owner, users, ownerInformation, advertise }: VesselRights, restrictions: string, nowMs: number): void {
    this.#database
      .prepare(
        `INSERT INTO vessels (number, name, owner, users, owner_information, advertise, restrictions, state, since)
         SELECT n, 'v' || n, ?, ?, ?, ?, ?, 'Fresh', ? FROM (SELECT coalesce(max(number), 0) + 1 AS n FROM vessels)`,
      )
      .run(owner, JSON.stringify(users), ownerInformation, advertise ? 1 : 0, restrictions, nowMs);
  }

  saveStatus(name: VesselName, { state, since, ending, program }: VesselStatus): void {
    this.#database
      .prepare('UPDATE vessels SET state = ?, since = ?, ending = ?, program = ? WHERE name = ?')
      .run(state, since, ending === undefined ? null : JSON.stringify(ending), program ?? null, name);
  }

  saveRights(name: VesselName, { owner, users, ownerInformation, advertise }: VesselRights): void {
    this.#database
      .prepare('UPDATE vessels SET owner = ?, users = ?, owner_information = ?, advertise = ? WHERE name = ?')
      .run(owner, JSON.stringify(users), ownerInformation, advertise ? 1 : 0, name);
  }
}
