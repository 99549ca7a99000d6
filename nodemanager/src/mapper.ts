import { setTimeout as delay } from 'node:timers/promises';
import { type Address, addressText, describeError } from '@potluck/protocol';
import type { Logger } from 'pino';
import type { NodeLimits } from './limits.ts';
import { NatPmp } from './nat-pmp.ts';
import { defaultRouter, type Mapping, type MappingWay, mappingFailed, type Router, sourceTo } from './router.ts';
import { Upnp } from './upnp.ts';

const WILDCARDS = new Set(['0.0.0.0', '::']);

export interface PortMapperInit {
  /** In the place of the router of the default route. */
  readonly router?: Router | undefined;
  readonly limits: NodeLimits;
  /** What is open on the router, or what there is to say of it, is not what it was. */
  readonly onChange: () => void;
}

interface Held {
  readonly way: MappingWay;
  readonly mapping: Mapping;
}

/**
 * Asks the router to let others through to the ports that the node listens on, by NAT-PMP, else by UPnP; asks again
 * before that ends, and takes it back at the end. Nothing that a router does or leaves harms the node: it is one line in
 * the log, and the next try comes later.
 *
 * The protocols are our own code, because the libraries that are kept do not hold that promise. Of
 * `@achingbrain/nat-port-mapper` 4.0.5 and `@silentbot1/nat-api` 0.4.9, both end the process when a short datagram comes
 * while they wait, read answers of any length, and fetch whatever address they are told; the first knows gateways of UPnP
 * version 2 only, and takes a mapping back under the wrong port. Each brings some 35 packages.
 */
export class PortMapper implements AsyncDisposable {
  readonly #init: PortMapperInit;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #held = new Map<number, Held>();
  #mapped: readonly Address[] = [];
  #words = 'the router is being asked';
  #running: Promise<void> | undefined;

  constructor({ log }: { readonly log: Logger }, init: PortMapperInit) {
    this.#log = log;
    this.#init = init;
  }

  start(listening: readonly Address[]): void {
    this.#running = this.#run(listening);
  }

  /** What is open now takes its leave of the router, for a bounded time. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    const signal = AbortSignal.timeout(this.#init.limits.mappingFarewellMs);
    const held = [...this.#held].map(([port, { way, mapping }]) => way.unmap(port, mapping, signal));
    const failed = (await Promise.allSettled(held)).find((one) => one.status === 'rejected');
    if (failed === undefined) return;
    this.#log.warn({ reason: describeError(failed.reason) }, 'the router still lets others through, until it forgets');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where others find the node: what the router has confirmed and not yet forgotten. */
  get mapped(): readonly Address[] {
    return this.#mapped;
  }

  /** For people: what came of the last try. */
  get words(): string {
    return this.#words;
  }

  async #run(listening: readonly Address[]): Promise<void> {
    const { limits } = this.#init;
    while (!this.#stop.signal.aborted) {
      let waitMs: number = limits.mappingRetryMs;
      try {
        const { name, mappings } = await this.#round(listening);
        const least = Math.min(...mappings.map(({ seconds }) => seconds));
        waitMs = Math.max(limits.mappingLeastMs, (least * 1000) / 2);
        const addresses = mappings.map(({ address }) => address);
        this.#say(
          'info',
          addresses,
          `${name} of the router: others come in by ${addresses.map(addressText).join(', ')}`,
        );
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#say('warn', [], describeError(error));
      }
      await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  #say(level: 'info' | 'warn', mapped: readonly Address[], words: string): void {
    if (words === this.#words) return;
    this.#mapped = mapped;
    this.#words = words;
    this.#log[level]({ words }, 'the router was asked to let others through');
    this.#init.onChange();
  }

  async #round(listening: readonly Address[]): Promise<{ name: string; mappings: Mapping[] }> {
    const { limits, router = await defaultRouter() } = this.#init;
    const local = router && (await sourceTo(router.host));
    if (router === undefined || local === undefined) throw mappingFailed('expected a router with IPv4, got none');
    const heard = listening.filter(({ host }) => host === local || WILDCARDS.has(host));
    const ports = [...new Set(heard.map(({ port }) => port))];
    if (ports.length === 0) {
      throw mappingFailed(`expected the node to listen on ${local}, where the router can reach it; it does not`);
    }
    const reasons: string[] = [];
    for (const way of [new NatPmp(router, limits), new Upnp(router, { local, limits })]) {
      try {
        return { name: way.name, mappings: await this.#ask(way, ports) };
      } catch (error) {
        reasons.push(describeError(error));
      }
    }
    throw mappingFailed(reasons.join('; '));
  }

  async #ask(way: MappingWay, ports: readonly number[]): Promise<Mapping[]> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#init.limits.mappingAnswerMs)]);
    const mappings: Mapping[] = [];
    for (const port of ports) {
      const mapping = await way.map(port, signal, this.#held.get(port)?.mapping);
      this.#held.set(port, { way, mapping });
      mappings.push(mapping);
    }
    return mappings;
  }
}
