import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { statePaths } from '@potluck/nodemanager';
import { type Ending, type FileName, type NodeClient, RequestError, type VesselInfo } from '@potluck/protocol';
import type { Attack } from './catalogue.ts';
import { AttackError } from './errors.ts';
import type { Place, World } from './world.ts';

const LOOK_MS = 10;
/** Until an attack must be over; generous, because the machine may be slow. */
const PATIENCE_MS = 60_000;
const PROGRAM = 'attack.js' as FileName;

/** One attack on the stage: its vessel, and what its user may ask for by signed requests. */
export class Scene {
  readonly world: World;
  readonly attack: Attack;
  readonly place: Place;
  readonly client: NodeClient;
  /** More about the last outcome, for people. */
  detail = '';

  constructor(world: World, attack: Attack, client: NodeClient) {
    this.world = world;
    this.attack = attack;
    this.client = client;
    this.place = world.place(attack);
  }

  /** Where the vessel's files are. */
  get files(): string {
    return statePaths(join(this.world.directory, 'state')).vessel(this.place.vessel).files;
  }

  async upload(source: string | Uint8Array, name = PROGRAM): Promise<void> {
    const { vessel } = this.place;
    await this.client.call('AddFileToVessel', { vessel, name }, { attachment: Buffer.from(source) });
  }

  /**
   * Starts what was uploaded. A program that ends before its first statement is no failure: its ending says it.
   * @param more what the program finds in its first argument beside the names and addresses of this world.
   */
  async start(variant = '', more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { place, attack } = this;
    const args = [JSON.stringify({ ...this.#facts(), ...more }), variant, `${attack.number}`];
    try {
      await this.client.call('StartVessel', { vessel: place.vessel, program: PROGRAM, args });
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'START_FAILED') throw error;
    }
  }

  /** Uploads and starts. */
  async perform(source: string, variant = '', more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.upload(source);
    await this.start(variant, more);
  }

  #facts(): object {
    const { ip, peer, mark, address, managerPid, neighbourPlace, directory } = this.world;
    const neighbour = neighbourPlace.ports[0];
    return { ip, peer, mark, manager: address.port, managerPid, neighbour, directory, ports: this.place.ports };
  }

  async info(): Promise<VesselInfo> {
    const { result } = await this.client.call('GetVessels', {});
    const info = result.vessels.find(({ name }) => name === this.place.vessel);
    if (info === undefined) throw new AttackError('WORLD_BROKEN', `expected a vessel ${this.place.vessel}, got none`);
    return info;
  }

  async log(): Promise<string> {
    const { attachment } = await this.client.call('ReadVesselLog', { vessel: this.place.vessel });
    return Buffer.from(attachment).toString();
  }

  /** Waits until the log contains a text, or the program has ended. @throws AttackError TOO_LATE */
  async logged(part: string): Promise<boolean> {
    return await this.until(`"${part}" in the log`, async () => {
      if ((await this.log()).includes(part)) return true;
      return (await this.info()).state === 'Started' ? undefined : false;
    });
  }

  /** @throws AttackError TOO_LATE */
  async ended(): Promise<Ending | undefined> {
    await this.until('an end of the program', async () => (await this.info()).state !== 'Started' || undefined);
    return (await this.info()).ending;
  }

  /** One that has ended by itself tells that as its outcome. */
  async stop(): Promise<void> {
    try {
      await this.client.call('StopVessel', { vessel: this.place.vessel });
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'BAD_STATE') throw error;
    }
  }

  /** As if the vessel were new. */
  async reset(): Promise<void> {
    await this.client.call('ResetVessel', { vessel: this.place.vessel });
  }

  /** Polls until something comes of it. @throws AttackError TOO_LATE */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== undefined) return found;
      await wait(LOOK_MS + randomInt(LOOK_MS));
    }
    throw new AttackError('TOO_LATE', `expected ${what} within ${PATIENCE_MS / 1000} s, got none`);
  }

  /** What became of the program, in the words that attacks expect: its own verdict, or how it was ended. */
  async outcome(): Promise<string> {
    const ending = await this.ended();
    const verdict = [...(await this.log()).matchAll(/^verdict: (.*)$/gm)].at(-1)?.[1];
    this.detail = `${ending?.message}\n${(await this.log()).slice(-1000)}`;
    if (ending === undefined) return 'no ending';
    if (ending.kind === 'limit') return `killed: ${ending.limit?.resource}`;
    if (ending.kind === 'crashed') return 'killed: crashed';
    if (ending.kind === 'exitall' || ending.kind === 'finished') return verdict ?? 'no verdict';
    return ending.kind;
  }
}

/** What a driven attack exports: it returns its outcome. */
export type Drive = (scene: Scene) => Promise<string>;
