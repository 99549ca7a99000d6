import { sql } from 'kysely';
import { Accounts } from './accounts.ts';
import { Acquisitions } from './acquisitions.ts';
import { Administration } from './administration.ts';
import { Attempts } from './attempts.ts';
import { AuditLog } from './audit.ts';
import { Care } from './care.ts';
import { Closing } from './closing.ts';
import { Condition } from './condition.ts';
import { type Database, type OnStatement, openDatabase } from './database.ts';
import { Devices } from './devices.ts';
import { Emergency } from './emergency.ts';
import { History } from './history.ts';
import { Inventory } from './inventory.ts';
import { Leases } from './leases.ts';
import { migrate } from './migrate.ts';
import { Nodes } from './nodes.ts';
import { Nonces } from './nonces.ts';
import { Overview } from './overview.ts';
import { Passkeys } from './passkeys.ts';
import { Policies } from './policies.ts';
import { faultOf, isPostgres, PATIENT } from './postgres.ts';
import { Sessions } from './sessions.ts';
import { Sites } from './sites.ts';
import { Ledger } from './statement.ts';
import { Survey } from './survey.ts';
import { Tasks } from './tasks.ts';
import { Tokens } from './tokens.ts';

interface StoreOptions {
  readonly backend?: string;
  readonly onStatement?: OnStatement | undefined;
}

/** The main database, shared by site and backend; it never has an owner's private key. */
export class Store implements AsyncDisposable {
  readonly tasks: Tasks;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly attempts: Attempts;
  readonly tokens: Tokens;
  readonly passkeys: Passkeys;
  readonly nodes: Nodes;
  readonly leases: Leases;
  readonly inventory: Inventory;
  readonly nonces: Nonces;
  readonly acquisitions: Acquisitions;
  readonly administration: Administration;
  readonly audit: AuditLog;
  readonly sites: Sites;
  readonly history: History;
  readonly survey: Survey;
  readonly emergency: Emergency;
  readonly policies: Policies;
  readonly ledger: Ledger;
  readonly care: Care;
  readonly overview: Overview;
  readonly condition: Condition;
  readonly closing: Closing;
  readonly #db: Database;

  private constructor(db: Database, backend?: string) {
    this.#db = db;
    this.tasks = new Tasks(db, backend);
    this.accounts = new Accounts(db, this.tasks);
    this.sessions = new Sessions(db);
    this.devices = new Devices(db);
    this.attempts = new Attempts(db);
    this.tokens = new Tokens(db);
    this.passkeys = new Passkeys(db);
    this.nodes = new Nodes(db, this.tasks);
    this.leases = new Leases(db, this.tasks);
    this.inventory = new Inventory(db, this.tasks);
    this.nonces = new Nonces(db);
    this.acquisitions = new Acquisitions(db);
    this.administration = new Administration(db, this.tasks);
    this.sites = new Sites(db, this.tasks);
    this.audit = new AuditLog(db);
    this.history = new History(db);
    this.survey = new Survey(db);
    this.emergency = new Emergency(db, this.tasks);
    this.policies = new Policies(db);
    this.ledger = new Ledger(db);
    this.care = new Care(db, this.tasks);
    this.overview = new Overview(db);
    this.condition = new Condition(db);
    this.closing = new Closing(db, this.tasks);
  }

  /**
   * Opens the database and brings its tables up to date.
   * @param location a file of SQLite, or `postgres://...`
   * @param options `backend`: the name under which tasks are claimed; `onStatement` is told of each statement.
   * @throws ServiceError STATE_BROKEN, DATABASE_AWAY, DATABASE_REFUSED
   */
  static async open(location: string, { backend, onStatement }: StoreOptions = {}): Promise<Store> {
    const patient = openDatabase(location, { waits: PATIENT });
    try {
      await migrate(patient);
    } catch (error) {
      throw faultOf(location, error) ?? error;
    } finally {
      await patient.destroy();
    }
    return new Store(openDatabase(location, { onStatement }), backend);
  }

  /** Answers if the database does. */
  async ping(): Promise<void> {
    await sql`SELECT 1`.execute(this.#db);
  }

  /** Copies what SQLite has logged into its file, which waits for the disk: for where nobody waits for an answer. */
  async checkpoint(): Promise<void> {
    if (!isPostgres(this.#db)) await sql`PRAGMA wal_checkpoint(PASSIVE)`.execute(this.#db);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
  }
}
