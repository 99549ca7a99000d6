import { groupFailures, inParallel } from '../bulk.ts';
import { throwIfCancelled } from '../cancel.ts';
import type { ErrorFacts } from '../errors.ts';
import type { Context } from '../session.ts';
import type { Target } from '../targets.ts';
import { clear, deploy, type Hand, startAgain } from './act.ts';
import type { Declared } from './declared.ts';
import { keyOf, Observer } from './observe.ts';
import type { Place } from './place.ts';
import { type Plan, planOf, type Seen, type Step } from './plan.ts';
import { type Change, changeOf, namesOf } from './words.ts';

/** What is done about a vessel that does not become what it was told to be. */
interface Attempt {
  readonly what: string;
  readonly count: number;
  /** When it may be tried again, in milliseconds since the epoch. */
  readonly until: number;
  readonly error?: ErrorFacts;
}

/** Steps that are carried out together. */
type Job = readonly [Step, ...Step[]];

export interface Look {
  readonly plan: Plan;
  readonly seen: readonly Seen[];
  readonly targets: ReadonlyMap<string, Target>;
}

export interface Outcome {
  readonly changes: Change[];
  readonly notes: { name: string; why: string }[];
  readonly failed: ReturnType<typeof groupFailures>;
}

const FIRST_RETRY_MS = 1000;
const MOST_ATTEMPTS = 5;
const LONGEST_RETRY_MS = 5 * 60_000;
/** Between two looks at programs that have to run a while before they are taken for healthy. */
const PROVING_MS = 500;

/** Brings a deployment to what is declared, step by step: look, plan, carry out, and look again. */
export class Deployer {
  readonly changes: Change[] = [];
  readonly #context: Context;
  readonly #observer: Observer;
  readonly #place: Place;
  readonly #attempts = new Map<string, Attempt>();
  readonly #onChange: (change: Change) => Promise<void>;

  constructor(context: Context, place: Place, init: { onChange?: (change: Change) => Promise<void> } = {}) {
    this.#context = context;
    this.#place = place;
    this.#observer = new Observer(context);
    this.#onChange = init.onChange ?? (async () => undefined);
  }

  /** @param asked see `PlanInit`. @throws what the place throws: a clearinghouse that is away */
  async look(declared: Declared, asked: boolean): Promise<Look> {
    const candidates = await this.#place.candidates(declared);
    const seen = await this.#observer.look(declared, candidates);
    throwIfCancelled(this.#context.signal);
    const targets = new Map(candidates.map(({ target }) => [keyOf(target), target]));
    const count = declared.count ?? candidates.length;
    const wanted = { ...declared, count, acquires: this.#place.acquires };
    return { plan: planOf(wanted, seen, { now: Date.now(), asked }), seen, targets };
  }

  /** Until there is nothing more to do, and what was started is healthy. Each step is tried once. */
  async apply(declared: Declared): Promise<Outcome> {
    for (;;) {
      const look = await this.look(declared, true);
      const due = look.plan.ready.filter((step) => !this.#attempts.has(attemptKey(step, declared)));
      if (due.length > 0) await this.#carryOut(declared, look, due);
      else if (look.plan.proving.length > 0) await pause(PROVING_MS, this.#context.signal);
      else return this.outcome(declared, look);
    }
  }

  /** One look, and what it asks for; a step that did not help is tried again later and later. */
  async tend(declared: Declared): Promise<{ outcome: Outcome; busy: boolean }> {
    const look = await this.look(declared, false);
    const planned = new Set(look.plan.steps.map((step) => attemptKey(step, declared)));
    for (const key of this.#attempts.keys()) if (!planned.has(key)) this.#attempts.delete(key);
    const due = look.plan.ready.filter((step) => {
      return (this.#attempts.get(attemptKey(step, declared))?.until ?? 0) <= Date.now();
    });
    const outcome = this.outcome(declared, look); // Of what this look found: what it leads to, the next one sees.
    await this.#carryOut(
      declared,
      look,
      due.map((step) => this.#givenUp(declared, step)),
    );
    return { outcome, busy: due.length > 0 || look.plan.proving.length > 0 };
  }

  /** What `destroy` would do. */
  async destruction(declared: Declared): Promise<Outcome> {
    const look = await this.look(declared, true);
    const outcome = this.outcome(declared, look);
    return { ...outcome, changes: removals(look).map((step) => changeOf(step, look)), failed: [] };
  }

  /** Ends all members and takes away what is in them; what was acquired is given back. */
  async destroy(declared: Declared): Promise<Outcome> {
    const look = await this.look(declared, true);
    const steps = removals(look);
    await this.#carryOut(declared, look, steps);
    const failed = this.#stuck(declared, look, steps).filter(({ isError }) => isError);
    return { ...this.outcome(declared, look), failed: groupFailures([...failed, ...this.#place.missing]) };
  }

  async #carryOut(declared: Declared, look: Look, steps: readonly Step[]): Promise<void> {
    const hand: Hand = { context: this.#context, observer: this.#observer, declared };
    const { bad, good } = await inParallel(
      this.#context,
      jobsOf(steps, this.#place.acquires),
      async (job) => await this.#do(hand, look, job),
    );
    const done = good.flatMap(({ item }) => item);
    for (const step of done) this.#tried(declared, step);
    for (const { item, error } of bad) for (const step of item) this.#tried(declared, step, error);
    for (const step of done) await this.#tell(changeOf(step, look));
    throwIfCancelled(this.#context.signal);
  }

  async #do(hand: Hand, look: Look, [step, ...more]: Job): Promise<void> {
    if (step.do === 'acquire') return await this.#place.acquire(step.count);
    const keys = [step, ...more].flatMap((one) => ('key' in one ? one.key : []));
    if (step.do === 'renew') return await this.#place.renew(keys);
    const target = look.targets.get(step.key);
    // A clearinghouse empties what it is given back, also when the node is away now.
    if (this.#place.acquires && (step.do === 'release' || step.do === 'remove')) return await this.#place.release(keys);
    if (target === undefined) return;
    const member = look.seen.find(({ key }) => key === step.key)?.member;
    if (step.do === 'start') return member && (await startAgain(hand, target, member));
    if ('args' in step) return await deploy(hand, target, step);
    await clear(hand, target);
  }

  /** A vessel that can be had elsewhere is not tried without end. */
  #givenUp(declared: Declared, step: Step): Step {
    const { count = 0 } = this.#attempts.get(attemptKey(step, declared)) ?? {};
    if (!this.#place.acquires || !('args' in step) || count < MOST_ATTEMPTS) return step;
    return { do: 'release', key: step.key, why: `it did not do as it was told ${count} times` };
  }

  #tried(declared: Declared, step: Step, error?: ErrorFacts): void {
    const key = attemptKey(step, declared);
    const count = (this.#attempts.get(key)?.count ?? 0) + 1;
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 20));
    const attempt = { what: step.do, count, until: Date.now() + wait };
    this.#attempts.set(key, error === undefined ? attempt : { ...attempt, error });
  }

  async #tell(change: Change): Promise<void> {
    this.changes.push(change);
    await this.#onChange(change);
  }

  /** What was done so far, and what is not as it is declared. */
  outcome(declared: Declared, look: Look): Outcome {
    const notes = look.plan.notes.map(({ key, why }) => ({ name: namesOf(look, key), why }));
    const faults = look.plan.faults.flatMap(({ code, message, keys }) => {
      const names = keys.length === 0 ? [declared.name] : keys.map((key) => namesOf(look, key));
      return names.map((affected) => ({ affected, error: { code, message } }));
    });
    const { missing } = this.#place;
    // Whoever names a number of vessels is content with any of the nodes.
    const isShort = declared.count === undefined;
    const left = isShort
      ? []
      : missing.map(({ affected, error }) => ({ name: affected, why: `is left out: ${error.message}` }));
    const failures = [...this.#stuck(declared, look, look.plan.steps), ...faults, ...(isShort ? missing : [])];
    return { changes: this.changes, notes: [...notes, ...left], failed: groupFailures(failures) };
  }

  /** The steps that were carried out and are still to be done, or failed. */
  #stuck(declared: Declared, look: Look, steps: readonly Step[]) {
    return steps.flatMap((step) => {
      const attempt = this.#attempts.get(attemptKey(step, declared));
      if (attempt === undefined) return [];
      const affected = 'key' in step ? namesOf(look, step.key) : 'the clearinghouse';
      return [{ affected, error: attempt.error ?? unheeded(step), isError: attempt.error !== undefined }];
    });
  }
}

/** One for each vessel; a clearinghouse is asked once for all. */
function jobsOf(steps: readonly Step[], acquires: boolean): Job[] {
  const kindOf = (step: Step, index: number): string => {
    if (step.do === 'renew') return 'renew';
    return acquires && (step.do === 'remove' || step.do === 'release') ? 'release' : String(index);
  };
  const groups = Map.groupBy(
    steps.map((step, index) => ({ step, kind: kindOf(step, index) })),
    ({ kind }) => kind,
  );
  return [...groups.values()].flatMap((group) => {
    const [first, ...more] = group.map(({ step }) => step);
    return first === undefined ? [] : [[first, ...more] as const];
  });
}

function removals({ seen }: Look): Step[] {
  const members = seen.filter(({ situation }) => situation === 'member');
  return members.map(({ key }) => ({ do: 'remove', key, why: 'it is to be destroyed' }));
}

/** A step that was done once and is planned again is a node that does not do as it says. */
function unheeded(step: Step): ErrorFacts {
  return {
    code: 'NOT_HEEDED',
    message: `expected the node to do as it was told (${step.do}), got the same state again`,
  };
}

function attemptKey(step: Step, { version }: Declared): string {
  return step.do === 'acquire'
    ? `acquire ${step.count}`
    : JSON.stringify([
        step.do,
        step.key,
        version,
        'args' in step ? step.args : [],
        'restarts' in step ? step.restarts : 0,
      ]);
}

/** @throws CommandError CANCELLED */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
  throwIfCancelled(signal);
}
