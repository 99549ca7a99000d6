import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeAddressSchema, statePaths } from '@potluck/nodemanager';
import {
  type Address,
  generateIdentity,
  type Identity,
  type KeyId,
  NodeClient,
  type VesselName,
} from '@potluck/protocol';
import { OUTER_WALLS, type OuterWall } from '@potluck/vessel-runtime';
import { type NameServer, nameServer, type Zone } from '../../vessel-runtime/test/name-server.ts';
import type { Attack } from './catalogue.ts';
import { EchoClient } from './echo.ts';
import { AttackError } from './errors.ts';
import { changes, look, marked, type Places } from './places.ts';

const MANAGER = fileURLToPath(new URL('./manager.ts', import.meta.url));

/** What an attacker's vessel may use, unless its attack says otherwise. PEER stands for another machine. */
const USUAL = [
  'resource cpu 1',
  'resource memory 67108864',
  'resource diskused 1000000',
  'resource events 200',
  'resource filesopened 10',
  'resource insockets 20',
  'resource outsockets 20',
  'resource filewrite 10000000',
  'resource fileread 10000000',
  'resource netsend 10000000',
  'resource netrecv 10000000',
  'resource loopsend 10000000',
  'resource looprecv 10000000',
  'resource lograte 1000000',
  'resource random 1000000',
  'destination allow PEER/32',
];
const FIRST_PORT = 20_000;
const ECHO_PROGRAM = 'recvmess(callargs[0], Number(callargs[1]), (ip, port, mess) => sendmess(ip, port, mess));';
/** What stands in the place of a vessel process takes this number for the neighbour's. */
const NEIGHBOUR = '0';
/** Far above what one takes for its work, far below what one would that keeps what it is sent. */
const MOST_MANAGER_BYTES = 700 * 2 ** 20;

/** The vessel of an attack, and its two ports, which are for messages and connections both. */
export interface Place {
  readonly vessel: VesselName;
  readonly ports: readonly [number, number];
}

export interface WorldInit {
  readonly attacks: readonly Attack[];
  readonly without: readonly OuterWall[];
  /** The directory with the vessel process, or with what stands in its place. */
  readonly runtime: string;
}

/** A real node manager with a neighbour's vessel and those of the attackers, and all that must stay as it is. */
export class World implements AsyncDisposable {
  readonly neighbour = generateIdentity();
  readonly user = generateIdentity();
  readonly mark = `potluck-${randomBytes(8).toString('hex')}`;
  readonly directory: string;
  /** The node's address, and one that stands for another machine. */
  readonly ip: string;
  readonly peer: string;
  readonly #init: WorldInit;
  readonly #stack = new AsyncDisposableStack();
  #child: ChildProcess | undefined;
  #echo: EchoClient | undefined;
  #names: NameServer | undefined;
  #address: Address = { host: '', port: 0 };
  #node: KeyId | undefined;
  #before: Places = new Map();
  #missing: readonly OuterWall[] = [];

  private constructor(init: WorldInit, directory: string) {
    this.#init = init;
    this.directory = directory;
    const network = `127.95.${randomInt(256)}`;
    this.ip = `${network}.1`;
    this.peer = `${network}.2`;
  }

  /** @throws AttackError WORLD_BROKEN */
  static async start(init: WorldInit): Promise<World> {
    const world = new World(init, await mkdtemp(join(tmpdir(), 'potluck-attacks-')));
    try {
      await world.#start();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get managerPid(): number {
    return Number(this.#child?.pid);
  }

  /** Walls that no vessel has here, left out or not to be had on this machine. */
  get missing(): readonly OuterWall[] {
    return this.#missing;
  }

  get without(): readonly OuterWall[] {
    return this.#init.without;
  }

  get address(): Address {
    return this.#address;
  }

  place(attack: Attack): Place {
    const at = this.#slots().indexOf(slotOf(attack)) + 1;
    const port = FIRST_PORT + 10 * at;
    return { vessel: `v${at + 1}` as VesselName, ports: [port, port + 1] };
  }

  get neighbourPlace(): Place {
    return { vessel: 'v1' as VesselName, ports: [FIRST_PORT, FIRST_PORT + 1] };
  }

  async client(identity: Identity): Promise<NodeClient> {
    return await NodeClient.connect({ address: this.#address, node: this.#node as KeyId, identity });
  }

  /** @returns a sentence for each thing that is not as it was before: nothing, when all is well. */
  async damage(): Promise<string[]> {
    const found: string[] = [];
    const { exitCode, signalCode } = this.#child ?? { exitCode: null, signalCode: null };
    if (exitCode !== null || signalCode !== null) return [`the node manager ended: ${exitCode ?? signalCode}`];
    try {
      await using client = await this.client(this.neighbour);
      const { result } = await client.call('GetVessels', {});
      const state = result.vessels[0]?.state;
      if (state !== 'Started') found.push(`the neighbour is ${state}`);
    } catch (error) {
      found.push(`the node manager does not answer: ${error}`);
    }
    const lost = await this.#echo?.lost();
    if (lost !== 0) found.push(`the neighbour's echo lost ${lost}`);
    found.push(...changes(this.#before, this.#look()), ...marked(this.mark));
    const bytes = await this.managerBytes();
    if (bytes > MOST_MANAGER_BYTES) found.push(`the node manager takes ${bytes} bytes`);
    return found;
  }

  /** Resident memory; 0 where the system does not tell. */
  async managerBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.managerPid}/status`, 'latin1').catch(() => '');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #start(): Promise<void> {
    this.#stack.defer(async () => await rm(this.directory, { recursive: true, force: true }));
    this.#echo = this.#stack.use(await EchoClient.bind(this.ip));
    this.#names = this.#stack.use(await nameServer(this.ip, this.#zone()));
    const [state, outside, temporary] = ['state', 'outside', 'tmp'].map((name) => join(this.directory, name));
    for (const path of [state, outside, temporary]) await mkdir(path as string);
    await writeFile(join(outside as string, 'secret'), this.mark);
    await writeFile(statePaths(state as string).config, JSON.stringify(this.#config()), { mode: 0o600 });
    await this.#boot(state as string, temporary as string);
    await using client = await this.client(this.user);
    const { walls } = (await client.call('GetVessels', {})).result;
    this.#missing = OUTER_WALLS.filter((wall) => !walls.up.includes(wall));
    await this.#settleNeighbour();
    this.#before = this.#look();
  }

  #config(): object {
    const ours = [`destination allow ${this.ip}/32 ${this.#echo?.port}`, ...ports(FIRST_PORT)];
    const neighbour = { owner: this.neighbour.id, users: [], restrictions: this.#text(ours) };
    const slots = this.#slots().map((lines, at) => ({
      owner: this.neighbour.id,
      users: [this.user.id],
      restrictions: this.#text([...lines.split('\n').filter(Boolean), ...ports(FIRST_PORT + 10 * (at + 1))]),
    }));
    return { listen: { host: this.ip, port: 0 }, nameServers: [this.#names?.place], vessels: [neighbour, ...slots] };
  }

  /** Names that a program's owner has made, to lead somewhere else than it seems. */
  #zone(): Zone {
    const { ip, peer } = this;
    return {
      'rebind.example.org': [[peer], ['127.0.0.1'], [ip], ['::1']],
      'inward.example.org': [['127.0.0.1', '::1', ip, '169.254.169.254', '192.168.1.1', '10.0.0.1']],
      'mapped.example.org': [['::ffff:127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::']],
      'mixed.example.org': [[peer, '127.0.0.1', ip]],
      'chain.example.org': [['=link.example.org']],
      'link.example.org': [['=inward.example.org']],
      'loop.example.org': [['=loop.example.org']],
    };
  }

  #slots(): string[] {
    return [...new Set(this.#init.attacks.map(slotOf))];
  }

  /** The usual lines, but for those that the given ones replace. */
  #text(lines: readonly string[]): string {
    const own = new Set(lines.map((line) => line.split(' ')[1]));
    const usual = USUAL.filter((line) => !line.startsWith('resource') || !own.has(line.split(' ')[1]));
    return [...lines, ...usual].join('\n').replaceAll('PEER', this.peer).replaceAll('NODE', this.ip);
  }

  async #boot(state: string, temporary: string): Promise<void> {
    const { runtime, without } = this.#init;
    const child = spawn(process.execPath, [MANAGER, state, runtime, JSON.stringify(without)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: temporary },
    });
    this.#child = child;
    const exited = once(child, 'exit');
    this.#stack.defer(async () => {
      child.stdin.end();
      await exited;
    });
    const said = await Promise.race([once(child.stdout, 'data'), exited.then(() => undefined)]);
    if (said === undefined) throw new AttackError('WORLD_BROKEN', 'expected a node manager that listens, it ended');
    const address = nodeAddressSchema.parse(JSON.parse(await readFile(statePaths(state).address, 'utf8')));
    this.#address = { host: address.host, port: address.port };
    this.#node = address.node;
  }

  async #settleNeighbour(): Promise<void> {
    await using client = await this.client(this.neighbour);
    const { vessel, ports } = this.neighbourPlace;
    const files = { 'echo.js': ECHO_PROGRAM, 'secret.txt': this.mark };
    for (const [name, text] of Object.entries(files)) {
      await client.call('AddFileToVessel', { vessel, name: name as never }, { attachment: Buffer.from(text) });
    }
    await client.call('StartVessel', {
      vessel,
      program: 'echo.js' as never,
      args: [this.ip, `${ports[0]}`, NEIGHBOUR],
    });
    const heard = await this.#echo?.start(this.ip, ports[0]);
    if (heard === true) return;
    const { state, ending } = (await client.call('GetVessels', {})).result.vessels[0] ?? {};
    const got = `${state}: ${ending?.message}`;
    throw new AttackError('WORLD_BROKEN', `expected an echo of the neighbour, got none; it is ${got}`);
  }

  /** All but what the node manager writes by itself: its database, its log, and the vessels of the attackers. */
  #look(): Places {
    const { vessels } = statePaths(join(this.directory, 'state'));
    const theirs = (path: string) => path.startsWith(`${vessels}/`) && !path.startsWith(`${vessels}/v1`);
    const own = (path: string) => /nodemanager\.(sqlite|log|lock)/.test(path) || path === vessels;
    return look([this.directory, this.#init.runtime], (path) => !own(path) && !theirs(path));
  }
}

function slotOf(attack: Attack): string {
  return attack.restrictions.join('\n');
}

function ports(first: number): string[] {
  return [first, first + 1].flatMap((port) => [`resource messport ${port}`, `resource connport ${port}`]);
}
