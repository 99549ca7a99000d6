import { describeError, PeerError, PotluckError } from '@potluck/protocol';
import type { Logger } from 'pino';
import { ZodError } from 'zod';
import { TaskError } from '../errors.ts';
import { QUEUE } from '../limits.ts';
import { plainly } from '../plain.ts';
import type { Urgency } from '../store/due.ts';
import { advance } from '../store/life.ts';
import type { Claim } from '../store/tasks.ts';
import { Repeated, within } from '../within.ts';
import { type Components, carryOut, type Effect } from './handlers.ts';
import { type Task, taskSchema } from './kinds.ts';
import { Waited } from './talk.ts';

/** How often a kind is tried: an acquisition replaces its node at once, a reset or another key waits for its node for ever. */
const ATTEMPTS: Record<Task['kind'], number> = {
  'make-donor-key': Number.POSITIVE_INFINITY,
  'inspect-node': 8,
  'split-node': 8,
  'change-users': 1,
  'rekey-vessel': Number.POSITIVE_INFINITY,
  'reset-vessel': Number.POSITIVE_INFINITY,
};

export interface WorkerInit {
  readonly logger: Logger;
  /** A task has ended, well or not. */
  readonly onEnded: (claim: Claim, done: boolean) => void;
}

/** Takes tasks off the queue and does them, several at once. */
export class Worker {
  readonly #components: Components;
  readonly #init: WorkerInit;
  /** With how urgent each is. */
  readonly #running = new Map<Promise<void>, number>();
  #sweep: Repeated | undefined;
  #claiming = false;
  #again = false;
  #stopped = false;

  constructor(components: Components, init: WorkerInit) {
    this.#components = components;
    this.#init = init;
  }

  /** Takes up again what this backend had claimed before it was killed: a state directory has one at a time. */
  async start(): Promise<void> {
    await this.#components.store.tasks.resume();
    this.#sweep = new Repeated(QUEUE.sweepMs, async () => await this.#onSweep());
    this.wake();
  }

  /** Lets what is under way end, and takes nothing new. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#sweep?.[Symbol.asyncDispose]();
    await Promise.all(this.#running.keys());
  }

  /** There may be something to do. */
  wake(): void {
    this.#again = true;
    if (!this.#claiming) void this.#claimAll();
  }

  async #onSweep(): Promise<void> {
    try {
      await this.#components.store.tasks.reclaim(Date.now());
      this.wake();
      await this.#components.store.checkpoint();
    } catch (error) {
      this.#init.logger.error({ error: describeError(error) }, 'sweep failed');
    }
  }

  async #claimAll(): Promise<void> {
    this.#claiming = true;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        for (let least = this.#least; least !== undefined && !this.#stopped; least = this.#least) {
          const claim = await this.#components.store.tasks.claim(least);
          if (claim === undefined) break;
          this.#run(claim);
        }
      }
    } catch (error) {
      // The database was busy or is full: the sweep comes again.
      this.#init.logger.error({ error: describeError(error) }, 'claim failed');
    } finally {
      this.#claiming = false;
    }
  }

  /** The least urgency for which there is a place; undefined when all are taken. */
  get #least(): Urgency | undefined {
    const taken = (urgency: Urgency): number => [...this.#running.values()].filter((of) => of >= urgency).length;
    if (taken(0) >= QUEUE.concurrency) return undefined;
    if (taken(1) >= QUEUE.unawaited) return 0;
    return taken(2) >= QUEUE.background ? 1 : 2;
  }

  #run(claim: Claim): void {
    const running = this.#work(claim)
      .catch((error: unknown) => this.#init.logger.error({ task: claim.id, error: describeError(error) }, 'task lost'))
      .finally(() => {
        this.#running.delete(running);
        this.wake();
      });
    this.#running.set(running, claim.urgency);
  }

  /** Writes down which node kept it waiting: it has its place for as long, however well it ended. */
  async #carryOut(claim: Claim, task: Task): Promise<Effect> {
    const { tasks } = this.#components.store;
    const waited = new Waited();
    try {
      const effect = await within(QUEUE.workMs, carryOut({ ...this.#components, waited }, task), late);
      if (waited.ms > QUEUE.slowMs) await tasks.missed(claim);
      return effect;
    } catch (error) {
      if (isSilence(error) || waited.ms > QUEUE.slowMs) await tasks.missed(claim);
      throw error;
    }
  }

  async #work(claim: Claim): Promise<void> {
    const { tasks } = this.#components.store;
    const { logger, onEnded } = this.#init;
    const facts = { task: claim.id, kind: claim.kind, subject: claim.subject };
    try {
      const task = taskSchema.parse({ ...JSON.parse(claim.payload), kind: claim.kind });
      const effect = await this.#carryOut(claim, task);
      const written = await tasks.finish(claim, effect);
      logger.info(facts, written ? 'done' : 'done too late, fenced off');
      onEnded(claim, written);
    } catch (error) {
      // A node has chosen its words; donors and administrators read them, and PostgreSQL keeps no NUL.
      const message = plainly(describeError(error).slice(0, QUEUE.errorLength));
      const failure = { error: message, cause: causeOf(error), measured_ms: measuredBy(error) };
      // What is not in the table of kinds never will be.
      if (!(error instanceof ZodError) && claim.attempts < attemptsOf(claim.kind)) {
        const waitMs = Math.min(QUEUE.retryFirstMs * 2 ** Math.min(claim.attempts - 1, 20), QUEUE.retryLongestMs);
        await tasks.retry(claim, failure, Date.now() + waitMs);
        logger.warn({ ...facts, error: message, waitMs }, 'will try again');
        return;
      }
      await tasks.fail(claim, failure, failureOf(claim, message));
      logger.warn({ ...facts, error: message }, 'failed');
      onEnded(claim, false);
    }
  }
}

/** It has taken the connection, and not answered. */
function isSilence(error: unknown): boolean {
  return error instanceof PeerError && error.code === 'TIMEOUT';
}

/** The work must be over before its claim is; what goes on after that can write nothing any more. */
function late(): TaskError {
  return new TaskError('TASK_TIMEOUT', `expected the work to end within ${QUEUE.workMs / 1000} s, it did not`);
}

/** What is tried no more has broken its node, if that is there: one that is away is looked at when it is back. */
function failureOf({ kind, node_id: node }: Claim, message: string): Effect {
  return async (trx) => {
    if (node === null || (kind !== 'inspect-node' && kind !== 'split-node')) return;
    const here = trx.selectFrom('nodes').select('id').where('id', '=', node).where('connected', '=', 1);
    if ((await here.executeTakeFirst()) !== undefined) await advance(trx, node, 'failed', `${kind}: ${message}`);
  };
}

/** What a node has measured that was given up for it. */
function measuredBy(error: unknown): number | null {
  const ms = error instanceof TaskError && error.code === 'TOO_FAR' ? error.details.measuredMs : undefined;
  return typeof ms === 'number' ? ms : null;
}

/** Few enough to count by: our own codes, one for what is in no table of kinds, and one for all the rest. */
function causeOf(error: unknown): string {
  if (error instanceof ZodError) return 'BAD_TASK';
  return error instanceof PotluckError ? error.code : 'INTERNAL';
}

function attemptsOf(kind: string): number {
  return Object.hasOwn(ATTEMPTS, kind) ? ATTEMPTS[kind as Task['kind']] : 1;
}
