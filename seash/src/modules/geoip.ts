import { type CountryPlace, loadPlaces, PLACES_ATTRIBUTION } from '@potluck/protocol';
import { z } from 'zod';
import { bulkOf, bulkSchema, inParallel } from '../bulk.ts';
import { command } from '../command.ts';
import type { Module } from '../modules.ts';
import { addressesOf } from '../reach.ts';
import type { Context } from '../session.ts';
import { type Style, table } from '../style.ts';

const NOWHERE = 'not on the map';

const location = command({
  name: 'show location',
  summary: 'Show the country of each vessel, by its address.',
  slots: [],
  example: 'show location',
  result: bulkSchema({ ip: z.string(), country: z.string().optional(), countryName: z.string().optional() }),
  run: async (context) => {
    return await onPlaces(context, (place) => ({ country: place.country, countryName: place.name }));
  },
  render: ({ vessels }, style) => {
    const rows = vessels.map((row) => [row.id, row.name, row.country ?? '', row.countryName ?? NOWHERE]);
    return attributed(table(['ID', 'Name', 'Country', ''], rows, style), style);
  },
});

const coordinates = command({
  name: 'show coordinates',
  summary: 'Show where on the globe the country of each vessel is.',
  slots: [],
  example: 'show coordinates',
  result: bulkSchema({
    ip: z.string(),
    country: z.string().optional(),
    latitude: z.number().optional(),
    longitude: z.number().optional(),
  }),
  run: async (context) => {
    return await onPlaces(context, ({ country, latitude, longitude }) => ({ country, latitude, longitude }));
  },
  render: ({ vessels }, style) => {
    const rows = vessels.map(({ id, name, country, latitude, longitude }) => {
      return [id, name, country ?? '', country === undefined ? NOWHERE : `${latitude} ${longitude}`];
    });
    return attributed(table(['ID', 'Name', 'Country', 'Latitude, longitude'], rows, style), style);
  },
});

export const geoipModule: Module = {
  name: 'geoip',
  summary: 'Where in the world vessels are.',
  help: [
    'The country of an address is looked up in data that came with the shell; nobody is asked. Addresses of home and',
    'company networks, and the own machine, are not on the map. Coordinates are those of the middle of the country.',
    'The condition country=NL needs no module.',
    `${PLACES_ATTRIBUTION.text}, ${PLACES_ATTRIBUTION.url}, CC BY 4.0.`,
  ].join('\n'),
  commands: [location, coordinates],
};

/** Asks no node; a host name is looked up where names are. */
async function onPlaces<T extends object>(context: Context, factsOf: (place: CountryPlace) => T) {
  const places = loadPlaces();
  const outcomes = await inParallel(
    context,
    context.vessels('%all'),
    async (target): Promise<{ ip: string } & Partial<T>> => {
      const ips = await addressesOf(context, target);
      const found = ips.map((ip) => ({ ip, place: places.placeOf(ip) })).find(({ place }) => place !== undefined);
      const facts: Partial<T> = found?.place === undefined ? {} : factsOf(found.place);
      return { ip: found?.ip ?? ips[0] ?? '', ...facts };
    },
  );
  return bulkOf(outcomes);
}

function attributed(text: string, style: Style): string {
  return `${text}\n${style.faint(`${PLACES_ATTRIBUTION.text} (${PLACES_ATTRIBUTION.url})`)}`;
}
