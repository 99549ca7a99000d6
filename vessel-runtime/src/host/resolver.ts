import { Resolver } from 'node:dns/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { COMMON_LOOPBACK, canonicalAddress, type DestinationPolicy } from '@potluck/protocol';
import { z } from 'zod';
import { CallFailure } from '../failure.ts';
import { hostName } from '../names.ts';
import { type Service, service } from './calls.ts';

/** Limits of the look-up of names. */
export const NAME_LIMITS = {
  /** Look-ups at once for all vessels; the others wait, and those go first whose vessel has the fewest. */
  atOnce: 64,
  /** Look-ups at once for one vessel. */
  atOncePerVessel: 8,
  /** From the beginning of one look-up of a vessel to that of its next. */
  spacingMs: 50,
  /** One look-up. */
  timeoutMs: 5000,
  /** Addresses in one answer; more of one kind, IPv4 or IPv6, are not looked at. */
  addresses: 16,
  /** Names that lead from one to the next. */
  aliases: 8,
} as const;

/** Before the same question is sent again. */
const TRY_MS = 1500;
/** Names that mean something in the donor's own network or nothing at all (RFC 6761, 6762, 7686, 8375, 9476). */
const PRIVATE = ['alt', 'home.arpa', 'internal', 'invalid', 'local', 'onion'];

export interface Names {
  /** Where the aliases lead. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** Canonical, each once, IPv4 first. */
  readonly addresses: readonly string[];
}

export interface NameResolverInit {
  /** Name servers, each `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; those of the system unless said. */
  readonly servers?: readonly string[] | undefined;
  /** Of one look-up. */
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly vessel: AbortSignal;
  readonly turn: () => void;
}

/**
 * Looks names up for all vessels of a node: by questions to name servers and in no other way, so nothing that only this
 * machine knows (`/etc/hosts`, mDNS) is ever told. Nothing is kept from one look-up to the next: no program learns what
 * another one asked.
 */
export class NameResolver {
  readonly #servers: readonly string[] | undefined;
  readonly #timeoutMs: number;
  readonly #waiting = new Set<Waiting>();
  /** Of each vessel that has any. */
  readonly #underWay = new Map<AbortSignal, number>();
  #sum = 0;

  constructor({ servers, timeoutMs = NAME_LIMITS.timeoutMs }: NameResolverInit = {}) {
    this.#servers = servers;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param name of `hostName`
   * @param vessel for whom: it takes turns with others, and what it waits for is given up when it ends.
   * @throws CallFailure NetworkAddressError: it leads nowhere, or nobody answers in time, or the vessel ended
   */
  async resolve(name: string, vessel: AbortSignal): Promise<Names> {
    if (name === 'localhost' || name.endsWith('.localhost')) return { name, aliases: [], addresses: COMMON_LOOPBACK };
    if (isPrivate(name)) throw unknown(name);
    await this.#enter(vessel);
    try {
      if (vessel.aborted) throw unknown(name);
      return await this.#ask(name, vessel);
    } finally {
      this.#leave(vessel);
    }
  }

  /** Takes a free place, or waits for one that somebody leaves; the end of the vessel ends the waiting, too. */
  async #enter(vessel: AbortSignal): Promise<void> {
    if (this.#sum < NAME_LIMITS.atOnce) return this.#count(vessel, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = { vessel, turn: resolve };
    const giveUp = () => this.#admit(waiting);
    this.#waiting.add(waiting);
    vessel.addEventListener('abort', giveUp);
    await promise;
    vessel.removeEventListener('abort', giveUp);
  }

  /** The next is of a vessel that has the fewest under way; of these the one that came first. */
  #leave(vessel: AbortSignal): void {
    this.#count(vessel, -1);
    const under = (waiting: Waiting) => this.#underWay.get(waiting.vessel) ?? 0;
    const fewest = [...this.#waiting].reduce<Waiting | undefined>(
      (best, each) => (best === undefined || under(each) < under(best) ? each : best),
      undefined,
    );
    if (fewest !== undefined && this.#sum < NAME_LIMITS.atOnce) this.#admit(fewest);
  }

  #admit(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    this.#count(waiting.vessel, 1);
    waiting.turn();
  }

  #count(vessel: AbortSignal, more: number): void {
    const count = (this.#underWay.get(vessel) ?? 0) + more;
    if (count === 0) this.#underWay.delete(vessel);
    else this.#underWay.set(vessel, count);
    this.#sum += more;
  }

  async #ask(name: string, vessel: AbortSignal): Promise<Names> {
    const resolver = new Resolver({ timeout: TRY_MS, tries: 2 });
    if (this.#servers !== undefined) resolver.setServers(this.#servers);
    const cancel = () => resolver.cancel();
    const timer = setTimeout(cancel, this.#timeoutMs);
    vessel.addEventListener('abort', cancel);
    try {
      const [four, six] = await Promise.all([answers(resolver.resolve4(name)), answers(resolver.resolve6(name))]);
      // An answer may hold thousands, and each costs a look at all rules.
      const few = [four, six].flatMap((list) => list.slice(0, NAME_LIMITS.addresses));
      const found = few.flatMap((text) => canonicalAddress(text) ?? []);
      if (found.length === 0) throw unknown(name);
      return { ...(await aliasesOf(resolver, name)), addresses: [...new Set(found)] };
    } catch (error) {
      if (error instanceof CallFailure) throw error;
      const message = `expected an answer of the name servers about "${name}", got none`;
      throw new CallFailure('NetworkAddressError', message);
    } finally {
      clearTimeout(timer);
      vessel.removeEventListener('abort', cancel);
    }
  }
}

const isPrivate = (name: string) =>
  !name.includes('.') || PRIVATE.some((domain) => name === domain || name.endsWith(`.${domain}`));

/** The same for a name that does not exist and for one of which the vessel may not know. */
const unknown = (name: string) =>
  new CallFailure(
    'NetworkAddressError',
    `expected the name of a destination that this vessel may reach, got "${name}"`,
  );

/** @returns [] where the name is known to have none. */
async function answers(question: Promise<string[]>): Promise<string[]> {
  try {
    return await question;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENODATA' || code === 'ENOTFOUND') return [];
    throw error;
  }
}

async function aliasesOf(resolver: Resolver, first: string): Promise<{ name: string; aliases: string[] }> {
  const aliases: string[] = [];
  let name = first;
  while (aliases.length < NAME_LIMITS.aliases) {
    const [next] = await answers(resolver.resolveCname(name));
    const target = next === undefined ? undefined : hostName(next);
    if (target === undefined || aliases.includes(target)) break;
    aliases.push(name);
    name = target;
  }
  return { name, aliases };
}

/**
 * What one vessel may ask. Of addresses that it may not reach it is told nothing, so the names of the donor's own network
 * stay there.
 * @param ports all of the vessel's own ports
 * @param ended of its process: nothing is looked up for it any more, so the next program of a vessel begins at nought.
 */
export function nameService(
  resolver: NameResolver | undefined,
  policy: DestinationPolicy,
  ports: ReadonlySet<number>,
  ended: AbortSignal,
): Service {
  let underWay = 0;
  let nextMs = 0;
  return service(z.tuple([z.string()]), async ([text]) => {
    const name = hostName(text);
    if (name === undefined || resolver === undefined) throw unknown(name ?? '?');
    if (underWay >= NAME_LIMITS.atOncePerVessel) {
      const message = `expected at most ${NAME_LIMITS.atOncePerVessel} look-ups of names at once, got one more`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    underWay += 1;
    try {
      const now = performance.now();
      nextMs = Math.max(now, nextMs + NAME_LIMITS.spacingMs);
      if (nextMs > now) await wait(nextMs - now, undefined, { signal: ended });
      const found = await resolver.resolve(name, ended);
      const addresses = found.addresses.filter((address) => policy.opens(address, ports));
      if (addresses.length === 0) throw unknown(name);
      return { value: JSON.stringify({ ...found, addresses: addresses.slice(0, NAME_LIMITS.addresses) }) };
    } finally {
      underWay -= 1;
    }
  });
}
