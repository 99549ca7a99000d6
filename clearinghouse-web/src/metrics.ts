import { readFile } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Bus } from './bus/bus.ts';
import type { GatewayCounts } from './gateway.ts';
import { METRICS_LIMITS } from './limits.ts';
import type { Census } from './store/census.ts';
import type { OnStatement } from './store/database.ts';
import type { Supervisor } from './supervisor.ts';

/** What is asked at each look. */
export interface MetricsSources {
  readonly version: string;
  readonly census: () => Promise<Census>;
  readonly gateway: () => GatewayCounts;
  /** Browsers that are passed on to nodes. */
  readonly passed: () => number;
  readonly bus: Pick<Bus, 'counts'>;
  readonly backend: Pick<Supervisor, 'pid' | 'counts'>;
  /** When the newest backup of this state directory was made, as far as is known. */
  readonly backupAt: () => Promise<number | undefined>;
}

/** One request to the site, answered. */
export interface Answered {
  /** As the table of routes has it, `assets`, or `none`. */
  readonly route: string;
  readonly method: string;
  /** Aborted, when the one who asked did not wait for the end. */
  readonly status: number | 'aborted';
  readonly ms: number;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const VESSEL_STATES = ['free', 'withheld', 'reserved', 'leased', 'cleaning', 'broken', 'gone'] as const;
type Labels = Readonly<Record<string, string>>;

/**
 * Counts what a site process does, for Prometheus. Nothing in it says who: no account, key or address, and labels take
 * values of fixed lists only. What is true of the whole clearinghouse is the same at each of its sites.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #statements = new Histogram({
    name: 'potluck_database_statement_duration_seconds',
    help: 'Statements of this process, from asking to the answer.',
    labelNames: ['kind'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #requests = new Histogram({
    name: 'potluck_http_request_duration_seconds',
    help: 'Requests to the site by route and class of status, or aborted by who asked; of pages that stay open, until they are closed.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  #sources: MetricsSources | undefined;
  #looking: Promise<void> | undefined;

  readonly onStatement: OnStatement = (kind, ms) => this.#statements.observe({ kind }, ms / 1000);

  readonly onAnswered = ({ route, method, status, ms }: Answered): void => {
    const shown = status === 'aborted' ? status : `${Math.floor(status / 100)}xx`;
    this.#requests.observe({ method, route, status: shown }, ms / 1000);
  };

  /** What else is told, asked at each look; and what there is to know of this process. */
  observe(sources: MetricsSources): void {
    this.#sources = sources;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** @returns the text and its type. Without its database it tells of all that it knows itself. */
  async text(): Promise<{ text: string; type: string }> {
    if (this.#sources !== undefined) {
      // Those who come together share one look.
      this.#looking ??= this.#look(this.#sources).finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    return { text: await this.#registry.metrics(), type: this.#registry.contentType };
  }

  async #look(sources: MetricsSources): Promise<void> {
    // What is not known at this look is not told: 0 would say something else.
    for (const name of this.#gauges.keys()) this.#registry.removeSingleMetric(`potluck_${name}`);
    this.#gauges.clear();
    this.#set('build_info', 'Always 1; the version is a label.', 1, { version: sources.version });
    await this.#lookAtBackend(sources);
    this.#lookAtConnections(sources);
    const census = await within(METRICS_LIMITS.censusMs, sources.census());
    this.#set('database_up', 'Whether the database answered at this look.', census === undefined ? 0 : 1);
    if (census === undefined) return;
    this.#set('sites', 'Site processes that live.', census.sites);
    this.#set('emergency_stop', 'Whether everything is stopped.', census.stopped ? 1 : 0);
    this.#lookAtNodes(census);
    this.#lookAtTasks(census);
  }

  #lookAtNodes({ nodes, vessels }: Census): void {
    for (const { life, connected, draining, n } of nodes) {
      const labels = { life, connected: `${connected}`, draining: `${draining}` };
      this.#add('nodes', 'Donated nodes by their life, whether they are connected, and drained.', n, labels);
    }
    const help =
      'Vessels: free (to be had now), withheld (free on a node that is away, drained, resting or not yet offered), reserved, leased, cleaning (being emptied), or on a broken or gone node.';
    // An alarm on few free ones must not go quiet when there are none.
    for (const state of VESSEL_STATES) this.#add('vessels', help, 0, { state });
    for (const { state, life, offering, n } of vessels) {
      const had = state === 'free' && !offering ? 'withheld' : state;
      // What is on such a node is of no use to anybody, whatever it was.
      this.#add('vessels', help, n, { state: life === 'broken' || life === 'gone' ? life : had });
    }
  }

  #lookAtTasks({ tasks, failures }: Census): void {
    for (const { kind, state, n, oldestMs } of tasks) {
      this.#set('tasks', 'Tasks for the backends that have not ended.', n, { kind, state });
      if (state !== 'waiting') continue;
      this.#set(
        'task_oldest_due_seconds',
        'How late the task is that waits longest and was never tried.',
        oldestMs / 1000,
        { kind },
      );
    }
    for (const { kind, state, cause, n } of failures) {
      const help = 'Tasks that failed within a day, or were tried and wait for another time, by the code of the error.';
      this.#set('task_failures', help, n, { kind, state, cause });
    }
  }

  async #lookAtBackend({ backend, backupAt }: MetricsSources): Promise<void> {
    const { pid, counts } = backend;
    this.#set('backend_up', "Whether this site's backend runs.", pid === undefined ? 0 : 1);
    this.#count('backend_starts_total', 'How often a backend was started.', counts.starts);
    for (const outcome of ['done', 'failed'] as const) {
      this.#count('tasks_ended_total', "Tasks that this site's backend has ended.", counts[outcome], { outcome });
    }
    const bytes = pid === undefined ? undefined : await residentBytes(pid);
    if (bytes !== undefined) this.#set('backend_resident_memory_bytes', "Memory of this site's backend.", bytes);
    const at = await backupAt();
    if (at !== undefined) this.#set('backup_timestamp_seconds', 'When the newest backup was made here.', at / 1000);
  }

  #lookAtConnections({ gateway, passed, bus }: MetricsSources): void {
    const { nodes, streams, dials, advertisements } = gateway();
    this.#set('gateway_connections', 'Connections of nodes to the gateway of this site.', nodes);
    this.#set('relay_streams', 'Callers of the relay, from their calls to the ends of their streams.', streams);
    this.#set('passed_browsers', 'Browsers that are passed on to nodes.', passed());
    for (const [outcome, n] of Object.entries(dials)) {
      this.#count('gateway_dials_total', 'Connections to the gateway, of nodes and callers.', n, { outcome });
    }
    for (const [outcome, n] of Object.entries(advertisements)) {
      this.#count('gateway_heartbeats_total', 'Advertisements that nodes have sent.', n, { outcome });
    }
    this.#count('bus_reconnects_total', 'How often the bus came back after it was away.', bus.counts.reconnects);
    this.#count('bus_messages_total', 'Messages heard on the bus between sites.', bus.counts.heard);
  }

  #set(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#gauge(name, help, labels).set(labels, value);
  }

  #add(name: string, help: string, value: number, labels: Labels): void {
    this.#gauge(name, help, labels).inc(labels, value);
  }

  #gauge(name: string, help: string, labels: Labels): Gauge {
    const known = this.#gauges.get(name);
    if (known !== undefined) return known;
    const gauge = new Gauge({
      ...{ name: `potluck_${name}`, help, labelNames: Object.keys(labels) },
      registers: [this.#registry],
    });
    this.#gauges.set(name, gauge);
    return gauge;
  }

  /** @param total since the start. */
  #count(name: string, help: string, total: number, labels: Labels = {}): void {
    const counter =
      this.#counters.get(name) ??
      new Counter({
        ...{ name: `potluck_${name}`, help, labelNames: Object.keys(labels) },
        registers: [this.#registry],
      });
    this.#counters.set(name, counter);
    counter.remove(labels);
    counter.inc(labels, total);
  }
}

/** @returns undefined when it fails, or has not ended by then. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([work.catch(() => undefined), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns undefined where there is no /proc. */
async function residentBytes(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(text) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
