import { isIPv6 } from 'node:net';
import { canonicalAddress } from './addresses.ts';
import { ConfigError } from './errors.ts';
import { LIMITS } from './limits.ts';
import {
  isPortName,
  isQuantityName,
  MANDATORY_QUANTITIES,
  PORT_NAMES,
  type PortName,
  QUANTITY_NAMES,
  type QuantityName,
} from './resources.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** One `destination allow|deny CIDR [PORTS]` line: ours beyond Seattle. The first rule that matches decides. */
export interface DestinationRule {
  readonly action: 'allow' | 'deny';
  /** A canonical address with a prefix length: `127.0.0.2/32`, `fd00::/8`. */
  readonly network: string;
  readonly ports: PortRange;
}

/** What a vessel may use; the parsed form of a restrictions file. */
export interface Restrictions {
  readonly quantities: Readonly<Record<QuantityName, number>>;
  readonly messport: ReadonlySet<number>;
  readonly connport: ReadonlySet<number>;
  readonly destinations: readonly DestinationRule[];
}

/** How finely a quantity is kept, in steps of one: cpu in millionths of a core, all else in whole numbers. */
export const stepsPerUnit = (name: QuantityName): number => (name === 'cpu' ? 1_000_000 : 1);
/** The greatest that is taken; in steps it is a whole number that adds up without a remainder. */
export const mostOf = (name: QuantityName): number => (name === 'cpu' ? 1_000_000 : Number.MAX_SAFE_INTEGER);

/** The nearest value that is kept. */
export function inSteps(name: QuantityName, value: number): number {
  return Math.round(value * stepsPerUnit(name)) / stepsPerUnit(name);
}

export const ALL_PORTS: PortRange = { first: 1, last: 65535 };

interface Draft {
  quantities: Map<QuantityName, number>;
  ports: Record<PortName, Set<number>>;
  destinations: DestinationRule[];
}

type Refuse = (what: string) => ConfigError;

/**
 * Parses `resource NAME VALUE` and `destination allow|deny CIDR [PORT[-PORT]]` lines; `#` starts a comment.
 * @param source what to call the text in errors, usually the file's name.
 * @throws ConfigError RESTRICTIONS_BROKEN with `source:line` in the message and in `details`
 */
export function parseRestrictions(text: string, source = 'restrictions'): Restrictions {
  if (Buffer.byteLength(text) > LIMITS.restrictionsBytes) {
    throw broken(source, 1, `expected at most ${LIMITS.restrictionsBytes} bytes, got ${Buffer.byteLength(text)}`);
  }
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.length > LIMITS.restrictionsLines) {
    throw broken(source, LIMITS.restrictionsLines + 1, `expected at most ${LIMITS.restrictionsLines} lines`);
  }
  const draft: Draft = {
    quantities: new Map(),
    ports: { messport: new Set(), connport: new Set() },
    destinations: [],
  };
  for (const [index, line] of lines.entries()) {
    const words = line.replace(/#.*$/, '').trim().split(/\s+/).filter(Boolean);
    if (words.length > 0) parseLine(words, draft, (what) => broken(source, index + 1, what));
  }
  return finish(draft, (what) => broken(source, lines.length, what));
}

function broken(source: string, line: number, what: string): ConfigError {
  return new ConfigError('RESTRICTIONS_BROKEN', `${source}:${line}: ${what}`, { details: { source, line } });
}

function parseLine(words: string[], draft: Draft, refuse: Refuse): void {
  const [kind, ...rest] = words;
  if (kind === 'resource') parseResource(rest, draft, refuse);
  else if (kind === 'destination') draft.destinations.push(destinationOf(rest, refuse));
  else throw refuse(`expected "resource" or "destination", got "${kind}"`);
}

function parseResource(words: string[], draft: Draft, refuse: Refuse): void {
  const [name, text, ...more] = words;
  if (name === undefined || text === undefined || more.length > 0) {
    throw refuse(`expected "resource NAME VALUE", got ${words.length} words after "resource"`);
  }
  // Number() alone also takes '', '0x10' and 'Infinity'.
  const value = /^(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw refuse(`expected a number that is not negative for ${name}, got "${text}"`);
  if (isPortName(name)) {
    if (!Number.isInteger(value) || value < 1 || value > 65535)
      throw refuse(`expected a port of 1 to 65535, got "${text}"`);
    if (draft.ports[name].has(value)) throw refuse(`expected each ${name} once, got ${value} again`);
    draft.ports[name].add(value);
    return;
  }
  if (!isQuantityName(name)) {
    throw refuse(`expected one of ${[...QUANTITY_NAMES, ...PORT_NAMES].join(' ')}, got "${name}"`);
  }
  if (draft.quantities.has(name)) throw refuse(`expected ${name} once, got it again`);
  if (stepsPerUnit(name) === 1 && !Number.isInteger(value))
    throw refuse(`expected a whole number for ${name}, got "${text}"`);
  if (value > mostOf(name)) throw refuse(`expected at most ${mostOf(name)} for ${name}, got "${text}"`);
  draft.quantities.set(name, inSteps(name, value));
}

/**
 * Parses what follows the word `destination` in a line of restrictions: `allow|deny ADDRESS[/PREFIX] [PORT[-PORT]]`.
 * @throws ConfigError RESTRICTIONS_BROKEN
 */
export function parseDestination(text: string): DestinationRule {
  const refuse = (what: string) => new ConfigError('RESTRICTIONS_BROKEN', what);
  return destinationOf(text.trim().split(/[ \t]+/), refuse);
}

function destinationOf(words: string[], refuse: Refuse): DestinationRule {
  const [action, network, ports, ...more] = words;
  if ((action !== 'allow' && action !== 'deny') || network === undefined || more.length > 0) {
    const got = words.join(' ').slice(0, 80);
    throw refuse(`expected "destination allow|deny ADDRESS[/PREFIX] [PORT[-PORT]]", got "${got}" after "destination"`);
  }
  return { action, network: parseNetwork(network, refuse), ports: parsePorts(ports, refuse) };
}

/** Before the IPv4 address in `::ffff:0:0/96`. */
const MAPPED_BITS = 96;

function parseNetwork(text: string, refuse: Refuse): string {
  const [given = '', prefix, ...more] = text.split('/');
  const bits = isIPv6(given) ? 128 : 32;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  const address = canonicalAddress(given);
  if (address === undefined || more.length > 0 || !(length <= bits)) {
    throw refuse(`expected an IP address with an optional /prefix, got "${text}"`);
  }
  if (isIPv6(address) === isIPv6(given)) return `${address}/${length}`;
  if (length < MAPPED_BITS) throw refuse(`expected a network of IPv4 or of IPv6 addresses, got both in "${text}"`);
  return `${address}/${length - MAPPED_BITS}`;
}

function parsePorts(text: string | undefined, refuse: Refuse): PortRange {
  if (text === undefined) return ALL_PORTS;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!(first >= 1 && first <= last && last <= 65535)) throw refuse(`expected PORT or PORT-PORT, got "${text}"`);
  return { first, last };
}

function finish(draft: Draft, refuse: Refuse): Restrictions {
  const missing = MANDATORY_QUANTITIES.filter((name) => !draft.quantities.has(name));
  if (missing.length > 0)
    throw refuse(`expected a line for each of ${MANDATORY_QUANTITIES.join(', ')}, missing: ${missing.join(', ')}`);
  const quantities = Object.fromEntries(
    QUANTITY_NAMES.map((name) => [name, draft.quantities.get(name) ?? 0]),
  ) as Record<QuantityName, number>;
  return { quantities, ...draft.ports, destinations: draft.destinations };
}

/** The text form; `parseRestrictions(formatRestrictions(r))` equals `r`. */
export function formatRestrictions(restrictions: Restrictions): string {
  const lines = QUANTITY_NAMES.map((name) => `resource ${name} ${restrictions.quantities[name]}`);
  for (const name of PORT_NAMES) {
    for (const port of [...restrictions[name]].sort((a, b) => a - b)) lines.push(`resource ${name} ${port}`);
  }
  for (const rule of restrictions.destinations) lines.push(`destination ${formatDestination(rule)}`);
  return `${lines.join('\n')}\n`;
}

/** `parseDestination(formatDestination(rule))` equals `rule`. */
export function formatDestination({ action, network, ports }: DestinationRule): string {
  const all = ports.first === ALL_PORTS.first && ports.last === ALL_PORTS.last;
  return `${action} ${network}${all ? '' : ` ${ports.first}-${ports.last}`}`;
}
