import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Address } from '@potluck/protocol';

/** Where one node manager of the demonstration lives, and from where its vessels' ports are numbered. */
export interface Place {
  readonly address: Address;
  readonly portBase: number;
}

const NODE_PORT = 1224; // The first of Seattle's node manager ports.
const PORT_BASE = 63100;
const PORTS_OF_ONE_NODE = 50;
const OWN_ADDRESSES = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

/**
 * Three addresses of their own where the system has them all (Linux), else three ports of 127.0.0.1; always free ports.
 * @param onePlace take 127.0.0.1 for all, also where there would be more
 */
export async function findPlaces(onePlace = false): Promise<Place[]> {
  const free = await Promise.all(OWN_ADDRESSES.map((host) => isFree({ host, port: 0 })));
  const hosts = free.every(Boolean) && !onePlace ? OWN_ADDRESSES : OWN_ADDRESSES.map(() => '127.0.0.1');
  const places: Place[] = [];
  for (const host of hosts) {
    const taken = places.filter(({ address }) => address.host === host);
    const port = await freePort(host, Math.max(NODE_PORT, ...taken.map(({ address }) => address.port + 1)));
    const first = Math.max(PORT_BASE, ...taken.map(({ portBase }) => portBase + PORTS_OF_ONE_NODE));
    places.push({ address: { host, port }, portBase: await freePort(host, first, PORTS_OF_ONE_NODE) });
  }
  return places;
}

/** @returns the first port from `first` on, in steps of `step`, that UDP and TCP both have free on this host. */
export async function freePort(host: string, first: number, step = 1): Promise<number> {
  for (let port = first; port < 65_000; port += step) {
    if (await isFree({ host, port })) return port;
  }
  return 0; // Let the system choose; whoever binds will say when there is none at all.
}

async function isFree(address: Address): Promise<boolean> {
  return (await bindsTcp(address)) && (await bindsUdp(address));
}

function bindsTcp({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function bindsUdp({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind(port, host, () => socket.close(() => resolve(true)));
  });
}
