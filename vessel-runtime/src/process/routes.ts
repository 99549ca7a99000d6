import type { Socket } from 'node:dgram';
import { CALL_LIMITS, DETOUR } from '@potluck/repy-api';
import type { Renewable } from './meter.ts';

/** What a packet costs beyond its data, as in Seattle. */
export const HEADER_BYTES = 64;
const MOST_ROUTES = 1024;
/** How often a route's message waits for what the system says of it, instead of being believed to go. */
const PROOF_MS = 500;
/** Characters that say of one message where it goes and how long it is, see `OP.sendtogether`. */
const HEAD = 5;

/** From a port to a destination that the vessel may reach: decided once, used for many messages. */
export interface Route {
  readonly socket: Socket;
  readonly ip: string;
  readonly port: number;
  readonly rate: Renewable;
  /** When the system last took a message and said so; -Infinity after a failure. */
  provenMs: number;
}

/**
 * The short way of messages out. It asks for no answer of the system, so it is open only while messages of a route are
 * taken at once; a program that floods it fills the system's buffer and nothing here.
 */
export class Routes {
  readonly #routes = new Map<number, Route>();
  /** What is sent is written here: a buffer for each message would pile up until it is collected. */
  #scratch = scratch();

  get full(): boolean {
    return this.#routes.size >= MOST_ROUTES;
  }

  get(number: number): Route | undefined {
    return this.#routes.get(number);
  }

  set(number: number, route: Route): void {
    this.#routes.set(number, route);
  }

  delete(number: number): void {
    this.#routes.delete(number);
  }

  clear(): void {
    this.#routes.clear();
  }

  /** @returns bytes handed to the system, or `DETOUR` when nothing was done. */
  sendOn(number: unknown, data: unknown, binary: unknown): number {
    const route = this.get(number as number);
    if (route === undefined || typeof data !== 'string' || data.length > CALL_LIMITS.messageBytes) return DETOUR;
    return this.#sendNow(route, data, binary === true ? 'latin1' : 'utf8', performance.now());
  }

  /** For several, see `OP.sendtogether`. @returns what it says. */
  sendTogether(heads: unknown, texts: unknown): string {
    if (typeof heads !== 'string' || typeof texts !== 'string') return '';
    const now = performance.now();
    let sent = '';
    for (let at = 0, from = 0; at + HEAD <= heads.length; at += HEAD) {
      const number = heads.charCodeAt(at) + heads.charCodeAt(at + 1) * 2 ** 16 + heads.charCodeAt(at + 2) * 2 ** 32;
      const route = this.get(number);
      const to = from + heads.charCodeAt(at + 4);
      if (route === undefined || to > texts.length) return sent;
      const encoding = heads.charCodeAt(at + 3) === 1 ? 'latin1' : 'utf8';
      const taken = this.#sendNow(route, texts.slice(from, to), encoding, now);
      if (taken === DETOUR) return sent;
      sent += String.fromCharCode(taken);
      from = to;
    }
    return sent;
  }

  #sendNow(route: Route, text: string, encoding: 'latin1' | 'utf8', now: number): number {
    const { socket, port, ip, rate } = route;
    if (now - route.provenMs > PROOF_MS || socket.getSendQueueCount() > 0) return DETOUR;
    if (text.length * 3 > CALL_LIMITS.messageBytes && Buffer.byteLength(text, encoding) > CALL_LIMITS.messageBytes) {
      return DETOUR;
    }
    const bytes = this.#scratch.write(text, encoding);
    if (!rate.take(HEADER_BYTES + bytes, now)) return DETOUR;
    socket.send(this.#scratch.subarray(0, bytes), port, ip);
    // The system has it, unless it waits for room: then the bytes are the socket's.
    if (socket.getSendQueueCount() > 0) this.#scratch = scratch();
    return bytes;
  }
}

const scratch = () => Buffer.allocUnsafeSlow(CALL_LIMITS.messageBytes);
