import { lstat, readdir, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  describeError,
  type Finding,
  generateIdentity,
  loadIdentity,
  NodeClient,
  openPinnedSocket,
  PeerError,
  parseRestrictions,
  warning,
  well,
  wrong,
} from '@potluck/protocol';
import { detectWalls } from '@potluck/vessel-runtime';
import Database from 'better-sqlite3';
import { aboutClock } from './clock.ts';
import { loadConfig, type NodeConfig } from './config.ts';
import { codeOf } from './errors.ts';
import { holderOf } from './holder.ts';
import { StateLock } from './lock.ts';
import type { StatePaths } from './paths.ts';
import { userOf } from './processes.ts';
import { describeReach, reachable, readAddress, readReach } from './status.ts';

const GATEWAY_MS = 5000;

/**
 * Looks a node over, whether it runs or not, and changes nothing.
 * @returns a finding for each of: state directory, configuration, files, key, database, node manager or its port,
 * user, clearinghouse, clock, disk, walls
 */
export async function examine(paths: StatePaths): Promise<Finding[]> {
  const directory = await aboutDirectory(paths);
  if (directory.state === 'wrong') return [directory];
  const configured = await loadConfig(paths.config).catch((error: unknown) => ({ error: describeError(error) }));
  const findings = [directory, await aboutFiles(paths), await aboutKey(paths), aboutDatabase(paths)];
  if ('error' in configured) return [...findings, wrong('configuration', configured.error)];
  findings.splice(1, 0, well('configuration', `${paths.config} is right`));
  const running = StateLock.isHeld(paths);
  const daemon = running ? await aboutDaemon(paths) : await Promise.all(configured.listen.map(aboutPort));
  const walls = daemon.some(({ what }) => what === 'walls') ? [] : wallsFound(await detectWalls());
  const around = [...(await aboutClearinghouse(configured)), await aboutClock(paths, configured.gateway)];
  return [...findings, ...daemon, ...around, await aboutDisk(paths, configured), ...walls];
}

async function aboutDirectory({ directory }: StatePaths): Promise<Finding> {
  const what = 'state directory';
  const facts = await stat(directory).catch(() => undefined);
  if (facts === undefined) return wrong(what, `expected ${directory}, got none: has a node been installed there?`);
  if (!facts.isDirectory()) return wrong(what, `expected a directory at ${directory}, got something else`);
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && facts.uid !== uid) {
    return wrong(what, `${directory} belongs to user ${facts.uid}, and you are user ${uid}: ask as that user`);
  }
  if ((facts.mode & 0o077) === 0) return well(what, `${directory} is closed to others`);
  const mode = (facts.mode & 0o777).toString(8).padStart(4, '0');
  return warning(what, `${directory} has mode ${mode}; its next start closes it to others`);
}

/** Of what stands in the directory itself; below it everything is the node manager's own making. */
async function aboutFiles({ directory }: StatePaths): Promise<Finding> {
  const what = 'files';
  const open: string[] = [];
  for (const { name, parentPath } of await readdir(directory, { withFileTypes: true })) {
    const facts = await lstat(join(parentPath, name)).catch(() => undefined);
    if (facts !== undefined && !facts.isSymbolicLink() && (facts.mode & 0o007) !== 0) open.push(name);
  }
  if (open.length === 0) return well(what, 'none is open to others');
  return warning(what, `others may read ${open.join(', ')} once they get there: chmod -R o= ${directory}`);
}

async function aboutKey({ identity }: StatePaths): Promise<Finding> {
  try {
    return well('key', `the node is ${(await loadIdentity(identity)).id}`);
  } catch (error) {
    if (codeOf(error) !== 'KEY_FILE_MISSING') return wrong('key', describeError(error));
    return warning('key', 'there is none yet; the first start makes it');
  }
}

function aboutDatabase({ database }: StatePaths): Finding {
  const what = 'database';
  try {
    using opened = disposable(new Database(database, { readonly: true, fileMustExist: true, timeout: 1000 }));
    const found = opened.value.pragma('quick_check(1)', { simple: true });
    if (found === 'ok') return well(what, `${database} is whole`);
    return wrong(what, `${database} is damaged (${String(found)}): bring it back from a copy`);
  } catch (error) {
    const text = describeError(error);
    if (codeOf(error) === 'SQLITE_CANTOPEN') return warning(what, `there is none yet (${text})`);
    return wrong(what, `expected a database at ${database}, got one that cannot be read (${text})`);
  }
}

function disposable(value: Database.Database): { value: Database.Database } & Disposable {
  return { value, [Symbol.dispose]: () => value.close() };
}

async function aboutDaemon(paths: StatePaths): Promise<Finding[]> {
  try {
    const { host, port, node, pid } = await readAddress(paths);
    const address = { host: reachable(host), port };
    await using client = await NodeClient.connect({ address, node, identity: generateIdentity() });
    const { vessels, walls } = (await client.call('GetVessels', {})).result;
    const started = vessels.filter(({ state }) => state === 'Started').length;
    const count = `${started} of ${vessels.length} vessels run a program`;
    const answers = well('node manager', `process ${pid} answers on ${host} port ${port}; ${count}`);
    return [answers, ...(await aboutReach(paths)), ...aboutUser(pid), ...wallsFound(walls)];
  } catch (error) {
    return [wrong('node manager', `it runs and does not answer (${describeError(error)}): look into its log`)];
  }
}

function aboutUser(pid: number): Finding[] {
  const uid = userOf(pid);
  if (uid === undefined) return [];
  if (uid !== 0) return [well('user', `it runs as user ${uid}`)];
  const remedy = 'start it where a user of its own can read it, such as below /opt, and without --user root';
  return [warning('user', `it runs as root: ${remedy}`)];
}

/** A node that nobody comes to is of no use: that is worth a word, and no fault. */
async function aboutReach(paths: StatePaths): Promise<Finding[]> {
  const found = await readReach(paths);
  if (found === undefined) return [];
  const { reach, isKnown } = found;
  const isReached = reach.addresses.length > 0 || isKnown === true;
  return describeReach(found).map((text) => (isReached ? well : warning)('reach', text));
}

async function aboutPort({ host, port }: NodeConfig['listen'][number]): Promise<Finding> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const stopped = 'the node manager does not run';
  server.once('error', async (error) => {
    const isTaken = codeOf(error) === 'EADDRINUSE';
    const reason = isTaken ? `${(await holderOf(port)) ?? 'another program'} has it` : describeError(error);
    resolve(wrong('node manager', `${stopped}, and port ${port} of ${host} cannot be had: ${reason}`));
  });
  server.listen({ host, port, exclusive: true }, () => {
    const text = `${stopped}; port ${port} of ${host} is free for it: start it with potluck start`;
    server.close(() => resolve({ what: 'node manager', state: 'warning', text }));
  });
  return await promise;
}

async function aboutClearinghouse({ gateway }: NodeConfig): Promise<Finding[]> {
  const what = 'clearinghouse';
  if (gateway === undefined) {
    return [warning(what, 'none is named in the configuration: nobody finds this node by its key')];
  }
  const { host, port, key } = gateway;
  try {
    const signal = AbortSignal.timeout(GATEWAY_MS);
    const { socket } = await openPinnedSocket({ address: { host, port }, key, maxPayloadBytes: 1024, signal });
    socket.terminate();
    return [well(what, `${host} port ${port} answers with the key that is expected`)];
  } catch (error) {
    const reason = describeError(error);
    if (error instanceof PeerError && error.code === 'WRONG_IDENTITY') {
      return [wrong(what, `somebody else answers at ${host} port ${port}: ${reason}`)];
    }
    return [wrong(what, `${host} port ${port} cannot be reached (${reason}): is the machine online?`)];
  }
}

async function aboutDisk({ directory }: StatePaths, { vessels }: NodeConfig): Promise<Finding> {
  const promised = vessels.reduce((sum, vessel) => {
    return sum + parseRestrictions(vessel.restrictions).quantities.diskused;
  }, 0);
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const text = `${mebibytes(free)} are free where the vessels may use ${mebibytes(promised)}`;
  return free >= promised ? well('disk', text) : { what: 'disk', state: 'warning', text };
}

function wallsFound({ up, missing }: { up: readonly string[]; missing: readonly string[] }): Finding[] {
  return [well('walls', `${up.join(', ')} are up`), ...missing.map((text) => warning('wall', text))];
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
