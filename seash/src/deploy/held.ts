import type { HeldVessel, Rule } from '@potluck/protocol';
import type { Account } from '../account.ts';
import { inParallel } from '../bulk.ts';
import { throwIfCancelled } from '../cancel.ts';
import type { ErrorFacts } from '../errors.ts';
import { vesselsAt } from '../refresh.ts';
import type { Context } from '../session.ts';
import { handleOf, nameOf, type Target } from '../targets.ts';
import type { Candidate } from './observe.ts';
import type { Place } from './place.ts';
import type { Deployment } from './schema.ts';

/** Vessels that the account holds at a clearinghouse, and more of them when they are wanted. */
export class HeldVessels implements Place {
  readonly acquires = true;
  readonly missing: { affected: string; error: ErrorFacts }[] = [];
  readonly #context: Context;
  readonly #account: Account;
  /** Handles of what this process has acquired: as it was asked for, so that it may be taken. */
  readonly #acquired = new Set<string>();
  #type: NonNullable<Deployment['where']>['type'] = 'random';
  #rules: readonly Rule[] = [];

  constructor(context: Context, account: Account) {
    this.#context = context;
    this.#account = account;
  }

  /** A vessel whose node cannot be met is left out until it can. @throws ClearinghouseError */
  async candidates({ where }: Deployment): Promise<readonly Candidate[]> {
    this.#type = where?.type ?? 'random';
    this.#rules = where?.rules ?? [];
    const { vessels } = await this.#account.holdings(this.#context.signal);
    await this.#meet(vessels);
    const known = new Map(this.#context.session.targets.all.map((target) => [handleOf(target), target]));
    return vessels.flatMap(({ handle, expiresAt }): Candidate[] => {
      const target = known.get(handle);
      // One that somebody left empty is taken before another is acquired; of what kind it is nobody knows any more.
      const isAny = this.#type === 'random' && this.#rules.length === 0;
      const mayJoin = isAny || this.#acquired.has(handle);
      return target === undefined ? [] : [{ target, expiresAt, mayJoin }];
    });
  }

  async acquire(count: number): Promise<void> {
    const acquired = await this.#account.acquire({ count, type: this.#type, rules: this.#rules }, this.#context.signal);
    for (const { handle } of acquired) this.#acquired.add(handle);
  }

  /** What is on machines that are being drained runs out, and others take its place. */
  async renew(handles: readonly string[]): Promise<void> {
    await this.#account.renew(handles, this.#context.signal);
  }

  async release(handles: readonly string[]): Promise<void> {
    await this.#account.release(handles, this.#context.signal);
    const { targets } = this.#context.session;
    for (const target of targets.all) if (handles.includes(handleOf(target))) targets.drop(target);
  }

  async #meet(vessels: readonly HeldVessel[]): Promise<void> {
    const { session, signal } = this.#context;
    const known = new Map(session.targets.all.map((target) => [handleOf(target), target]));
    for (const { handle, reach } of vessels) {
      const target = known.get(handle);
      if (target !== undefined) target.reach = reach;
    }
    const strangers = vessels.filter(({ handle }) => !known.has(handle));
    const nodes = [...Map.groupBy(strangers, ({ node }) => node).values()];
    const { bad } = await inParallel(this.#quiet(), nodes, async (held) => await this.#visit(held));
    throwIfCancelled(signal);
    this.missing.length = 0;
    for (const { item, error } of bad)
      this.missing.push(...item.map((vessel) => ({ affected: nameOf(vessel), error })));
  }

  async #visit(held: readonly HeldVessel[]): Promise<Target[]> {
    const [first] = held;
    if (first === undefined) return [];
    const { node, reach } = first;
    const wanted = new Set(held.map(({ vessel }) => vessel));
    const infos = await vesselsAt(this.#context, { node, reach });
    const { targets } = this.#context.session;
    return infos.filter(({ name }) => wanted.has(name)).map((info) => targets.put({ node, reach, info }));
  }

  #quiet(): Context {
    return this.#context.with({ onProgress: () => undefined });
  }
}
