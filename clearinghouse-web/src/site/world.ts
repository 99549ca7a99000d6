import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { geoNaturalEarth1, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';

type Topology = Parameters<typeof feature>[0];
type MultiPolygon = GeoJSON.MultiPolygon;

const WIDTH = 960;
/** South of this is Antarctica alone, where no machine is. */
const SOUTH = -60;
/** Neither light nor dark: the picture lies on either ground. */
const LAND = 'fill="#8a7a6c" fill-opacity="0.32"';

interface World {
  readonly height: number;
  /** The land as an SVG of its own. */
  readonly picture: Buffer;
  /** Where on the picture a place is. */
  place(longitude: number, latitude: number): readonly [x: number, y: number];
}

let drawn: World | undefined;

/** The world in the Natural Earth projection, drawn when somebody first wants it from data that came with the package. */
export function world(): World & { readonly width: number } {
  drawn ??= draw();
  return { ...drawn, width: WIDTH };
}

function draw(): World {
  const land = landOf();
  const projection = geoNaturalEarth1().fitWidth(WIDTH, land);
  const path = geoPath(projection).digits(1);
  const height = Math.ceil(path.bounds(land)[1][1]);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}"><path ${LAND} d="${path(land)}"/></svg>`;
  return {
    height,
    picture: Buffer.from(svg),
    place: (longitude, latitude) => projection([longitude, latitude]) ?? [0, 0],
  };
}

function landOf(): MultiPolygon {
  const require = createRequire(import.meta.url);
  const topology: Topology = JSON.parse(readFileSync(require.resolve('world-atlas/land-110m.json'), 'utf8'));
  const all = feature(topology, topology.objects.land as never) as unknown as GeoJSON.FeatureCollection<MultiPolygon>;
  const polygons = all.features.flatMap(({ geometry }) => geometry.coordinates);
  const isNorth = ([ring = []]: GeoJSON.Position[][]): boolean => ring.some(([, latitude = 0]) => latitude > SOUTH);
  return { type: 'MultiPolygon', coordinates: polygons.filter(isNorth) };
}
