import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { describeError, type Finding, loadIdentity, warning, well, wrong } from '@potluck/protocol';
import { backupAt } from '../backup/save.ts';
import { DOCTOR_LIMITS } from '../limits.ts';
import { isLocked } from '../lock.ts';
import type { Place } from '../operator.ts';
import { pathsIn, type StatePaths } from '../paths.ts';
import { aboutDatabase } from './database.ts';
import { aboutDonorKeys, isMissing } from './donor-keys.ts';
import { aboutPublic, type RunningSite, readRunning } from './public.ts';

export interface DoctorPlace extends Place {
  readonly keysDatabase?: string | undefined;
}

const HOUR_MS = 3_600_000;

/**
 * Looks a clearinghouse over from the machine of one of its sites, whether that runs or not, and changes nothing.
 * @returns a finding for each of: state directory, gateway key, site, backend, database, and what stands in it, donors'
 * keys, backup, disk, and what people and nodes reach from outside
 */
export async function examine(place: DoctorPlace): Promise<Finding[]> {
  const directory = await aboutDirectory(place.state);
  if (directory.state === 'wrong') return [directory];
  const paths = pathsIn(place.state);
  const running = await readRunning(paths);
  const site = aboutSite(paths, running);
  return [
    directory,
    await aboutGatewayKey(paths),
    site,
    aboutBackend(paths),
    ...(await aboutDatabases(paths, place)),
    await aboutBackup(paths),
    await aboutDisk(place.state),
    ...(site.state === 'well' && running !== undefined ? await aboutPublic(running) : []),
  ];
}

async function aboutDatabases(paths: StatePaths, place: DoctorPlace): Promise<Finding[]> {
  const { database: main = paths.database, keysDatabase: keys = paths.backendKeys } = place;
  if (isMissing(main) && hasRun(paths)) {
    const remedy = 'name --database as the site does, or restore a backup';
    return [wrong('database', `there is none at ${main}, though a site has run here: ${remedy}`)];
  }
  return [...(await aboutDatabase(main)), await aboutDonorKeys({ main, keys })];
}

/** Whether a site has begun to run here at all. */
function hasRun({ gatewayKey, lock }: StatePaths): boolean {
  return existsSync(gatewayKey) || isLocked(lock);
}

async function aboutDirectory(state: string): Promise<Finding> {
  const what = 'state directory';
  const facts = await stat(state).catch(() => undefined);
  if (facts === undefined) return wrong(what, `expected ${state}, got none: is it the --state of the site?`);
  if (!facts.isDirectory()) return wrong(what, `expected a directory at ${state}, got something else`);
  const uid = process.getuid?.();
  if (uid !== undefined && facts.uid !== uid) {
    // A file of SQLite's that another user leaves there would keep the site from starting.
    const who = `user ${facts.uid}, and you are user ${uid}`;
    return wrong(what, `${state} belongs to ${who}: ask as that user (runuser -u USER -- ...)`);
  }
  if ((facts.mode & 0o077) === 0) return well(what, `${state} is closed to others`);
  return wrong(what, `${state} is open to others, and the donors' keys are in it: chmod 700 ${state}`);
}

async function aboutGatewayKey({ gatewayKey }: StatePaths): Promise<Finding> {
  const what = 'gateway key';
  try {
    return well(what, `nodes know the gateway as ${(await loadIdentity(gatewayKey)).id}`);
  } catch (error) {
    if (existsSync(gatewayKey)) return wrong(what, describeError(error));
    return wrong(
      what,
      `there is none at ${gatewayKey}: bring it back from a backup, or every node has to be told anew`,
    );
  }
}

function aboutSite(paths: StatePaths, running: RunningSite | undefined): Finding {
  const isUp = isLocked(paths.lock);
  if (isUp && running !== undefined) return well('site', `process ${running.pid} is the site at ${running.url}`);
  if (isUp) return warning('site', 'it is starting, or ending: ask again');
  if (running === undefined) {
    return (hasRun(paths) ? wrong : warning)('site', 'it does not run: start it with clearinghouse run');
  }
  return wrong('site', `process ${running.pid} was the site and has died: look into its log, and start it again`);
}

function aboutBackend({ lock, backendLock }: StatePaths): Finding {
  const [site, backend] = [isLocked(lock), isLocked(backendLock)];
  if (site && backend) return well('backend', 'it runs');
  if (!site && !backend) return warning('backend', 'it does not run: the site starts it');
  if (backend) return wrong('backend', 'it runs without its site: it ends by itself, or look for its process');
  return wrong('backend', 'it does not run, though the site does: look into the log of the site for why it ended');
}

async function aboutBackup({ backup }: StatePaths): Promise<Finding> {
  const at = await backupAt(backup);
  const how = 'have clearinghouse backup run each night';
  if (at === undefined) return warning('backup', `none is known that was made on this machine: ${how}`);
  const hours = Math.floor((Date.now() - at) / HOUR_MS);
  const text = `the newest was made ${hours} h ago`;
  return hours * HOUR_MS <= DOCTOR_LIMITS.backupMs ? well('backup', text) : warning('backup', `${text}: ${how}`);
}

async function aboutDisk(state: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(state);
  const free = bavail * bsize;
  const text = `${Math.floor(free / 1024 ** 2)} MiB (${Math.floor((100 * bavail) / blocks)} %) are free at ${state}`;
  if (free < DOCTOR_LIMITS.diskBytes) return wrong('disk', `${text}: make room, a full disk stops the database`);
  return free < DOCTOR_LIMITS.diskSoonBytes ? warning('disk', `${text}: make room soon`) : well('disk', text);
}
