import { randomBytes } from 'node:crypto';
import type { Database, Trx } from './database.ts';

/** Who did it: an account's id; or the backend, the site by itself, the operator by the command line. */
export type Actor = string;

export interface AuditEntry {
  readonly actor: Actor;
  /** What, as `vessel.acquire`. */
  readonly action: `${string}.${string}`;
  /** To what: a vessel's handle, a node's or an account's id. */
  readonly subject: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An entry as it was written down. */
export interface AuditRecord {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
}

/** Writes down who did what to what, in the transaction that does it: what did not happen is not told. */
export async function record(trx: Trx, { actor, action, subject, details = {} }: AuditEntry): Promise<void> {
  const at = Date.now();
  const row = { id: nextId(at), at, actor, action, subject, details: JSON.stringify(details) };
  await trx.insertInto('audit').values(row).execute();
}

/** As a UUID of version 7 is made: in order of time, what one process writes in order also within a millisecond. */
function nextId(now: number): string {
  last = now > last.at ? { at: now, count: 0 } : { at: last.at, count: last.count + 1 };
  const [at, count] = [last.at.toString(16).padStart(12, '0'), last.count.toString(16).padStart(6, '0')];
  return `${at}-${count}-${randomBytes(8).toString('hex')}`;
}
let last = { at: 0, count: 0 };

/** The audit log: the database refuses to change or delete what stands in it. */
export class AuditLog {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The newest first. @param before the id of the last entry of the page before. */
  async list(filter: AuditFilter, { limit, before }: { limit: number; before?: string | undefined }) {
    const rows = await this.#db
      .selectFrom('audit')
      .selectAll()
      .$if(filter.actor !== undefined, (query) => query.where('actor', '=', filter.actor ?? ''))
      .$if(filter.action !== undefined, (query) => query.where('action', '=', filter.action ?? ''))
      .$if(filter.subject !== undefined, (query) => query.where('subject', '=', filter.subject ?? ''))
      .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ details, ...row }): AuditRecord => ({ ...row, details: JSON.parse(details) }));
  }
}
