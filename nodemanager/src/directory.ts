import {
  type Advertisement,
  describeError,
  type KeyId,
  LIMITS,
  PeerError,
  RequestError,
  verifyAdvertisement,
} from '@potluck/protocol';
import type { NodeLimits } from './limits.ts';

interface Held {
  readonly node: KeyId;
  readonly jws: string;
  readonly advertisement: Advertisement;
  /** Where it came from, as `homeOf` tells callers apart. */
  readonly home: string;
  /** The node itself has brought it, or one before it. */
  readonly isOwn: boolean;
}

interface Home {
  bytes: number;
  readonly nodes: Set<KeyId>;
}

export type DirectoryLimits = Pick<NodeLimits, 'directoryBytes' | 'directoryAnswers' | 'directoryAnswerBytes'>;

/**
 * What other nodes say of themselves, until it expires; of each node the newest. It is held in memory only, since nodes
 * say it again. Where there is no more room the address that has put most here loses what would expire first: so nobody
 * pushes others out with nodes that he makes up.
 */
export class Directory {
  readonly #limits: DirectoryLimits;
  readonly #held = new Map<KeyId, Held>();
  readonly #byKey = new Map<KeyId, Set<KeyId>>();
  readonly #homes = new Map<string, Home>();
  #bytes = 0;

  constructor(limits: DirectoryLimits) {
    this.#limits = limits;
  }

  /**
   * @param from who brings it; it takes the room of the node's own address where the node itself has brought one, so that
   * nobody draws it into a room that he then fills.
   * @returns when it expires, in seconds since the epoch.
   * @throws RequestError BAD_PARAMETERS not valid, or older than what is held; BUSY no room
   */
  async hold(jws: string, from: { readonly signer: KeyId; readonly home: string }): Promise<number> {
    const { node, advertisement } = await verified(jws);
    const known = this.#held.get(node);
    if (known !== undefined && known.advertisement.iat > advertisement.iat) {
      throw new RequestError('BAD_PARAMETERS', `expected the newest advertisement of node ${node}, got an older one`);
    }
    if (known?.jws === jws) return advertisement.exp; // Whoever repeats it does not take it into his room.
    if (known !== undefined) this.#drop(known);
    const isOwn = from.signer === node || known?.isOwn === true;
    const home = known?.isOwn === true && from.signer !== node ? known.home : from.home;
    this.#put({ node, jws, advertisement, home, isOwn });
    this.#makeRoom();
    if (this.#held.has(node)) return advertisement.exp;
    throw new RequestError('BUSY', 'expected room in the directory, got none left for this address: try again later');
  }

  /** @returns those of the nodes that the key names, or that host vessels for it, the newest first. */
  lookUp(key: KeyId): string[] {
    const nodes = [...(this.#byKey.get(key) ?? [])];
    const held = nodes.map((node) => this.#held.get(node)).filter((one) => one !== undefined);
    const found = held.filter((one) => !this.#isExpired(one)).sort((a, b) => b.advertisement.iat - a.advertisement.iat);
    let bytes = 0;
    return found
      .slice(0, this.#limits.directoryAnswers)
      .map(({ jws }) => jws)
      .filter((jws) => {
        bytes += jws.length + 1;
        return bytes <= this.#limits.directoryAnswerBytes;
      });
  }

  #put(held: Held): void {
    const { node, jws, home } = held;
    this.#held.set(node, held);
    for (const key of keysOf(held)) this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(node));
    const there = this.#homes.get(home) ?? { bytes: 0, nodes: new Set() };
    this.#homes.set(home, there);
    there.nodes.add(node);
    there.bytes += jws.length;
    this.#bytes += jws.length;
  }

  #drop(held: Held): void {
    const { node, jws, home } = held;
    this.#held.delete(node);
    for (const key of keysOf(held)) {
      const nodes = this.#byKey.get(key);
      nodes?.delete(node);
      if (nodes?.size === 0) this.#byKey.delete(key);
    }
    this.#bytes -= jws.length;
    const there = this.#homes.get(home);
    if (there === undefined) return;
    there.nodes.delete(node);
    there.bytes -= jws.length;
    if (there.nodes.size === 0) this.#homes.delete(home);
  }

  #makeRoom(): void {
    if (this.#bytes <= this.#limits.directoryBytes) return;
    for (const held of [...this.#held.values()].filter((one) => this.#isExpired(one))) this.#drop(held);
    while (this.#bytes > this.#limits.directoryBytes) {
      const most = [...this.#homes.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const theirs = [...most.nodes].map((node) => this.#held.get(node)).filter((one) => one !== undefined);
      this.#drop(theirs.reduce((a, b) => (b.advertisement.exp < a.advertisement.exp ? b : a)));
    }
  }

  #isExpired({ advertisement }: Held): boolean {
    return advertisement.exp + LIMITS.clockSkewSeconds < Date.now() / 1000;
  }
}

/** Everything that it is found under. */
function keysOf({ node, advertisement }: Held): Set<KeyId> {
  return new Set([node, ...advertisement.keys]);
}

async function verified(jws: string): Promise<{ node: KeyId; advertisement: Advertisement }> {
  try {
    return await verifyAdvertisement(jws);
  } catch (cause) {
    if (!(cause instanceof PeerError)) throw cause;
    throw new RequestError('BAD_PARAMETERS', describeError(cause), { cause });
  }
}
