import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { DATABASE_LIMITS, HISTORY_LIMITS } from '../limits.ts';
import type { Pulse } from '../store/history.ts';
import type { NodeLife } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { SurveyedNode } from '../store/survey.ts';
import { within } from '../within.ts';
import { perStore } from './cached.ts';
import type { Route } from './route.ts';
import { nothingSchema } from './schemas.ts';

/** The page is looked at most when something is wrong, and then by everybody. */
const KEPT_MS = 5_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A task that is due and has waited longer than this has nobody who does it. */
const SLOW_QUEUE_MS = 60_000;

const partSchema = z.object({ ok: z.boolean() });
const spanSchema = z.object({
  /** Milliseconds since the epoch. */
  from: z.int(),
  /** Part of the time in which the site ran; null before it was first looked at. */
  site: z.number().nullable(),
  backend: z.number().nullable(),
  /** The middle of what there was. */
  nodes: z.number().nullable(),
  free: z.number().nullable(),
});
type Span = z.infer<typeof spanSchema>;

const statusSchema = z.object({
  ok: z.boolean(),
  at: z.int(),
  site: partSchema,
  database: partSchema.extend({ answerMs: z.number() }),
  backend: partSchema,
  queue: partSchema.extend({ waiting: z.int(), oldestMs: z.int() }),
  nodes: z.object({
    up: z.int(),
    away: z.int(),
    accepting: z.int(),
    splitting: z.int(),
    offered: z.int(),
    broken: z.int(),
  }),
  vessels: z.object({ all: z.int(), free: z.int() }),
  /** While an administrator has stopped all programs. */
  stopped: z.object({ since: z.int() }).nullable(),
  /** Each of the last 24 hours, and each of the last 7 days; the last one is under way. */
  hours: z.array(spanSchema),
  days: z.array(spanSchema),
});

/** Whether all is well: for everybody, and without a word about anybody. */
export const status: Route<object> = {
  method: 'get',
  path: '/status',
  summary: 'Whether all is well, and how the last day and week were.',
  access: 'anyone',
  always: true,
  problems: ['NOT_READY'],
  body: nothingSchema,
  result: statusSchema,
  handle: async ({ store, backendRuns }) => {
    const facts = await within(DATABASE_LIMITS.statusMs, factsOf(store), silent).catch((cause: unknown) => {
      throw silent(cause);
    });
    const backend = { ok: backendRuns() };
    const json = { ...facts, backend, ok: backend.ok && facts.queue.ok && facts.stopped === null };
    return { json, page: { view: 'status', title: 'Status', data: json } };
  },
  refused: async ({ backendRuns }) => ({
    view: 'down',
    title: 'Status',
    data: { backend: { ok: backendRuns() } },
  }),
};

/** A database that hangs is one that does not answer. */
function silent(cause?: unknown): PortalError {
  const message = 'expected the database to answer, it does not: nothing can be done here before';
  return new PortalError('NOT_READY', message, { cause });
}

const factsOf = perStore(KEPT_MS, async (store: Store) => {
  const before = performance.now();
  await store.ping();
  const answerMs = Math.round((performance.now() - before) * 10) / 10;
  const [nodes, queue, at] = [await store.survey.nodes(), await store.survey.queue(), Date.now()];
  const stop = await store.emergency.state();
  const up = nodes.filter(({ active }) => active);
  const today = at - (at % DAY_MS);
  const pulses = await store.history.pulses(Math.min(at - (at % HOUR_MS) - 23 * HOUR_MS, today - 6 * DAY_MS));
  return {
    at,
    stopped: stop === undefined ? null : { since: stop.since },
    site: { ok: true },
    database: { ok: true, answerMs },
    queue: { ok: queue.oldestMs < SLOW_QUEUE_MS, ...queue },
    nodes: { up: up.length, away: nodes.length - up.length, ...livesOf(up) },
    vessels: { all: sumOf(up.map(({ vessels }) => vessels)), free: sumOf(up.map(({ free }) => free)) },
    hours: spansOf(pulses, { at, lengthMs: HOUR_MS, count: 24 }),
    days: spansOf(pulses, { at, lengthMs: DAY_MS, count: 7 }),
  };
});

interface Division {
  readonly at: number;
  readonly lengthMs: number;
  readonly count: number;
}

/** What is known of each span: nothing before the first look, nor of one that has only just begun. */
export function spansOf(pulses: readonly Pulse[], { at, lengthMs, count }: Division): Span[] {
  const last = at - (at % lengthMs);
  const born = pulses[0]?.at ?? at;
  return Array.from({ length: count }, (_, index) => {
    const from = last - (count - 1 - index) * lengthMs;
    const until = Math.min(from + lengthMs, at);
    const looks = pulses.filter((pulse) => pulse.at >= from && pulse.at < from + lengthMs);
    const isTooNew = looks.length === 0 && until - from < 2 * HISTORY_LIMITS.everyMs;
    if (until <= born || isTooNew) return { from, site: null, backend: null, nodes: null, free: null };
    // One look stands for the time until the next.
    const expected = Math.max(1, Math.ceil((until - Math.max(from, born)) / HISTORY_LIMITS.everyMs));
    const part = (n: number): number => Math.min(1, n / expected);
    return {
      from,
      site: part(looks.length),
      backend: part(looks.filter(({ backend }) => backend).length),
      nodes: middleOf(looks.map(({ nodes }) => nodes)),
      free: middleOf(looks.map(({ free }) => free)),
    };
  });
}

/** How many of the machines that are up are where in their life. */
function livesOf(up: readonly SurveyedNode[]) {
  const count = (wanted: NodeLife): number => up.filter(({ life }) => life === wanted).length;
  return {
    accepting: count('accepting'),
    splitting: count('splitting'),
    offered: count('offered'),
    broken: count('broken'),
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

function middleOf(numbers: readonly number[]): number | null {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? null;
}
