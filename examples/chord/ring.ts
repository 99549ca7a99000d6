// The ring, as in the paper (Stoica and others, 2001): each vessel knows the next ones clockwise and, by its fingers, peers
// half a circle away, a quarter, an eighth ... so each question of a look-up halves the way that is left.
import { distance, type Peer, same, show, within } from './ids.ts';
import type { Wire } from './wire.ts';

const BITS = 32;
/** So many less one may die at once. */
const SUCCESSORS = 5;
const MOST_QUESTIONS = 64;

/** What a vessel says about a number: its owner and who comes after it, or who is nearer to it. */
interface Step {
  readonly found: boolean;
  readonly peers: Peer[];
}
interface Neighbours {
  readonly predecessor: Peer | null;
  readonly successors: Peer[];
}

export class Ring {
  readonly self: Peer;
  readonly #wire: Wire;
  readonly #fingers = new Map<number, Peer>();
  #finger = 0;
  predecessor: Peer | null = null;
  /** Nearest first; never empty, for a vessel that is alone follows itself. */
  successors: Peer[];
  /** Called when another has come before us: what lies up to it is no longer ours. */
  onPredecessor: (peer: Peer) => void = () => {};

  constructor(wire: Wire) {
    this.#wire = wire;
    this.self = wire.self;
    this.successors = [wire.self];
  }

  get successor(): Peer {
    return this.successors[0] ?? this.self;
  }

  owns(id: number): boolean {
    return this.predecessor === null || within(id, this.predecessor.id, this.self.id);
  }

  neighbours(): Neighbours {
    return { predecessor: this.predecessor, successors: this.successors };
  }

  /** One step of somebody's look-up. */
  step(id: number): Step {
    if (within(id, this.self.id, this.successor.id)) return { found: true, peers: this.successors };
    const known = [...this.#fingers.values(), ...this.successors];
    const before = known.filter((peer) => peer.id !== id && within(peer.id, this.self.id, id));
    return { found: false, peers: nearest(before, id).slice(0, SUCCESSORS) };
  }

  /**
   * Asks peer after peer, each nearer than the one before, and goes around those that do not answer.
   * @returns the owner of a number and those after it, some of which may be dead; none when nobody knows.
   */
  async lookup(id: number, start = this.self): Promise<Peer[]> {
    const asked = new Set<number>();
    for (let ways = [start]; asked.size < MOST_QUESTIONS; ) {
      const at = ways.find((peer) => !asked.has(peer.id));
      if (at === undefined) break;
      asked.add(at.id);
      const step = same(at, this.self) ? this.step(id) : await this.#wire.ask<Step>(at, { ask: 'step', id });
      if (step?.found) return step.peers;
      ways = nearest([...(step?.peers ?? []), ...ways], id);
    }
    return [];
  }

  /** @returns the owner of a number: the first after it that lives, null when nobody knows. */
  async owner(id: number): Promise<Peer | null> {
    for (const peer of await this.lookup(id)) if (await this.alive(peer)) return peer;
    return null;
  }

  async alive(peer: Peer): Promise<boolean> {
    return same(peer, this.self) || (await this.#wire.ask(peer, { ask: 'alive' })) === true;
  }

  /** Asks a known peer who should come after us: so a vessel joins, and so two rings that never met become one. */
  async meet(peer: Peer): Promise<void> {
    const [found] = await this.lookup((this.self.id + 1) >>> 0, peer);
    if (found === undefined || same(found, this.successor) || !within(found.id, this.self.id, this.successor.id))
      return;
    if (!same(found, this.self) && (await this.alive(found))) this.#follow([found, ...this.successors]);
  }

  /** Asks the successor who is before it: whoever came in between is the new one. Then it hears of us. */
  async stabilise(): Promise<void> {
    const { successor } = this;
    if (same(successor, this.self)) return;
    const told = await this.#wire.ask<Neighbours>(successor, { ask: 'neighbours' });
    if (told === null) {
      log(`lost ${show(successor)}\n`);
      for (const [index, peer] of this.#fingers) if (same(peer, successor)) this.#fingers.delete(index);
      return this.#follow(this.successors.filter((peer) => !same(peer, successor)));
    }
    const { predecessor: between, successors } = told;
    const closer = between !== null && !same(between, this.self) && within(between.id, this.self.id, successor.id);
    const chain = closer && (await this.alive(between)) ? [between, successor] : [successor];
    this.#follow([...chain, ...successors]);
    await this.#wire.ask(this.successor, { ask: 'notify', peer: this.self });
  }

  /** A peer says that it is before us. */
  notify(peer: Peer): boolean {
    if (same(peer, this.predecessor) || same(peer, this.self)) return true;
    if (this.predecessor !== null && !within(peer.id, this.predecessor.id, this.self.id)) return false;
    this.predecessor = peer;
    log(`predecessor ${show(peer)}\n`);
    this.onPredecessor(peer);
    if (same(this.successor, this.self)) this.#follow([peer]);
    return true;
  }

  /** Forgets a predecessor that is dead, so that another can take its place. */
  async checkPredecessor(): Promise<void> {
    const { predecessor } = this;
    if (predecessor === null || (await this.alive(predecessor))) return;
    if (same(predecessor, this.predecessor)) this.predecessor = null;
  }

  /** Looks one finger up: the next one that leads beyond the successor. */
  async fixFinger(): Promise<void> {
    const first = BITS - Math.clz32(distance(this.self.id, this.successor.id));
    this.#finger = this.#finger >= BITS - 1 ? first : Math.max(first, this.#finger + 1);
    if (this.#finger >= BITS) return;
    const [found] = await this.lookup((this.self.id + 2 ** this.#finger) >>> 0);
    if (found !== undefined) this.#fingers.set(this.#finger, found);
  }

  #follow(chain: readonly Peer[]): void {
    const before = this.successor;
    const others = chain.filter(
      (peer, at) => !same(peer, this.self) && chain.findIndex((one) => same(one, peer)) === at,
    );
    this.successors = others.length === 0 ? [this.self] : others.slice(0, SUCCESSORS);
    if (!same(before, this.successor)) log(`successor ${show(this.successor)}\n`);
  }
}

/** Those that come last before a number first. */
function nearest(peers: readonly Peer[], id: number): Peer[] {
  return [...peers].sort((one, other) => distance(one.id, id) - distance(other.id, id));
}
