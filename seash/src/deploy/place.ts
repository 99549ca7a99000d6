import { directly } from '@potluck/protocol';
import { parseAddress } from '../address.ts';
import { throwIfCancelled } from '../cancel.ts';
import { CommandError, type ErrorFacts, factsOf } from '../errors.ts';
import { vesselsAt } from '../refresh.ts';
import type { Context } from '../session.ts';
import type { Target } from '../targets.ts';
import type { Candidate } from './observe.ts';
import type { Deployment } from './schema.ts';

/** Where a deployment has its vessels from. */
export interface Place {
  /** Whether more can be had. */
  readonly acquires: boolean;
  candidates(deployment: Deployment): Promise<readonly Candidate[]>;
  acquire(count: number): Promise<void>;
  /** @param keys `NODEID:v1` */
  renew(keys: readonly string[]): Promise<void>;
  release(keys: readonly string[]): Promise<void>;
  /** What could not be asked for its vessels. */
  readonly missing: readonly { affected: string; error: ErrorFacts }[];
}

/** Vessels that one has already: of the nodes and the targets that are declared, or else those that `on` names. */
export class OwnVessels implements Place {
  readonly acquires = false;
  readonly missing: { affected: string; error: ErrorFacts }[] = [];
  readonly #context: Context;
  /** Vessels by the node that was declared. */
  readonly #found = new Map<string, readonly Target[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** A node that could not be reached is tried again the next time. @throws CommandError NO_TARGET, UNKNOWN_TARGET, BAD_ADDRESS */
  async candidates({ nodes, targets }: Deployment): Promise<readonly Candidate[]> {
    this.missing.length = 0;
    await Promise.all(nodes.map((node) => this.#contactOnce(node)));
    const found = nodes.flatMap((node) => this.#found.get(node) ?? []);
    const chosen = targets === undefined ? undefined : this.#context.session.targets.resolve(targets);
    return (chosen ?? (nodes.length > 0 ? found : this.#context.vessels())).map((target) => ({ target }));
  }

  async acquire(): Promise<void> {}
  async renew(): Promise<void> {}
  async release(): Promise<void> {}

  async #contactOnce(node: string): Promise<void> {
    if (this.#found.has(node)) return;
    try {
      this.#found.set(node, await this.#contact(node));
    } catch (error) {
      throwIfCancelled(this.#context.signal);
      if (error instanceof CommandError && error.code === 'BAD_ADDRESS') throw error;
      this.missing.push({ affected: node, error: factsOf(error) });
    }
  }

  async #contact(text: string): Promise<Target[]> {
    const { address, vessel } = parseAddress(text);
    const { session, identity, signal } = this.#context;
    const reach = directly(address);
    const node = await session.connections.meet({ identity, reach, signal });
    const vessels = await vesselsAt(this.#context, { node, reach });
    const mine = vessels.filter((info) => vessel === undefined || info.name === vessel);
    if (mine.length > 0) return mine.map((info) => session.targets.put({ node, reach, info }));
    throw new CommandError('NO_VESSELS', `expected a vessel of ${this.#context.identityName} at ${text}, got none`);
  }
}
