import { OP } from '../ops.ts';
import { invoke } from './bridge.ts';
import { needAddress } from './data.ts';
import { argumentError } from './errors.ts';
import { charCodeAt, create, slice } from './primordials.ts';

const MOST_KNOWN = 1024;
let known = create(null) as { [text: string]: string | undefined };
let count = 0;

/** @param text at most 255 characters. @returns a numeric address in its one spelling, '' for anything else. */
export function canonical(text: string): string {
  const found = known[text];
  if (found !== undefined) return found;
  if (count >= MOST_KNOWN) {
    known = create(null);
    count = 0;
  }
  count++;
  const address = invoke(OP.address, text) as string;
  known[text] = address;
  return address;
}

/** @returns an address in its one spelling; what is none stays as it is, for the host to refuse. */
export function needSpelled(value: unknown, what: string): string {
  const text = needAddress(value, what);
  const address = canonical(text);
  return address === '' ? text : address;
}

/**
 * Seattle's second generation takes the address of one machine: IPv4 from 1 to 223 in its first number, IPv6 neither
 * unspecified nor multicast.
 */
export function needMachine(value: unknown, what: string): string {
  const address = canonical(needAddress(value, what));
  if (address !== '' && isMachine(address)) return address;
  throw argumentError(`${what} that is the IPv4 or IPv6 address of one machine`, value);
}

function isMachine(address: string): boolean {
  let first = 0;
  for (let at = 0; at < address.length; at++) {
    const digit = charCodeAt(address, at) - 48;
    if (digit === -2) return first >= 1 && first <= 223 && address !== '192.168.0.0';
    if (digit < 0 || digit > 9) break;
    first = first * 10 + digit;
  }
  return address !== '::' && slice(address, 0, 2) !== 'ff';
}
