import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { addressSchema, loadIdentity } from '@potluck/protocol';
import { z } from 'zod';
import { DemoError } from './errors.ts';
import { formatMatrix, type Matrix, matrixSchema } from './matrix.ts';
import type { Narrator } from './narrator.ts';
import { findPlaces, freePort, type Place } from './places.ts';
import { type Account, type AcquiredVessel, PortalClient } from './portal-client.ts';
import { binOf, eventually, readJson, runProgram, Service } from './programs.ts';

export interface DemoInit {
  /** A directory of its own; everything that the demonstration writes is in it, and it is removed by `stop`. */
  readonly directory: string;
  /** The payload of the installer's archive; it survives the demonstration, because it takes longest to make. */
  readonly payload: string;
  readonly example: string;
  /** Node managers on ports of one address, as on systems without 127.0.0.2. */
  readonly onePlace: boolean;
  /** The portal's port; without it, the first free one from 8080 on. */
  readonly portalPort: number | undefined;
}

/** What stands after the last step. */
export interface Stage {
  readonly portalUrl: string;
  readonly pageUrl: string;
  readonly matrix: Matrix;
  readonly donor: Account;
  readonly user: Account;
  readonly userDirectory: string;
}

const siteAddressSchema = z.object({ url: z.string() });
const leftoverSchema = z.object({ pid: z.int().positive() });
const PORTAL_PORT = 8080;
const GATEWAY_PORT = 8443;
/** Enough for the shortest of them to be the way alone. */
const ROUNDS = 8;

/** The demonstration of 2009, for real: from two registrations to the matrix of all round-trip times. */
export class Demo {
  readonly #init: DemoInit;
  readonly #narrator: Narrator;
  readonly #signal: AbortSignal;
  readonly #donor: Account = { username: 'dana', password: newPassword() };
  readonly #user: Account = { username: 'ulla', password: newPassword() };
  #site: Service | undefined;
  #installations: string[] = [];

  constructor(components: { narrator: Narrator; signal: AbortSignal }, init: DemoInit) {
    this.#narrator = components.narrator;
    this.#signal = components.signal;
    this.#init = init;
  }

  /** @throws DemoError naming the step that failed and why */
  async play(): Promise<Stage> {
    const narrator = this.#narrator;
    await narrator.step("The donor's installer is built", () => this.#build());
    const portalUrl = await narrator.step(
      'The clearinghouse starts on an empty database',
      () => this.#startSite(),
      (url) => url,
    );
    const [donor, user] = await narrator.step('A donor and a user register', () => this.#register(portalUrl));
    await this.#donate(donor);
    const vessels = await narrator.step('The user acquires three vessels', () => user.acquire(3), describeVessels);
    const peers = vessels.map(peerOf).sort();
    await narrator.step('seash uploads all-pairs-ping and runs it on all', () => this.#deploy(portalUrl, peers));
    const pageUrl = `http://${peers[0]}/`;
    const matrix = await narrator.step('Every vessel has pinged every other eight times', () =>
      this.#awaitMatrix(pageUrl),
    );
    console.log(`\n${formatMatrix(matrix)}`);
    return { portalUrl, pageUrl, matrix, donor: this.#donor, user: this.#user, userDirectory: this.#userDirectory };
  }

  /** Ends everything that was started and removes everything that was written; may be called at any point. */
  async stop(): Promise<void> {
    await Promise.all(this.#installations.map((directory) => uninstall(directory)));
    await this.#site?.stop();
    await rm(this.#init.directory, { recursive: true, force: true });
  }

  get #userDirectory(): string {
    return join(this.#init.directory, this.#user.username);
  }

  async #build(): Promise<void> {
    await removeLeftovers(this.#init.directory);
    await rm(this.#init.directory, { recursive: true, force: true });
    await mkdir(this.#userDirectory, { recursive: true, mode: 0o700 });
    await this.#run(binOf('installer', 'installer'), ['build', '--out', this.#init.payload]);
  }

  async #startSite(): Promise<string> {
    const state = siteState(this.#init.directory);
    const port = this.#init.portalPort ?? (await freePort('127.0.0.1', PORTAL_PORT));
    const gatewayPort = await freePort('127.0.0.1', GATEWAY_PORT);
    const site = new Service(process.execPath, [
      ...[binOf('clearinghouse-web', 'clearinghouse'), 'run', '--state', state, '--payload', this.#init.payload],
      ...['--port', `${port}`, '--gateway-port', `${gatewayPort}`],
    ]);
    this.#site = site;
    const address = await this.#eventually('the clearinghouse to listen', async () => {
      if (!site.isRunning) throw new DemoError('PROGRAM_FAILED', `the clearinghouse ended: ${site.lastWords}`);
      return await readJson(join(state, 'address.json'));
    });
    return siteAddressSchema.parse(address).url;
  }

  async #register(url: string): Promise<[PortalClient, PortalClient]> {
    const people = [this.#donor, this.#user].map(async (account) => {
      const directory = join(this.#init.directory, account.username);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await this.#seash(['-c', `genkeys ${account.username}`], directory);
      const portal = new PortalClient(url, this.#signal);
      await portal.register(account, await loadIdentity(join(directory, `${account.username}.private.jwk`)));
      return portal;
    });
    const [donor, user] = await Promise.all(people);
    if (donor === undefined || user === undefined) throw new DemoError('SITE_REFUSED', 'expected two accounts');
    return [donor, user];
  }

  async #donate(donor: PortalClient): Promise<void> {
    const narrator = this.#narrator;
    const unpacked = await narrator.step("The donor's archive is downloaded", () => this.#download(donor));
    const places = await findPlaces(this.#init.onePlace);
    await narrator.step(
      'It is installed three times',
      () => this.#install(unpacked, places),
      () => describePlaces(places),
    );
    await narrator.step('Three donations appear on the site', () => this.#awaitDonations(donor));
  }

  async #download(donor: PortalClient): Promise<string> {
    const archive = join(this.#init.directory, 'potluck-linux-x64.tgz');
    const { downloadUrl } = await donor.donations();
    await donor.download(downloadUrl, archive);
    await runProgram('tar', ['-xzf', archive, '-C', this.#init.directory], { signal: this.#signal });
    return join(this.#init.directory, 'potluck');
  }

  async #install(unpacked: string, places: Place[]): Promise<void> {
    const nodes = new Set(places.map(({ address }) => address.host));
    const allowed = [...nodes].flatMap((host) => ['--allow-destination', `${host} 63100-64999`]);
    for (const [index, { address, portBase }] of places.entries()) {
      const directory = join(this.#init.directory, `node-${index + 1}`);
      this.#installations.push(directory);
      const where = ['--directory', directory, '--address', address.host, '--port', `${address.port}`];
      const args = [...where, '--port-base', `${portBase}`, ...allowed];
      await runProgram(join(unpacked, 'install.sh'), args, { signal: this.#signal });
    }
  }

  async #awaitDonations(donor: PortalClient): Promise<void> {
    await this.#eventually('three active donations', async () => {
      const { active } = await donor.donations();
      return active === 3 ? true : undefined;
    });
  }

  async #deploy(url: string, peers: string[]): Promise<void> {
    const name = this.#user.username;
    const commands = `loadkeys ${name}; as ${name}; browse; on %all run ${this.#init.example} ${peers.join(' ')}`;
    await this.#seash(['--clearinghouse', url, '-c', commands], this.#userDirectory);
  }

  async #awaitMatrix(pageUrl: string): Promise<Matrix> {
    return await this.#eventually('a full matrix', async () => {
      const response = await fetch(`${pageUrl}matrix.json`, { signal: this.#signal }).catch(() => undefined);
      if (response?.ok !== true) return undefined;
      const matrix = matrixSchema.parse(await response.json());
      const isFull = matrix.rtt.every((row) => row.every((value) => value !== null));
      return isFull && matrix.rounds >= ROUNDS ? matrix : undefined;
    });
  }

  async #seash(args: string[], cwd: string): Promise<void> {
    await runProgram(process.execPath, [binOf('seash', 'seash'), '--no-history', ...args], {
      cwd,
      signal: this.#signal,
    });
  }

  async #run(bin: string, args: string[]): Promise<void> {
    await runProgram(process.execPath, [bin, ...args], { signal: this.#signal });
  }

  async #eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    return await eventually(what, ask, { limitMs: 60_000, signal: this.#signal });
  }
}

/** A demonstration that was killed could not end its clearinghouse and its node managers; the next one does. */
async function removeLeftovers(directory: string): Promise<void> {
  await endSite(siteState(directory));
  const names = await readdir(directory).catch(() => []);
  const nodes = names.filter((name) => name.startsWith('node-'));
  await Promise.all(nodes.map((name) => uninstall(join(directory, name))));
}

function siteState(directory: string): string {
  return join(directory, 'clearinghouse');
}

async function endSite(state: string): Promise<void> {
  const { pid } = leftoverSchema.catch({ pid: 0 }).parse(await readJson(join(state, 'address.json')));
  // Its number may belong to another process by now.
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (line.split('\0').includes(state)) process.kill(pid, 'SIGKILL');
}

/** Stops an installation's node manager and removes it; one that never came to be is no failure. */
async function uninstall(directory: string): Promise<void> {
  await runProgram(join(directory, 'potluck'), ['uninstall', '--yes']).catch(() => undefined);
}

function newPassword(): string {
  return `potluck-${randomBytes(4).toString('hex')}`;
}

function peerOf({ address, messports, connports }: AcquiredVessel): string {
  const port = messports.find((candidate) => candidate >= 63100 && connports.includes(candidate));
  return `${address.host}:${addressSchema.shape.port.parse(port)}`;
}

function describePlaces(places: Place[]): string {
  return places.map(({ address }) => `${address.host}:${address.port}`).join(', ');
}

function describeVessels(vessels: AcquiredVessel[]): string {
  return vessels.map(({ vessel, address }) => `${vessel} on ${address.host}`).join(', ');
}
