import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { Store } from '../../src/store/store.ts';
import { PostgresServer } from './postgres.ts';
import { temporaryDirectory } from './site.ts';

/** A new database for each test, of one of the two kinds. */
export interface TestDatabase {
  readonly kind: 'SQLite' | 'PostgreSQL';
  /** What `--database` takes: a path, or an address. */
  readonly location: string;
  /** One more that is empty; gone after the test. */
  another(): Promise<string>;
  /** The whole store on it; closed after the test. */
  open(): Promise<Store>;
  /**
   * The same from another connection, as another process has it. With SQLite it is the same one: there two connections of
   * one process could wait for each other, and a test with processes is what shows it.
   */
  openBeside(store: Store): Promise<Store>;
  /** The bare database; closed after the test. */
  connect(): Database;
}

interface Contents {
  /** Without tables; on SQLite it always is. */
  readonly empty?: boolean;
}

/** One of the kinds: how a server of it is had for a file of tests, and a database of it for a test. */
interface Kind {
  readonly kind: TestDatabase['kind'];
  begin(): Promise<AsyncDisposable | undefined>;
  create(server: AsyncDisposable, options: Contents): Promise<{ location: string } & AsyncDisposable>;
}

const sqlite: Kind = {
  kind: 'SQLite',
  begin: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
  create: async () => {
    const directory = await temporaryDirectory();
    const location = join(directory.path, 'test.sqlite');
    return { location, [Symbol.asyncDispose]: async () => await directory[Symbol.asyncDispose]() };
  },
};

const postgres: Kind = {
  kind: 'PostgreSQL',
  begin: async () => await PostgresServer.start(),
  create: async (server, { empty = false }) => {
    const all = server as PostgresServer;
    const location = empty ? await all.createDatabase() : await all.createMigrated();
    const drop = async (): Promise<void> => await all.dropDatabase(location);
    return { location, [Symbol.asyncDispose]: drop };
  },
};

/**
 * The contract of what is stored: the suite runs on SQLite and on a real PostgreSQL, each test on a database of its own.
 * Where no PostgreSQL can be had its tests are pending.
 */
export function forEachDatabase(suite: (database: TestDatabase) => void, contents: Contents = {}): void {
  for (const kind of [sqlite, postgres]) describe(`on ${kind.kind}`, () => suite(databaseOf(kind, contents)));
}

function databaseOf({ kind, begin, create }: Kind, contents: Contents): TestDatabase {
  let server: AsyncDisposable | undefined;
  let location = '';
  let test = new AsyncDisposableStack();
  before(async function () {
    server = await begin();
    if (server === undefined) this.skip();
  });
  beforeEach(async () => {
    if (server === undefined) return;
    test = new AsyncDisposableStack();
    ({ location } = test.use(await create(server, contents)));
  });
  afterEach(async () => await test.disposeAsync());
  after(async () => await server?.[Symbol.asyncDispose]());
  return {
    kind,
    get location() {
      return location;
    },
    another: async () => {
      assert.ok(server);
      return test.use(await create(server, { empty: true })).location;
    },
    open: async () => test.use(await Store.open(location)),
    openBeside: async (store) => (kind === 'SQLite' ? store : test.use(await Store.open(location))),
    connect: () => {
      const database = openDatabase(location);
      test.defer(async () => await database.destroy());
      return database;
    },
  };
}
