import type { Assignment, Member, PlanInit, Seen, Step, Wanted } from './plan.ts';

/** What is not as it is declared. */
export interface Fault {
  readonly code: 'NO_VESSELS' | 'UNREACHABLE' | 'PROGRAM_FAILED' | 'ROLLOUT_FAILED';
  readonly message: string;
  /** The vessels that it hits. */
  readonly keys: readonly string[];
}

/** What is to be done about one member: one of these, or nothing. */
export interface Work {
  readonly vessel: Seen;
  readonly step?: Step;
  readonly fault?: Fault;
}

interface Slot extends Assignment {
  readonly vessel: Seen;
}

/** What one member, or a vessel that becomes one, lacks. */
export function workOn(wanted: Wanted, { vessel, index, args }: Slot, init: PlanInit): Work[] {
  const { key, member, situation } = vessel;
  const base = { key, index, args };
  if (situation === 'away') return [{ vessel, fault: away(key) }];
  if (member === undefined) return [{ vessel, step: { do: 'create', ...base, why: 'it is free' } }];
  const old = differenceOf(wanted, member, args);
  if (old !== undefined) return [{ vessel, step: { do: 'update', ...base, why: old } }];
  return startOf(wanted, { vessel, member }, init);
}

function startOf(wanted: Wanted, { vessel, member }: { vessel: Seen; member: Member }, init: PlanInit): Work[] {
  const { key } = vessel;
  const { doing, index, args, restarts } = member;
  const why = reasonToStart(member, wanted.restart.when);
  const hasFailed = doing === 'failed' || doing === 'lost';
  const fault: Fault = { code: 'PROGRAM_FAILED', message: `its program ended: ${member.why}`, keys: [key] };
  if (why === undefined) return hasFailed ? [{ vessel, fault }] : [];
  const step: Step = { do: 'start', key, index, args, why, restarts };
  if (doing === 'new' || doing === 'stopped') return [{ vessel, step }];
  if (init.asked) return member.ours ? (hasFailed ? [{ vessel, fault }] : []) : [{ vessel, step }];
  if (member.restarts >= wanted.restart.atMost) {
    const message = `its program ended again after ${member.restarts} restarts in a row: ${member.why}`;
    return [{ vessel, fault: { ...fault, message } }];
  }
  return member.dueAt > init.now ? [] : [{ vessel, step }];
}

function differenceOf({ version }: Wanted, member: Member, args: readonly string[]): string | undefined {
  if (member.version !== version) return `it has version ${member.version}`;
  if (member.changed !== undefined) return member.changed;
  const isSame = args.length === member.args.length && args.every((arg, at) => arg === member.args[at]);
  return isSame ? undefined : 'its arguments are others now';
}

function reasonToStart({ doing, why }: Member, when: Wanted['restart']['when']): string | undefined {
  if (doing === 'new') return 'it was not started yet';
  if (doing === 'stopped') return 'it was stopped';
  if (doing === 'started' || when === 'never') return undefined;
  return doing === 'finished' && when === 'on-failure' ? undefined : why;
}

interface RollInit {
  readonly work: readonly Work[];
  readonly members: readonly Seen[];
  readonly init: PlanInit;
}

interface Roll {
  readonly steps: readonly Step[];
  readonly ready: readonly Step[];
  readonly proving: readonly string[];
  readonly faults: readonly Fault[];
}

/**
 * A new version reaches `atOnce` vessels at a time: the next ones when those before them are healthy. It goes no further
 * while it has failed anywhere: the others keep the version that they have, and are started again with that.
 */
export function rolledOut(wanted: Wanted, { work, members, init }: RollInit): Roll {
  const faults = work.flatMap(({ fault }) => fault ?? []);
  const starts = stepsOf(work, 'start');
  const changes = [...stepsOf(work, 'create'), ...worstFirst(work)];
  const changing = new Set(changes.flatMap((step) => ('key' in step ? step.key : [])));
  const present = members.filter(({ key, situation }) => situation === 'member' && !changing.has(key));
  const unproven = present.filter(({ member }) => member && isUnproven(member, init));
  const started = unproven.filter(({ member }) => member?.doing === 'started');
  const isRolling = changes.some((step) => step.do === 'update');
  if (!isRolling) {
    const proving = started.filter(({ member }) => member?.ours).map(({ key }) => key);
    return { steps: [...starts, ...changes], ready: [...starts, ...changes], proving, faults };
  }
  const failed = unproven.filter(({ member }) => member?.doing === 'failed');
  const block = failed.find(({ member }) => wanted.restart.when === 'never' || !init.asked || member?.ours);
  if (block !== undefined) {
    const old = keptGoing(wanted, { work, init });
    const message = `version ${wanted.version} goes no further, for it has failed: ${block.member?.why}`;
    const fault: Fault = { code: 'ROLLOUT_FAILED', message, keys: [block.key] };
    return { steps: [...starts, ...old], ready: [...starts, ...old], proving: [], faults: [...faults, fault] };
  }
  const room = failed.length > 0 ? 0 : Math.max(0, wanted.rollout.atOnce - unproven.length);
  const ready = [...starts, ...changes.slice(0, room)];
  return { steps: [...starts, ...changes], ready, proving: started.map(({ key }) => key), faults };
}

function stepsOf(work: readonly Work[], what: 'start' | 'create' | 'update'): Step[] {
  return work.flatMap(({ step }) => (step?.do === what ? [step] : []));
}

/** Members that serve nobody get the new version before those that run. */
function worstFirst(work: readonly Work[]): Step[] {
  const updates = work.filter(({ step }) => step?.do === 'update');
  const runs = ({ vessel }: Work): number => (vessel.member?.doing === 'started' ? 1 : 0);
  return stepsOf(
    updates.toSorted((a, b) => runs(a) - runs(b)),
    'update',
  );
}

/** A version has not failed where a node went away; it may be long until that member is started again, if it ever is. */
function isUnproven({ doing, provenAt }: Member, { now }: PlanInit): boolean {
  return doing === 'started' ? provenAt > now : doing !== 'finished' && doing !== 'lost';
}

/** Old members are started again as what they are, by the rule. */
function keptGoing(wanted: Wanted, { work, init }: { work: readonly Work[]; init: PlanInit }): Step[] {
  return work.flatMap(({ vessel, step }) => {
    const { member } = vessel;
    if (member === undefined || step?.do !== 'update' || member.version === wanted.version) return [];
    return startOf(wanted, { vessel, member }, init).flatMap((found) => found.step ?? []);
  });
}

function away(key: string): Fault {
  return { code: 'UNREACHABLE', message: 'expected its node to answer, got nothing', keys: [key] };
}
