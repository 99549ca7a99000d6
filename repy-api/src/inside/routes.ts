import { CALL_LIMITS } from '../ops.ts';
import { sendOn, settled } from './bridge.ts';
import { isBytes, lengthOf, toBinary } from './data.ts';
import { create } from './primordials.ts';

/** A destination and a sender that the host has checked: what follows is a number and the data. */
interface Route {
  readonly ip: unknown;
  readonly port: unknown;
  readonly localip: unknown;
  readonly localport: unknown;
  readonly number: number;
}

const MOST_ROUTES = 1024;
let routes = create(null) as { [destination: string]: Route | undefined };
let count = 0;
/** Most messages go where the one before went. */
let last: Route | undefined;

function leads(route: Route, given: unknown[]): boolean {
  return route.port === given[1] && route.localport === given[4] && route.ip === given[0] && route.localip === given[3];
}

/** @param given the arguments of `sendmess`, unchecked. @returns the number of their route, or 0. */
export function knownRoute(given: unknown[]): number {
  if (last !== undefined && leads(last, given)) return last.number;
  const ip = given[0];
  const port = given[1];
  if (typeof ip !== 'string' || typeof port !== 'number' || ip.length > 255) return 0;
  const route = routes[`${ip} ${port}`];
  if (route === undefined || !leads(route, given)) return 0;
  last = route;
  return route.number;
}

/** @param given arguments of `sendmess` that were right. */
export function learnRoute(given: unknown[], number: number): void {
  if (number === 0) return;
  if (count >= MOST_ROUTES) {
    routes = create(null);
    count = 0;
  }
  const key = `${given[0]} ${given[1]}`;
  if (routes[key] === undefined) count++;
  last = { ip: given[0], port: given[1], localip: given[3], localport: given[4], number };
  routes[key] = last;
}

/** @returns undefined when it did not go: the long way does it, or says what is wrong. */
export function sendShort(route: number, data: unknown): Promise<number> | undefined {
  const binary = typeof data !== 'string';
  if (binary && !isBytes(data)) return undefined;
  const length = binary ? lengthOf(data) : data.length;
  if (length > CALL_LIMITS.messageBytes) return undefined;
  const sent = sendOn(route, binary ? toBinary(data) : data, binary);
  return sent >= 0 ? settled(sent) : undefined;
}
