import { isIPv6 } from 'node:net';
import { canonicalAddress, type DestinationInit, DestinationPolicy } from '@potluck/protocol';
import { CallFailure } from './failure.ts';

const MOST_KNOWN = 1024;

/** What programs ask for again and again, decided once. */
class Decisions<T> {
  readonly #known = new Map<string, T>();

  get(key: string, decide: () => T): T {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const decided = decide();
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, decided);
    return decided;
  }
}

/** Decides which addresses a vessel may reach and which it may listen on. */
export class Destinations {
  readonly #policy: DestinationPolicy;
  readonly #addresses: readonly string[];
  readonly #canonical = new Decisions<string>();
  /** Apart for UDP and TCP: their own ports are not the same. */
  readonly #allowed = new WeakMap<ReadonlySet<number>, Decisions<boolean>>();
  readonly #local = new Decisions<boolean>();

  constructor(init: DestinationInit) {
    this.#policy = new DestinationPolicy(init);
    this.#addresses = init.addresses;
  }

  /**
   * @param text of the program. @returns the address in its one spelling, '' when it is none.
   */
  canonical(text: string): string {
    return this.#canonical.get(text, () => canonicalAddress(text) ?? '');
  }

  /** @returns the address in its one spelling. @throws CallFailure NetworkAddressError for anything but a numeric address */
  numeric(text: string, what: 'destination' | 'local'): string {
    const address = this.canonical(text);
    if (address !== '') return address;
    const message = `expected a numeric IPv4 or IPv6 address as the ${what} address, got "${text.slice(0, 80)}"`;
    throw new CallFailure('NetworkAddressError', message);
  }

  /** @param address canonical. True for traffic that stays on this machine: it is metered apart. */
  isLocal(address: string): boolean {
    return this.#local.get(address, () => this.#policy.isLocal(address));
  }

  /**
   * @param address canonical
   * @param ownPorts the vessel's own ports of this kind: on its own machine it reaches these and no others.
   */
  allows(address: string, port: number, ownPorts: ReadonlySet<number>): boolean {
    const decisions = this.#allowed.get(ownPorts) ?? new Decisions<boolean>();
    this.#allowed.set(ownPorts, decisions);
    return decisions.get(`${address} ${port}`, () => this.#policy.allows(address, port, ownPorts));
  }

  /** @param address canonical. @throws CallFailure AddressBindingError: not an address of this vessel. */
  checkLocal(address: string): void {
    if (this.#policy.isOwn(address)) return;
    const own = [...new Set([...this.#addresses, '127.0.0.1'])].join(' or ');
    throw new CallFailure('AddressBindingError', `expected a local address that is ${own}, got ${address}`);
  }
}

/** @throws CallFailure ResourceForbiddenError */
export function checkPort(port: number, allowed: ReadonlySet<number>, resource: 'messport' | 'connport'): void {
  if (allowed.has(port)) return;
  const more = allowed.size > 12 ? ` and ${allowed.size - 12} more` : '';
  const list = [...allowed].slice(0, 12).join(', ') + more || 'none';
  throw new CallFailure('ResourceForbiddenError', `expected a ${resource} of this vessel (${list}), got ${port}`);
}

/** From where to where; `localport` 0 is any. */
interface Way {
  readonly ip: string;
  readonly port: number;
  readonly localip: string;
  readonly localport: number;
}

/**
 * Checks what can be said of both ends before they are used, in the order in which Seattle names what is wrong.
 * @returns the same with both addresses in their one spelling. @throws CallFailure
 */
export function checkWay<W extends Way>(
  destinations: Destinations,
  way: W,
  { allowed, resource }: { allowed: ReadonlySet<number>; resource: 'messport' | 'connport' },
): W {
  const { port, localport } = way;
  const ip = destinations.numeric(way.ip, 'destination');
  if (localport === 0) return { ...way, ip };
  const localip = destinations.numeric(way.localip, 'local');
  if (localip === ip && localport === port) {
    throw new CallFailure('RepyArgumentError', `expected another destination than the sender, got ${ip}:${port}`);
  }
  if (isIPv6(localip) !== isIPv6(ip)) {
    const message = `expected a local address of the same kind as the destination ${ip}, got ${localip}`;
    throw new CallFailure('RepyArgumentError', message);
  }
  checkPort(localport, allowed, resource);
  return { ...way, ip, localip };
}
