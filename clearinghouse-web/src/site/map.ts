import { loadPlaces, PLACES_ATTRIBUTION } from '@potluck/protocol';
import { z } from 'zod';
import type { SurveyedNode } from '../store/survey.ts';
import { perStore } from './cached.ts';
import { countryOf } from './places.ts';
import type { Route } from './route.ts';
import { nothingSchema } from './schemas.ts';
import { world } from './world.ts';

const KEPT_MS = 10_000;
/** Sizes on the picture: one machine, and as many as there may be. */
const SMALLEST = 5;
const LARGEST = 26;

const countsSchema = z.object({ machines: z.int(), up: z.int(), vessels: z.int(), free: z.int() });
type Counts = z.infer<typeof countsSchema>;

const mapSchema = z.object({
  countries: z.array(countsSchema.extend({ country: z.string(), name: z.string() })),
  /** In private networks, or behind a relay: nobody can tell where. */
  elsewhere: countsSchema,
});
type WorldMap = z.infer<typeof mapSchema>;

/** Where the donated machines are, by country: no nearer. */
export const map: Route<object> = {
  method: 'get',
  path: '/map',
  summary: 'Where the donated machines are, by country.',
  access: 'anyone',
  body: nothingSchema,
  result: mapSchema,
  handle: async ({ store }) => {
    const json = await mapOf(store);
    const { width, height } = world();
    const data = { ...json, dots: dotsOf(json), width, height, attribution: PLACES_ATTRIBUTION };
    return { json, page: { view: 'map', title: 'Map', data } };
  },
};

/** A map is looked at by many at once, and changes by the minute. */
const mapOf = perStore(KEPT_MS, async (store): Promise<WorldMap> => {
  const byCountry = Map.groupBy(await store.survey.nodes(), ({ reach }) => countryOf(reach));
  const countries = [...byCountry].flatMap(([place, nodes]) =>
    place === undefined ? [] : [{ country: place.country, name: place.name, ...countsOf(nodes) }],
  );
  countries.sort((a, b) => b.machines - a.machines || a.name.localeCompare(b.name));
  return { countries, elsewhere: countsOf(byCountry.get(undefined) ?? []) };
});

function countsOf(nodes: readonly SurveyedNode[]): Counts {
  const up = nodes.filter(({ active }) => active);
  const sum = (count: (node: SurveyedNode) => number): number => up.reduce((all, node) => all + count(node), 0);
  return {
    machines: nodes.length,
    up: up.length,
    vessels: sum(({ vessels }) => vessels),
    free: sum(({ free }) => free),
  };
}

/** Large ones first, so that they do not cover their small neighbours. */
function dotsOf({ countries }: WorldMap) {
  const most = Math.max(1, ...countries.map(({ machines }) => machines));
  return countries.map(({ country, machines, up }) => {
    const [x, y] = centreOf(country);
    const radius = (part: number): number => Math.sqrt(part / most) * LARGEST;
    return { x, y, radius: Math.max(SMALLEST, radius(machines)), isUp: up > 0 };
  });
}

function centreOf(country: string): readonly [x: number, y: number] {
  const place = loadPlaces().countries.find((one) => one.country === country);
  return place === undefined ? [0, 0] : world().place(place.longitude, place.latitude);
}
