// What is kept under names: at the owner of each name's number, and at those after it, who have it when the owner dies.
import { hash, type Peer, same } from './ids.ts';
import type { Ring } from './ring.ts';
import type { Wire } from './wire.ts';

const COPIES = 4;

interface Kept {
  readonly value: string;
  /** Rises with each `put`: an older copy never replaces a newer one. */
  readonly version: number;
}

export class Store {
  readonly #ring: Ring;
  readonly #wire: Wire;
  readonly #kept = new Map<string, Kept>();

  constructor(ring: Ring, wire: Wire) {
    this.#ring = ring;
    this.#wire = wire;
    ring.onPredecessor = (peer) => this.#handOver(peer);
  }

  /** @returns where it is kept, when the owner and those after it have it; null when nobody answers. */
  async put(key: string, value: string): Promise<Peer | null> {
    const owner = await this.#ring.owner(await hash(key));
    if (owner === null) return null;
    const here = same(owner, this.#ring.self);
    const done = here ? await this.own(key, value) : await this.#wire.ask(owner, { ask: 'own', key, value });
    return done === null ? null : owner;
  }

  /** @returns the value; null when nobody has it. */
  async get(key: string): Promise<string | null> {
    for (const peer of await this.#ring.lookup(await hash(key))) {
      const here = same(peer, this.#ring.self);
      const value = here ? this.fetch(key) : await this.#wire.ask<string>(peer, { ask: 'fetch', key });
      if (value !== null) return value;
    }
    return null;
  }

  fetch(key: string): string | null {
    return this.#kept.get(key)?.value ?? null;
  }

  /** Keeps it as the owner. */
  async own(key: string, value: string): Promise<boolean> {
    this.keep(key, { value, version: (this.#kept.get(key)?.version ?? 0) + 1 });
    await this.#copy(key);
    return true;
  }

  keep(key: string, kept: Kept): boolean {
    if ((this.#kept.get(key)?.version ?? 0) < kept.version) this.#kept.set(key, kept);
    return true;
  }

  /** Copies what is ours to those who follow now: some may be new. */
  async refresh(): Promise<void> {
    for (const key of this.#kept.keys()) if (this.#ring.owns(await hash(key))) await this.#copy(key);
  }

  async #copy(key: string): Promise<void> {
    const followers = this.#ring.successors.slice(0, COPIES - 1).filter((peer) => !same(peer, this.#ring.self));
    await Promise.all(followers.map((peer) => this.#give(peer, key)));
  }

  #give(peer: Peer, key: string): Promise<unknown> {
    return this.#wire.ask(peer, { ask: 'keep', key, kept: this.#kept.get(key) });
  }

  async #handOver(peer: Peer): Promise<void> {
    for (const key of this.#kept.keys()) if (!this.#ring.owns(await hash(key))) await this.#give(peer, key);
  }
}
