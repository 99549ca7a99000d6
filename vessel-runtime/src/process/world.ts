import { isIPv6 } from 'node:net';
import { EVENT } from '@potluck/repy-api';
import type { Calls } from './calls.ts';
import type { Destinations } from './destination.ts';
import { CallFailure, crossing } from './failure.ts';
import type { Meter } from './meter.ts';
import type { Stops } from './stops.ts';

export type Primitive = string | number | boolean;
/** Enters the isolate: an event of `EVENT` and its values. */
export type Enter = (
  ...event: [
    kind: number,
    a: Primitive,
    b?: Primitive | undefined,
    c?: Primitive | undefined,
    d?: Primitive | undefined,
  ]
) => void;

const MOST_REQUESTS = 10_000;

export interface WorldInit {
  readonly meter: Meter;
  readonly destinations: Destinations;
  readonly calls: Calls;
  readonly stops: Stops;
  /** What `getmyip` answers; '' when the node has none. */
  readonly address: string;
  /** Where programs may listen, and from where they send. */
  readonly addresses: readonly string[];
  readonly messports: ReadonlySet<number>;
  readonly connports: ReadonlySet<number>;
}

/** What all calls of one program share: its limits, its numbers for handles and requests, and what is pending. */
export class World implements WorldInit {
  readonly meter: Meter;
  readonly destinations: Destinations;
  readonly calls: Calls;
  readonly stops: Stops;
  readonly address: string;
  readonly addresses: readonly string[];
  readonly messports: ReadonlySet<number>;
  readonly connports: ReadonlySet<number>;
  readonly enter: Enter;
  #requests = 0;
  #pending = 0;
  #number = 0;
  #mayAnswerNow = false;

  constructor(init: WorldInit, enter: Enter) {
    this.meter = init.meter;
    this.destinations = init.destinations;
    this.calls = init.calls;
    this.stops = init.stops;
    this.address = init.address;
    this.addresses = init.addresses;
    this.messports = init.messports;
    this.connports = init.connports;
    this.enter = enter;
  }

  /** @returns the node's address of the same family. @param to canonical */
  readonly ownAddress = (to: string): string | undefined =>
    this.addresses.find((address) => isIPv6(address) === isIPv6(to));

  /** Timers, listeners and unanswered requests: at 0 nothing can happen to the program any more. */
  get pending(): number {
    return this.#pending;
  }

  number(): number {
    this.#number += 1;
    return this.#number;
  }

  hold(): void {
    this.#pending += 1;
  }

  drop(): void {
    this.#pending -= 1;
  }

  /** A call that is answered later. @throws CallFailure ResourceExhaustedError: too many are unanswered. */
  request(): number {
    if (this.#requests >= MOST_REQUESTS) {
      const message = `expected at most ${MOST_REQUESTS} calls to wait at once, got one more`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    this.#requests += 1;
    this.hold();
    return this.number();
  }

  /**
   * Takes a request back that needs no event for its answer: one for each entry, so that a program whose calls are all
   * done at once leaves the others their turn.
   */
  answerNow(): boolean {
    if (!this.#mayAnswerNow) return false;
    this.#mayAnswerNow = false;
    this.#requests -= 1;
    this.drop();
    return true;
  }

  resolve(request: number, value: Primitive, ip?: string, port?: number): void {
    this.#requests -= 1;
    this.drop();
    this.#mayAnswerNow = true;
    this.enter(EVENT.resolve, request, value, ip, port);
  }

  reject(request: number, error: unknown): void {
    this.#requests -= 1;
    this.drop();
    const { number, message } = crossing(error);
    this.enter(EVENT.reject, request, number, message);
  }
}
