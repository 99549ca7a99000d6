import { type Ending, isMethodName, type RequestCode, type VesselName, vesselStateSchema } from '@potluck/protocol';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Vessel } from './vessel.ts';

/** What is asked at each look. */
export interface MetricsSources {
  readonly version: string;
  readonly vessels: () => readonly Pick<Vessel, 'name' | 'info' | 'restrictions' | 'usage' | 'followers'>[];
  readonly connections: () => number;
  readonly warmProcesses: () => number;
  /** Whether the clearinghouse knows this node now; undefined when none is configured. */
  readonly isKnown: () => boolean | undefined;
}

/** Of requests whose method is not known: refused before it was read, or of nobody's table. */
const NO_METHOD = 'none';
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Counts what the node does, for Prometheus. Nothing in it says who: no key, address, program or file name, and labels
 * take values of fixed lists and the vessels' names only.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'potluck_requests_total',
    help: 'Requests by method and outcome: ok, or the code of the refusal.',
    labelNames: ['method', 'outcome'],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: 'potluck_request_duration_seconds',
    help: 'From a checked request to its outcome.',
    labelNames: ['method'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #replays = new Counter({
    name: 'potluck_replays_refused_total',
    help: 'Requests that had been carried out before.',
    registers: [this.#registry],
  });
  readonly #endings = new Counter({
    name: 'potluck_programs_ended_total',
    help: 'Programs that ended, by how.',
    labelNames: ['kind'],
    registers: [this.#registry],
  });

  /** A request that was carried out or refused. */
  countRequest(method: string, outcome: 'ok' | RequestCode, durationMs: number): void {
    const label = isMethodName(method) ? method : NO_METHOD;
    this.#count(label, outcome);
    this.#seconds.observe({ method: label }, durationMs / 1000);
  }

  /** A request that was refused before anybody looked at what it asks for. */
  countRefusal(code: RequestCode): void {
    this.#count(NO_METHOD, code);
  }

  countEnding(kind: Ending['kind']): void {
    this.#endings.inc({ kind });
  }

  /** What else is told, asked at each look; and what there is to know of this process. */
  observe(sources: MetricsSources): void {
    collectDefaultMetrics({ register: this.#registry });
    const labels = ['version'];
    this.#gauge('potluck_build_info', 'Always 1; the version is a label.', { labels }, (gauge) =>
      gauge.set({ version: sources.version }, 1),
    );
    this.#gauge('potluck_connections', 'Connections of clients.', {}, (gauge) => gauge.set(sources.connections()));
    this.#gauge('potluck_warm_processes', 'Vessel processes that stand ready.', {}, (gauge) =>
      gauge.set(sources.warmProcesses()),
    );
    if (sources.isKnown() !== undefined) {
      this.#gauge('potluck_clearinghouse_up', 'Whether the clearinghouse knows this node now.', {}, (gauge) =>
        gauge.set(sources.isKnown() === true ? 1 : 0),
      );
    }
    this.#observeVessels(sources);
  }

  /** @returns the text and its type. */
  async text(): Promise<{ text: string; type: string }> {
    return { text: await this.#registry.metrics(), type: this.#registry.contentType };
  }

  #observeVessels({ vessels }: MetricsSources): void {
    this.#gauge('potluck_vessels', 'Vessels by state.', { labels: ['state'] }, (gauge) => {
      for (const state of vesselStateSchema.options) gauge.set({ state }, 0);
      for (const { info } of vessels()) gauge.inc({ state: info.state });
    });
    this.#gauge('potluck_log_followers', 'Who follow logs of vessels now.', {}, (gauge) =>
      gauge.set(vessels().reduce((sum, { followers }) => sum + followers, 0)),
    );
    const labels = ['vessel', 'resource'];
    this.#gauge(
      'potluck_vessel_resource_used',
      'By resource, in its unit of restrictions.',
      { labels },
      async (gauge) => {
        for (const vessel of vessels()) each(gauge, vessel.name, await vessel.usage());
      },
    );
    this.#gauge('potluck_vessel_resource_limit', 'By resource, in its unit of restrictions.', { labels }, (gauge) => {
      for (const { name, restrictions } of vessels()) each(gauge, name, restrictions.quantities);
    });
  }

  #gauge(
    name: string,
    help: string,
    { labels = [] }: { labels?: string[] },
    look: (gauge: Gauge) => void | Promise<void>,
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      // Vessels that are no more are not told of.
      collect: async () => {
        gauge.reset();
        await look(gauge);
      },
    });
  }

  #count(method: string, outcome: string): void {
    this.#requests.inc({ method, outcome });
    if (outcome === 'REPLAYED') this.#replays.inc();
  }
}

function each(gauge: Gauge, vessel: VesselName, values: Readonly<Record<string, number>>): void {
  for (const [resource, value] of Object.entries(values)) gauge.set({ vessel, resource }, value);
}
