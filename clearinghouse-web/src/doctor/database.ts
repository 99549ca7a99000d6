import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError, type Finding, warning, well, wrong } from '@potluck/protocol';
import { sql } from 'kysely';
import { DOCTOR_LIMITS, SITE_LIMITS } from '../limits.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { pendingMigrations } from '../store/migrate.ts';
import { faultOf, isPostgresUrl, withoutPasswords } from '../store/postgres.ts';
import { Store } from '../store/store.ts';

const LOOK_MS = 100;
const FEW = 3;

/** Whether the database is there and of this version, and what stands in it. */
export async function aboutDatabase(location: string): Promise<Finding[]> {
  const what = 'database';
  if (!isPostgresUrl(location) && !existsSync(location)) {
    return [warning(what, `there is none yet at ${location}: the first start makes it`)];
  }
  const db = openDatabase(location);
  try {
    const whole = await aboutItself(db, location);
    const version = await aboutVersion(db);
    if (whole.state === 'wrong' || version.state === 'wrong') return [whole, version];
    // Nothing is brought up to date by this: it is.
    await using store = await Store.open(location);
    // On SQLite there is one site, and its clock is this one.
    const clocks = isPostgresUrl(location) ? await aboutClocks(db) : [];
    return [whole, version, ...(await aboutContents(store)), ...clocks];
  } catch (error) {
    return [wrong(what, describeError(faultOf(location, error) ?? error))];
  } finally {
    await db.destroy();
  }
}

async function aboutItself(db: Database, location: string): Promise<Finding> {
  const before = performance.now();
  await sql`SELECT 1`.execute(db);
  const text = `${withoutPasswords(location)} answers in ${(performance.now() - before).toFixed(1)} ms`;
  if (isPostgresUrl(location)) return well('database', text);
  const { rows } = await sql<{ quick_check: string }>`PRAGMA quick_check(1)`.execute(db);
  const [found] = rows.map(({ quick_check }) => quick_check);
  if (found === 'ok') return well('database', `${text} and is whole`);
  return wrong('database', `${location} is damaged (${found}): stop the site and restore a backup`);
}

async function aboutVersion(db: Database): Promise<Finding> {
  const { older, newer } = await pendingMigrations(db);
  if (newer.length > 0) {
    return wrong('schema', `a newer version has made it (${newer.join(', ')}): run that version, or restore a backup`);
  }
  if (older.length === 0) return well('schema', 'it is of this version');
  return wrong('schema', `it is of an older version (${older.join(', ')} are to come): a start of the site does them`);
}

async function aboutContents(store: Store): Promise<Finding[]> {
  const faults = await store.ledger.check();
  const ledger =
    faults.length === 0
      ? well('ledger', 'it adds up')
      : wrong('ledger', `it does not add up for ${faults.length} accounts: clearinghouse check says whose`);
  const census = await store.condition.census();
  const of = (wanted: string): number =>
    census.nodes.filter(({ life }) => life === wanted).reduce((sum, { n }) => sum + n, 0);
  const broken = of('broken');
  const nodes =
    broken === 0
      ? well('nodes', `${of('offered')} are offered, none is broken`)
      : warning('nodes', `${broken} are broken: /admin/nodes?life=broken says why, and tries them again`);
  const stop = census.stopped
    ? [warning('emergency stop', 'everything is stopped: clearinghouse emergency-stop --lift')]
    : [];
  return [ledger, ...(await aboutQueue(store)), nodes, ...stop];
}

/** Due and never tried: nobody takes tasks. Claimed for longer than a claim lasts: nobody gives them back. */
async function aboutQueue({ condition }: Store): Promise<Finding[]> {
  const { late, lapsed, repeated, failed } = await condition.stuck(DOCTOR_LIMITS);
  const findings = [
    ...(late > 0 ? [wrong('queue', `${late} tasks are due and no backend takes them: is one running?`)] : []),
    ...(lapsed > 0 ? [wrong('queue', `${lapsed} tasks were begun and never ended: start the backend anew`)] : []),
    ...(repeated.length > 0 ? [warning('queue', `${listed(repeated)} are tried again and again: see /admin`)] : []),
    ...(failed.length > 0 ? [warning('queue', `${listed(failed)} failed within a day: see /admin`)] : []),
  ];
  return findings.length > 0 ? findings : [well('queue', 'nothing is stuck')];
}

function listed(groups: readonly { kind: string; cause: string | null; n: number }[]): string {
  const words = groups.slice(0, FEW).map(({ kind, cause, n }) => `${n} ${kind} (${cause ?? 'unknown'})`);
  return groups.length > FEW ? `${words.join(', ')} and others` : words.join(', ');
}

/** Each site writes often by its own clock that it lives: what it writes is compared with ours at the moment it comes. */
async function aboutClocks(db: Database): Promise<Finding[]> {
  const said = async (): Promise<Map<number, number>> => {
    const rows = await db.selectFrom('sites').select(['id', 'expires_at']).execute();
    return new Map(rows.map(({ id, expires_at }) => [Number(id), expires_at - SITE_LIMITS.lifeMs]));
  };
  const first = await said();
  const until = performance.now() + SITE_LIMITS.liveEveryMs + 10 * LOOK_MS;
  const apart = new Map<number, number>();
  while (apart.size < first.size && performance.now() < until) {
    await delay(LOOK_MS);
    for (const [site, at] of await said()) {
      if (first.has(site) && first.get(site) !== at && !apart.has(site)) apart.set(site, at - Date.now());
    }
  }
  return [...first.keys()].map((site) => aboutClock(site, apart.get(site)));
}

function aboutClock(site: number, apartMs: number | undefined): Finding {
  const what = `site ${site}`;
  if (apartMs === undefined) return warning(what, 'it says nothing: it has died, and the others take it out');
  const isWell = Math.abs(apartMs) <= DOCTOR_LIMITS.clockMs;
  const apart = `its clock and this one are ${(Math.abs(apartMs) / 1000).toFixed(1)} s apart`;
  const limit = SITE_LIMITS.lifeMs / 1000;
  if (isWell) return well(what, `it lives, and ${apart}`);
  return wrong(
    what,
    `${apart}, and at ${limit} s others take it for dead: keep all clocks right (timedatectl set-ntp true)`,
  );
}
