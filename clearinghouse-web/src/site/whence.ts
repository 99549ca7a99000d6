import { loadPlaces } from '@potluck/protocol';
import type { Request } from 'express';
import { networkOf } from '../store/networks.ts';
import type { Whence } from '../store/sessions.ts';

const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
  ['curl/', 'curl'],
  ['node', 'Node.js'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'an iPhone'],
  ['iPad', 'an iPad'],
  ['Windows', 'Windows'],
  ['Mac OS', 'macOS'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
] as const;

/** As much as its user needs to know his own log-in again, and no more: the network, not the address. */
export function whenceOf(request: Request): Whence {
  const { ip = '' } = request;
  const text = request.get('user-agent') ?? '';
  const [browser, system] = [nameIn(text, BROWSERS), nameIn(text, SYSTEMS)];
  const agent = [browser ?? 'A program', ...(system === undefined ? [] : [system])].join(' on ');
  return { network: ip === '' ? '' : networkOf(ip), agent };
}

/** The country of a network, in English; undefined when it has none. */
export function countryOf(network: string): string | undefined {
  return loadPlaces().placeOf(network.split('/')[0] ?? '')?.name;
}

function nameIn(text: string, names: readonly (readonly [string, string])[]): string | undefined {
  return names.find(([mark]) => text.includes(mark))?.[1];
}
