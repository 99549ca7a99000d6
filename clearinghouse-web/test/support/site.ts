import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayAddress, type KeyId, keyIdSchema } from '@potluck/protocol';
import Sqlite from 'better-sqlite3';
import { CompiledQuery } from 'kysely';
import { pino } from 'pino';
import { Clearinghouse, type ClearinghouseInit } from '../../src/clearinghouse.ts';
import { LIMITS } from '../../src/limits.ts';
import { asOperator } from '../../src/operator.ts';
import { statePaths } from '../../src/paths.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { isPostgresUrl } from '../../src/store/postgres.ts';
import { Api } from './api.ts';
import { Peer, type Where } from './peer.ts';

export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'potluck-clearinghouse-'));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

/** A running clearinghouse on a temporary directory; what belongs to it ends with it. */
export class Site implements AsyncDisposable {
  readonly directory: string;
  readonly state: string;
  /** Of the main database, as `--database` takes it. */
  readonly location: string;
  readonly clearinghouse: Clearinghouse;
  readonly #stack = new AsyncDisposableStack();
  #db: Database | undefined;

  private constructor(directory: string, more: Partial<ClearinghouseInit>) {
    this.directory = directory;
    this.state = more.state ?? join(directory, 'state');
    this.location = more.database ?? statePaths(this.state).database;
    const logger = pino({ level: 'silent' });
    const any = { host: '127.0.0.1', port: 0, gatewayHost: '127.0.0.1', gatewayPort: 0 };
    const cheap = { passwordCost: { memory: 64, passes: 1 } };
    this.clearinghouse = new Clearinghouse({ state: this.state, ...any, ...cheap, logger, ...more });
  }

  static async start(more: Partial<ClearinghouseInit> = {}): Promise<Site> {
    const { path } = await temporaryDirectory();
    const site = new Site(path, more);
    site.#stack.defer(async () => await rm(path, { recursive: true, force: true }));
    site.#stack.use(site.clearinghouse);
    try {
      await site.clearinghouse.start();
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
    return site;
  }

  get port(): number {
    return this.clearinghouse.port;
  }

  get gateway(): GatewayAddress {
    return this.clearinghouse.gatewayAddress;
  }

  api(): Api {
    return new Api(this.clearinghouse.url);
  }

  /** Somebody whom the operator made an administrator. */
  async administrator(username: string): Promise<Api> {
    const api = await this.api().join(username);
    const database = isPostgresUrl(this.location) ? this.location : undefined;
    await asOperator({ state: this.state, database }, async (store) => {
      await store.administration.setRole('operator', username, 'admin');
    });
    return api;
  }

  /** Reads in the database from aside, on whichever it is. */
  async query(text: string, ...parameters: unknown[]): Promise<Record<string, unknown>[]> {
    this.#db ??= this.#stack.adopt(openDatabase(this.location), async (db) => await db.destroy());
    const [first = '', ...rest] = text.split('?');
    const numbered = rest.reduce((whole, part, index) => `${whole}$${index + 1}${part}`, first);
    const asked = isPostgresUrl(this.location) ? numbered : text;
    const { rows } = await this.#db.executeQuery(CompiledQuery.raw(asked, parameters));
    return rows as Record<string, unknown>[];
  }

  /** Looks into a database of SQLite from aside; reading never blocks the site. */
  rows(sql: string, ...parameters: unknown[]): Record<string, unknown>[] {
    const database = new Sqlite(this.location, { readonly: true });
    try {
      return database.prepare<unknown[], Record<string, unknown>>(sql).all(...parameters);
    } finally {
      database.close();
    }
  }

  /** Changes the database from aside, as time or an operator would. */
  write(sql: string, ...parameters: unknown[]): void {
    const database = new Sqlite(this.location, { timeout: 10_000 });
    try {
      database.prepare<unknown[]>(sql).run(...parameters);
    } finally {
      database.close();
    }
  }

  /** Fills up a budget of attempts until this many are left. */
  spend(key: string, spent: number): void {
    this.write('INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)', key, spent, Date.now() + LIMITS.windowMs);
  }

  /** The key that owns what an account donates. */
  async donorKey(username: string): Promise<KeyId> {
    const sql = 'SELECT donor_key FROM accounts WHERE username = ?';
    return keyIdSchema.parse(await eventually(async () => (await this.query(sql, username))[0]?.donor_key));
  }

  /** A node with vessels of this donor, that has been looked at. */
  async peer(donor: Api, username: string, vessels: number, where: Where = {}): Promise<Peer> {
    return await this.peerOf(donor, await this.donorKey(username), { vessels, ...where });
  }

  /** As `peer`, of the owner with this key. */
  async peerOf(donor: Api, key: KeyId, { vessels, ...where }: Where & { vessels: number }): Promise<Peer> {
    const before = (await donor.get('/donations')).body.donations.length;
    const peer = this.#stack.use(await new Peer(key, vessels, where).listen());
    await peer.advertise(this.gateway);
    await eventually(async () => (await donor.get('/donations')).body.donations.length > before || undefined);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Asks until there is an answer; the test's own time limit ends it. */
export async function eventually<T>(ask: () => Promise<T | undefined | null>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
