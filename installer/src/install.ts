import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { type Donation, generateIdentity, type KeyId, saveIdentity } from '@potluck/protocol';
import { startDaemon } from './daemon.ts';
import { makeDirectories } from './directories.ts';
import { readDonation } from './donation.ts';
import { fileError, InstallError } from './errors.ts';
import { type Installation, installationSchema, type Layout, type Listening, layoutOf, readJson } from './layout.ts';
import { type Machine, measureMachine } from './machine.ts';
import type { InstallOptions } from './options.ts';
import { controlScript } from './scripts.ts';
import { restrictionsOf } from './share.ts';

export interface Installed {
  readonly layout: Layout;
  readonly installation: Installation;
  readonly machine: Machine;
  /** Undefined with `start: false`. */
  readonly listening: Listening | undefined;
}

/**
 * Installs from an extracted archive into `options.directory` and starts there. On any failure the directory is left
 * as it was found.
 * @param source the top folder of the archive
 * @throws InstallError DONATION_BROKEN, PAYLOAD_BROKEN, DIRECTORY_TAKEN, NO_PERMISSION, DISK_FULL, PORT_IN_USE,
 * ADDRESS_UNKNOWN, START_FAILED
 */
export async function install(source: string, options: InstallOptions): Promise<Installed> {
  const donation = await readDonation(join(source, 'donation.json'));
  const from = layoutOf(source);
  for (const path of [from.node, from.daemon]) await requirePart(path);
  await requireFreePort(options.address, options.port);
  const layout = layoutOf(options.directory);
  const made = await claimDirectory(layout);
  try {
    const machine = await measureMachine(layout.directory);
    await copyPrograms(from, layout);
    const installation = await configure(layout, donation, { options, machine });
    const listening = options.start ? await startDaemon(layout) : undefined;
    await rm(layout.unfinished);
    return { layout, installation, machine, listening };
  } catch (error) {
    await discard(layout, made);
    throw fileError(error, layout.directory);
  }
}

async function requirePart(path: string): Promise<void> {
  await access(path).catch((cause: unknown) => {
    const message = `expected ${path} in the extracted archive, got none: extract the archive again, whole`;
    throw new InstallError('PAYLOAD_BROKEN', message, { cause });
  });
}

/** Asked before anything is copied; the node manager itself meets it again if it is taken in between. */
async function requireFreePort(host: string, port: number): Promise<void> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, exclusive: true }, resolve);
  await promise.catch((cause: NodeJS.ErrnoException) => {
    throw listenError(cause, host, port);
  });
  await new Promise((closed) => server.close(closed));
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): InstallError {
  const where = `${host} port ${port}`;
  if (cause.code === 'EADDRINUSE') {
    return new InstallError(
      'PORT_IN_USE',
      `expected ${where} to be free, another program listens there: choose another --port`,
    );
  }
  if (cause.code === 'EACCES') {
    return new InstallError(
      'NO_PERMISSION',
      `expected permission to listen at ${where}, got none: choose a --port of 1024 or more`,
    );
  }
  return new InstallError(
    'ADDRESS_UNKNOWN',
    `expected ${host} to be an address of this machine, it is not: choose another --address`,
    { cause },
  );
}

/**
 * Takes an empty directory, or one with the rest of an installation that was broken off, or makes one.
 * @returns the outermost directory that was made for it, if any
 */
async function claimDirectory(layout: Layout): Promise<string | undefined> {
  const { directory } = layout;
  let made: string | undefined;
  try {
    made = await makeDirectories(directory, 0o700);
    const found = await readdir(directory);
    if (found.includes(basename(layout.unfinished))) await discard(layout, undefined);
    else if (found.length > 0) throw await taken(layout);
    await writeFile(layout.unfinished, '', { flag: 'wx' });
    // Of root: its node manager runs as a user of its own, who has to pass and cannot read.
    await chmod(directory, process.getuid?.() === 0 ? 0o711 : 0o700);
    return made;
  } catch (error) {
    if (made !== undefined) await discard(layout, made);
    throw fileError(error, directory);
  }
}

async function taken(layout: Layout): Promise<InstallError> {
  const { directory } = layout;
  const installation = await readJson(layout.marker, installationSchema);
  const got = installation === undefined ? `one with files in it at ${directory}` : `an installation at ${directory}`;
  const advice =
    installation === undefined ? 'choose another --directory' : `remove it first with "${layout.control} uninstall"`;
  return new InstallError('DIRECTORY_TAKEN', `expected a new or empty directory, got ${got}: ${advice}`);
}

/** Leaves things as they were found: `made` and all below it go. The mark that makes the directory ours goes last. */
async function discard(layout: Layout, made: string | undefined): Promise<void> {
  for (const name of await readdir(layout.directory)) {
    if (name !== basename(layout.unfinished)) await rm(join(layout.directory, name), { recursive: true, force: true });
  }
  await rm(layout.unfinished, { force: true });
  if (made === undefined) return;
  for (let path = layout.directory; path.length >= made.length; path = dirname(path)) await rmdir(path);
}

async function copyPrograms(from: Layout, to: Layout): Promise<void> {
  const options = { recursive: true, mode: constants.COPYFILE_FICLONE };
  await cp(from.bin, to.bin, options);
  await cp(from.lib, to.lib, options);
  await writeFile(to.control, controlScript(), { mode: 0o755 });
}

async function configure(
  layout: Layout,
  donation: Donation,
  plan: { options: InstallOptions; machine: Machine },
): Promise<Installation> {
  const { options, machine } = plan;
  const identity = generateIdentity();
  const restrictions = restrictionsOf(machine, options);
  const users: KeyId[] = [];
  const config = {
    listen: { host: options.address, port: options.port },
    gateway: donation.gateway,
    destinations: options.denied,
    vessels: restrictions.map((text) => ({ owner: donation.owner, users, restrictions: text })),
  };
  const installation: Installation = {
    version: 1,
    installedAt: new Date().toISOString(),
    node: identity.id,
    percent: options.percent,
    vessels: restrictions.length,
    donation,
  };
  await mkdir(layout.state, { mode: 0o700 });
  await saveIdentity(layout.key, identity);
  await writeFile(layout.config, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  await writeFile(`${layout.marker}.new`, `${JSON.stringify(installation, null, 2)}\n`, { mode: 0o600 });
  await rename(`${layout.marker}.new`, layout.marker);
  return installation;
}
