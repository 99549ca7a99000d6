import {
  type CountryPlace,
  canonicalAddress,
  isMeasured,
  type KeyId,
  loadPlaces,
  type Point,
  type Rule,
  ruleText,
} from '@potluck/protocol';
import { PortalError } from '../errors.ts';

/** What is known of a free vessel's node, for rules to choose by. Of what nobody could prove nothing is known. */
export interface NodeFacts {
  readonly node: KeyId;
  /** By the address that its connection comes from, see `networkOf`. */
  readonly network: string | undefined;
  /** By the same address. */
  readonly country: string | undefined;
  /** The account that donated it. */
  readonly owner: string | undefined;
  readonly labels: readonly string[];
  /** It is reached through a relay. */
  readonly relayed: boolean;
}

/** Degrees. */
export interface Spot {
  readonly latitude: number;
  readonly longitude: number;
}

/** A rule, and where its point is. */
export type Wish = Rule & { readonly at?: Spot };

const EARTH_KM = 6371;
/**
 * Light goes 200 km of fibre in a millisecond, so 100 km there and back; cables are about half as long again as the way
 * is. Nothing is measured: congestion, radio and detours come on top.
 */
const MS_PER_KM = 1.5 / 100;

let countries: ReadonlyMap<string, CountryPlace> | undefined;

/** @returns the middle of the country, which is as near as places are known. */
export function spotOf(country: string | undefined): Spot | undefined {
  return country === undefined ? undefined : known().get(country);
}

function known(): ReadonlyMap<string, CountryPlace> {
  countries ??= new Map(loadPlaces().countries.map((place) => [place.country, place]));
  return countries;
}

export function countriesWhere(allowed: (place: CountryPlace) => boolean): string[] {
  return [...known().values()].filter(allowed).map(({ country }) => country);
}

export function countryOf(address: string): string | undefined {
  return loadPlaces().placeOf(address)?.country;
}

/** As the great circle goes. */
export function kmBetween(a: Spot, b: Spot): number {
  const [latA, latB] = [radians(a.latitude), radians(b.latitude)];
  const half = (angle: number): number => Math.sin(angle / 2) ** 2;
  const h = half(latB - latA) + Math.cos(latA) * Math.cos(latB) * half(radians(b.longitude - a.longitude));
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

export function estimatedMs(km: number): number {
  return km * MS_PER_KM;
}

/** @throws PortalError INVALID_REQUEST: a point whose place nobody knows */
export function wishesOf(rules: readonly Rule[]): Wish[] {
  return rules.map((rule) => {
    if (rule.kind === 'country') {
      const unknown = rule.countries.find((country) => spotOf(country) === undefined);
      if (unknown === undefined) return rule;
      throw new PortalError('INVALID_REQUEST', `expected countries by their two letters, got ${unknown}`);
    }
    if (!('of' in rule)) return rule;
    const at = located(rule.of);
    if (at !== undefined) return { ...rule, at };
    // The nodes will say.
    if (isMeasured(rule)) return rule;
    const message = `expected a place that is known in ${ruleText(rule)}, got one that is in no country`;
    throw new PortalError('INVALID_REQUEST', message);
  });
}

function located(point: Point): Spot | undefined {
  if ('country' in point) return spotOf(point.country);
  return 'address' in point ? loadPlaces().placeOf(canonicalAddress(point.address) ?? '') : point;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
