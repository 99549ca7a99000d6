import type { HeldVessel, KeyId } from '@potluck/protocol';
import { Account, type Wanted } from './account.ts';
import { type Bulk, groupFailures, inParallel } from './bulk.ts';
import { LOOKUP_LIMITS } from './clearinghouse.ts';
import { CommandError, type ErrorFacts } from './errors.ts';
import type { Expiry } from './expiry.ts';
import { vesselsAt } from './refresh.ts';
import type { Context } from './session.ts';
import { handleOf, nameOf, type Target } from './targets.ts';

/** Handles in one request; a clearinghouse takes 500. */
const AT_ONCE = 500;

/** A vessel that the account holds. `id` is empty for one that this shell has not met. */
export interface Lease extends Expiry {
  readonly id: string;
  readonly name: string;
  readonly handle: string;
  /** Its node is there. */
  readonly active: boolean;
}

/** The default identity's account at the clearinghouse. */
export function accountOf(context: Context): Account {
  const { clearinghouse, identity, session } = context;
  return new Account({ clearinghouse, identity, account: session.account });
}

/**
 * Acquires vessels, meets their nodes, and leaves the group `acquired`; it is the default target where there is none.
 * @throws ClearinghouseError: then nothing is acquired. A vessel whose node cannot be met is held, and stands in `failed`.
 */
export async function acquire(context: Context, wanted: Wanted): Promise<Bulk<Lease & { node: KeyId }>> {
  const { session } = context;
  const held = await accountOf(context).acquire(wanted, context.signal);
  const nodes = [...Map.groupBy(held, ({ node }) => node).values()];
  const { good, bad } = await inParallel(context, nodes, async (vessels) => await meet(context, vessels));
  const met = new Map(good.flatMap(({ value }) => value.map((target) => [handleOf(target), target] as const)));
  session.targets.setGroup('acquired', met.values());
  if (met.size > 0) session.targetName ??= 'acquired';
  const reasons = new Map(bad.flatMap(({ item, error }) => item.map(({ handle }) => [handle, error] as const)));
  const vessels = held.filter(({ handle }) => met.has(handle));
  const lost = held.filter(({ handle }) => !met.has(handle));
  return {
    vessels: vessels.map((vessel) => ({ ...leaseOf(vessel, met), node: vessel.node })),
    failed: groupFailures(lost.map((v) => ({ affected: nameOf(v), error: reasons.get(v.handle) ?? NOT_THERE }))),
  };
}

/** What the account is, and what it holds. */
export async function standing(context: Context) {
  const account = accountOf(context);
  const [facts, holdings] = await Promise.all([account.facts(context.signal), account.holdings(context.signal)]);
  const known = knownBy(context);
  const { stopped, ...rest } = facts;
  return {
    ...rest,
    ...(stopped && { stopped: { ...stopped, since: new Date(stopped.since).toISOString() } }),
    credits: holdings.credits,
    vessels: holdings.vessels.map((vessel) => leaseOf(vessel, known)),
  };
}

/**
 * Until when the account holds which vessels, by their handles, to be told beside something else: nothing where no
 * clearinghouse says it in time, or where the module is not enabled.
 */
export async function expiries(context: Context): Promise<ReadonlyMap<string, Expiry>> {
  const { clearinghouse, modules } = context.session;
  if (clearinghouse === undefined || !modules.enabled.some(({ name }) => name === 'clearinghouse')) return new Map();
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOOKUP_LIMITS.leasesMs)]);
  try {
    const { vessels } = await accountOf(context).holdings(signal);
    return new Map(vessels.map((vessel) => [vessel.handle, expiryOf(vessel)]));
  } catch {
    return new Map();
  }
}

/** Renews what the account holds of these vessels, or all that it holds. Leaves `renewgood` and `renewfail`. */
export async function renew(context: Context, which: readonly Target[] | 'all'): Promise<Bulk<Lease>> {
  const { held, strangers } = await chosen(context, which);
  const account = accountOf(context);
  let vessels: readonly HeldVessel[] = [];
  const left = new Set<string>();
  for (const handles of chunksOf(held.map(({ handle }) => handle))) {
    const answer = await account.renew(handles, context.signal);
    vessels = answer.vessels;
    for (const handle of answer.drained) left.add(handle);
  }
  const known = knownBy(context);
  const wanted = new Set(held.map(({ handle }) => handle).filter((handle) => !left.has(handle)));
  const drained = [...left].flatMap((handle) => known.get(handle) ?? []);
  const renewed = vessels.filter(({ handle }) => wanted.has(handle));
  const { targets } = context.session;
  targets.setGroup(
    'renewgood',
    renewed.flatMap(({ handle }) => known.get(handle) ?? []),
  );
  targets.setGroup('renewfail', [...strangers, ...drained]);
  const failed = [...notHeld(strangers), ...onDrained(drained)];
  return { vessels: renewed.map((vessel) => leaseOf(vessel, known)), failed };
}

/** Gives back what the account holds of these vessels, or all that it holds; the shell forgets them. Leaves `releasefail`. */
export async function release(context: Context, which: readonly Target[] | 'all'): Promise<Bulk<Lease>> {
  const { held, strangers } = await chosen(context, which);
  const account = accountOf(context);
  const known = knownBy(context);
  const { targets } = context.session;
  for (const handles of chunksOf(held.map(({ handle }) => handle))) {
    await account.release(handles, context.signal);
    for (const target of handles.flatMap((handle) => known.get(handle) ?? [])) targets.drop(target);
  }
  targets.setGroup('releasefail', strangers);
  return { vessels: held.map((vessel) => leaseOf(vessel, known)), failed: notHeld(strangers) };
}

/** What the account holds of these vessels, and the others. */
async function chosen(context: Context, which: readonly Target[] | 'all') {
  const { vessels } = await accountOf(context).holdings(context.signal);
  if (which === 'all') return { held: vessels, strangers: [] };
  const handles = new Set(which.map(handleOf));
  const own = new Set(vessels.map(({ handle }) => handle));
  return {
    held: vessels.filter(({ handle }) => handles.has(handle)),
    strangers: which.filter((target) => !own.has(handleOf(target))),
  };
}

async function meet(context: Context, vessels: readonly HeldVessel[]): Promise<Target[]> {
  const [first] = vessels;
  if (first === undefined) return [];
  const { node, reach } = first;
  const wanted = new Set(vessels.map(({ vessel }) => vessel));
  const infos = await vesselsAt(context, { node, reach });
  const { targets } = context.session;
  return infos.filter(({ name }) => wanted.has(name)).map((info) => targets.put({ node, reach, info }));
}

function knownBy({ session }: Context): ReadonlyMap<string, Target> {
  return new Map(session.targets.all.map((target) => [handleOf(target), target]));
}

function leaseOf(vessel: HeldVessel, known: ReadonlyMap<string, Target>): Lease {
  const { handle, active } = vessel;
  const target = known.get(handle);
  const name = nameOf(target ?? vessel);
  return { id: target?.id ?? '', name, handle, active, ...expiryOf(vessel) };
}

function expiryOf({ expiresAt, warnAt }: HeldVessel): Expiry {
  return { expiresAt: new Date(expiresAt).toISOString(), warnAt: new Date(warnAt).toISOString() };
}

const NOT_THERE: ErrorFacts = {
  code: 'NO_VESSELS',
  message: 'expected the acquired vessel on its node, got a node without it: say "browse" later',
};

function notHeld(strangers: readonly Target[]) {
  const error = new CommandError(
    'NO_VESSELS',
    'expected a vessel that the account holds, got one that it does not hold',
  );
  return groupFailures(strangers.map((target) => ({ affected: nameOf(target), error })));
}

function onDrained(targets: readonly Target[]) {
  const error = new CommandError('NO_VESSELS', 'expected a machine that stays, got one that is being drained');
  return groupFailures(targets.map((target) => ({ affected: nameOf(target), error })));
}

function chunksOf<T>(items: readonly T[]): T[][] {
  const starts = Array.from({ length: Math.ceil(items.length / AT_ONCE) }, (_, index) => index * AT_ONCE);
  return starts.map((start) => items.slice(start, start + AT_ONCE));
}
