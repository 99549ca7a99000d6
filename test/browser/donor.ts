import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Donation, donationSchema, generateIdentity, signKeyProof } from '@potluck/protocol';
import type { Daemon, World } from './world.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

/** A payload without a program in it: the archive is then the donor's part alone. */
export async function emptyPayload(directory: string): Promise<string> {
  const path = join(directory, 'payload.tgz');
  await writeFile(path, gzipSync(''));
  return path;
}

/** The installer's payload as donors get it; kept beside the demonstration's, because it takes longest to make. */
export async function realPayload(): Promise<string> {
  const path = join(ROOT, '.potluck', 'payload', 'potluck-linux-x64.tgz');
  await run(process.execPath, [join(ROOT, 'installer', 'bin', 'installer.ts'), 'build', '--out', path]);
  return path;
}

/** Installs an unpacked archive as its donor does: a node manager with two vessels. @returns its directory. */
export async function install(unpacked: string, directory: string): Promise<string> {
  const args = ['--directory', directory, '--address', '127.0.0.1', '--port', '0', '--percent', '4'];
  await run(join(unpacked, 'install.sh'), args);
  return directory;
}

/** Also after a test that failed before there was anything to remove. */
export async function uninstall(directory: string): Promise<void> {
  if (existsSync(directory)) await run(join(directory, 'potluck'), ['uninstall', '--yes']);
}

/** What the downloaded archive says, unpacked by the system's own tar. */
export async function donationIn(archive: string, directory: string): Promise<Donation> {
  const into = join(directory, 'unpacked');
  await mkdir(into, { recursive: true });
  await run('tar', ['xzf', archive, '-C', into]);
  return donationSchema.parse(JSON.parse(await readFile(join(into, 'potluck', 'donation.json'), 'utf8')));
}

interface PortalAnswer {
  readonly csrfToken: string;
  readonly downloadUrl: string;
  readonly donations: readonly unknown[];
}

interface Donor {
  readonly name: string;
  readonly vessels: number;
  /** More of the node's configuration. */
  readonly config?: object;
}

/** Brings a machine by the API alone, for tests that are about something else. @returns its daemon when it is offered. */
export async function donate(world: World, url: string, donor: Donor): Promise<Daemon> {
  let cookie = '';
  let csrfToken = '';
  const call = async (path: string, body?: object) => {
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      cookie,
      'x-csrf-token': csrfToken,
    };
    const response = await fetch(url + path, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) });
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    return response;
  };
  const answer = async (path: string, body?: object) => (await (await call(path, body)).json()) as PortalAnswer;
  ({ csrfToken } = await answer('/session'));
  const credentials = { username: donor.name, password: `secret of ${donor.name}` };
  const keyProof = await signKeyProof(generateIdentity(), { audience: url, subject: donor.name });
  await answer('/register', { ...credentials, keyProof });
  await answer('/login', credentials);
  const { downloadUrl } = await answer('/donations');
  const { gateway, owner } = await donationAt(world, downloadUrl);
  const daemon = await world.node(donor.name, { gateway, owner, ...donor });
  while ((await answer('/donations')).donations.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  return daemon;
}

/** What the archive at a personal link tells a machine: whose it is to be, and where to show itself. */
export async function donationAt(world: World, downloadUrl: string): Promise<Donation> {
  const archive = join(world.directory, `${randomUUID()}.tgz`);
  await writeFile(archive, Buffer.from(await (await fetch(downloadUrl)).arrayBuffer()));
  return await donationIn(archive, world.directory);
}

/** Waits until a clearinghouse has that many vessels to give: what was released is emptied first. */
export async function offered(url: string, vessels: number): Promise<void> {
  for (;;) {
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    const { free } = (await response.json()) as { free: number };
    if (free === vessels) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
