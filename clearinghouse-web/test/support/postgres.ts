import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { openDatabase } from '../../src/store/database.ts';
import { Store } from '../../src/store/store.ts';

const DEBIAN = '/usr/lib/postgresql';
/** What it writes need not outlive the machine's power. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'shared_buffers=32MB'];

const PASSWORD = 'sesame';

interface Place {
  readonly programs: string;
  /** It never runs as root. */
  readonly user: { uid: number; gid: number } | undefined;
}

/** Where PostgreSQL's programs are, and as whom it may run; or why it cannot be had. */
function findPlace(): Place | string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const paths = [...versions.map((version) => join(DEBIAN, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  const programs = paths.find((path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'postgres')));
  if (programs === undefined) return "no PostgreSQL is installed here (Debian's package postgresql has it)";
  if (process.getuid?.() !== 0) return { programs, user: undefined };
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined) return { programs, user: { uid: Number(uid), gid: Number(gid) } };
  }
  return 'it may not run as root, and there is no user "postgres" or "nobody"';
}

function parentOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1];
  } catch {
    return undefined; // It has just ended.
  }
}

let told = false;

async function boot({ programs, user }: Place, directory: string): Promise<ChildProcess> {
  const settings = [`unix_socket_directories=${directory}`, 'listen_addresses=', ...FAST].flatMap((s) => ['-c', s]);
  const args = ['--pdeathsig', 'QUIT', join(programs, 'postgres'), '-D', join(directory, 'data'), ...settings];
  const options = { ...user, cwd: directory, env: { LC_ALL: 'C', PATH: process.env.PATH } };
  const child = spawn('setpriv', args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  const words: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    words.push(line);
    if (line.includes('ready to accept connections')) return child;
  }
  rmSync(directory, { recursive: true, force: true });
  throw new TypeError(`expected PostgreSQL to start, got: ${words.join('\n')}`);
}

/** A real PostgreSQL in a temporary directory, on a socket in there; it ends with this process, however that ends. */
export class PostgresServer implements AsyncDisposable {
  readonly directory: string;
  readonly #place: Place;
  #child: ChildProcess;
  #databases = 0;
  #migrated: Promise<string> | undefined;

  private constructor(directory: string, place: Place, child: ChildProcess) {
    this.directory = directory;
    this.#place = place;
    this.#child = child;
  }

  /** @returns undefined where none can be had, which is said once. */
  static async start({ auth = 'trust' }: { auth?: string } = {}): Promise<PostgresServer | undefined> {
    const place = findPlace();
    if (typeof place !== 'string') return await PostgresServer.#start(place, auth);
    if (!told) process.stdout.write(`Tests on PostgreSQL are pending: ${place}.\n`);
    told = true;
    return undefined;
  }

  static async #start(place: Place, auth: string): Promise<PostgresServer> {
    const { programs, user } = place;
    const directory = mkdtempSync(join(tmpdir(), 'potluck-postgres-'));
    if (user !== undefined) chownSync(directory, user.uid, user.gid);
    const data = join(directory, 'data');
    const options = { ...user, cwd: directory, env: { LC_ALL: 'C', PATH: process.env.PATH } };
    const secret = join(directory, 'secret');
    writeFileSync(secret, PASSWORD, { mode: 0o644 });
    const how = [
      `--pwfile=${secret}`,
      '--username=potluck',
      `--auth=${auth}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ];
    const made = spawnSync(join(programs, 'initdb'), [`--pgdata=${data}`, ...how], { ...options, encoding: 'utf8' });
    if (made.status !== 0) {
      rmSync(directory, { recursive: true, force: true });
      throw new TypeError(`expected initdb to make a database, got: ${made.stderr}`);
    }
    return new PostgresServer(directory, place, await boot(place, directory));
  }

  /** Everybody is cut off, and may come again. */
  async restart(whileAway: () => Promise<void> = async () => undefined): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    await whileAway();
    this.#child = await boot(this.#place, this.directory);
  }

  /** Keeps every connection and answers nothing on any, until what it returns is disposed of. */
  hang(): Disposable {
    const parent = String(this.#child.pid);
    const children = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === parent);
    const all = [parent, ...children].map(Number);
    const signal = (name: NodeJS.Signals): void => {
      for (const pid of all) process.kill(pid, name);
    };
    signal('SIGSTOP');
    return { [Symbol.dispose]: () => signal('SIGCONT') };
  }

  /** The address of one of its databases. */
  url(database: string): string {
    return `postgres://potluck:${PASSWORD}@/${database}?host=${encodeURIComponent(this.directory)}`;
  }

  /** @returns the address of a new, empty database. */
  async createDatabase(template = 'template1'): Promise<string> {
    this.#databases += 1;
    const name = `test${this.#databases}`;
    await this.run(`create database ${name} template ${template}`);
    return this.url(name);
  }

  /** @returns the address of a new database with all tables: a copy, which is made sooner than the tables are. */
  async createMigrated(): Promise<string> {
    this.#migrated ??= this.#migrate();
    return await this.createDatabase(await this.#migrated);
  }

  async #migrate(): Promise<string> {
    const name = 'migrated';
    await this.run(`create database ${name}`);
    await (await Store.open(this.url(name)))[Symbol.asyncDispose]();
    return name;
  }

  /** Everybody who is connected to it is cut off. */
  async dropDatabase(url: string): Promise<void> {
    const [, name] = /@\/(\w+)\?/.exec(url) ?? [];
    await this.run(`drop database if exists ${name} with (force)`);
  }

  /** As the one who may do everything. */
  async run(statement: string): Promise<void> {
    const database = openDatabase(this.url('postgres'));
    try {
      await sql.raw(statement).execute(database);
    } finally {
      await database.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGQUIT');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
