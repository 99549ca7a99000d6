import { type CountryPlace, loadPlaces, type Reach } from '@potluck/protocol';

/** More hosts than there are nodes; then it begins anew. */
const REMEMBERED = 50_000;
const known = new Map<string, CountryPlace | undefined>();

/** The country of the first of a node's addresses that has one; none for private networks and nodes behind a relay. */
export function countryOf({ addresses }: Pick<Reach, 'addresses'>): CountryPlace | undefined {
  for (const { host } of addresses) {
    const place = placeOf(host);
    if (place !== undefined) return place;
  }
  return undefined;
}

function placeOf(host: string): CountryPlace | undefined {
  if (known.has(host)) return known.get(host);
  if (known.size >= REMEMBERED) known.clear();
  const place = loadPlaces().placeOf(host);
  known.set(host, place);
  return place;
}
