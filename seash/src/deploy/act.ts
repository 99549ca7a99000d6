import { type FileName, PeerError, RequestError, type VesselInfo } from '@potluck/protocol';
import { ask } from '../bulk.ts';
import { checkedArgs } from '../commands/programs.ts';
import { CommandError } from '../errors.ts';
import type { Context } from '../session.ts';
import type { Target } from '../targets.ts';
import { filesOf } from '../upload.ts';
import type { Declared } from './declared.ts';
import { MARK_FILE, type Mark, sealMark } from './mark.ts';
import type { Observer } from './observe.ts';
import type { Assignment, Member } from './plan.ts';

/** What each step needs that changes a vessel. */
export interface Hand {
  readonly context: Context;
  readonly observer: Observer;
  readonly declared: Declared;
}

/**
 * Puts the declared version into a vessel and starts it. Cut off at any place, it leaves a vessel that the next look finds
 * to be old, changed or not started yet: the mark is written when what is old is gone and before what is new is there, and
 * the hashes of the files tell the rest.
 * @throws CommandError DEPLOYMENT_CHANGED, BAD_ARGUMENTS @throws RequestError, PeerError
 */
export async function deploy(hand: Hand, target: Target, { index, args }: Assignment): Promise<void> {
  const { declared, observer } = hand;
  const { version, programName: program, uploads } = declared;
  checkedArgs(args);
  const present = await checkedFiles(hand, target);
  const { mark } = observer.markOf(target);
  observer.touched(target);
  const info = await stopped(hand, target);
  const names = uploads.map(({ name }) => name);
  for (const name of mark?.files ?? []) {
    if (present.has(name) && !names.includes(name)) await remove(hand, target, name);
  }
  const next = { version, index, program, args: [...args], files: names, restarts: 0, after: info.since };
  await writeMark(hand, target, next);
  observer.joined(target, next);
  for (const { name, bytes, sha256 } of uploads) {
    if (present.get(name) !== sha256) await add(hand, target, { name, bytes, sha256 });
  }
  await start(hand, target, { program, args });
}

/** Starts what is in the vessel, with the arguments of its mark. @param counts whether it is one more restart in a row */
export async function startAgain(hand: Hand, target: Target, { doing, restarts }: Member): Promise<void> {
  await checkedFiles(hand, target);
  const { mark } = hand.observer.markOf(target);
  hand.observer.touched(target);
  const info = await infoOf(hand, target);
  if (mark === undefined || info.state === 'Started') return;
  const counted = doing === 'new' || doing === 'stopped' ? 0 : restarts + 1;
  await writeMark(hand, target, { ...mark, restarts: counted, after: info.since });
  await start(hand, target, mark);
}

/** Ends its program and takes away all that is in it. @throws CommandError DEPLOYMENT_CHANGED @throws RequestError, PeerError */
export async function clear(hand: Hand, target: Target): Promise<void> {
  await checkedFiles(hand, target);
  hand.observer.touched(target);
  await ask(hand.context, target, { method: 'ResetVessel', params: { vessel: target.vessel } });
}

/** @returns the hashes of the files by their names, if the mark is the one that was looked at when this was decided. */
async function checkedFiles({ context, observer }: Hand, target: Target): Promise<Map<FileName, string>> {
  const files = new Map((await filesOf(context, target)).map(({ name, sha256 }) => [name, sha256]));
  if (files.get(MARK_FILE) === observer.markOf(target).sha256) return files;
  observer.touched(target);
  const message = 'expected the vessel as it was when this was planned, got a change by somebody else: say it again';
  throw new CommandError('DEPLOYMENT_CHANGED', message);
}

async function stopped(hand: Hand, target: Target): Promise<VesselInfo> {
  const info = await infoOf(hand, target);
  if (info.state !== 'Started') return info;
  const { vessel } = target;
  await ask(hand.context, target, { method: 'StopVessel', params: { vessel } }).catch((error: unknown) => {
    if (!(error instanceof RequestError) || error.code !== 'BAD_STATE') throw error; // It has ended by itself.
  });
  return await infoOf(hand, target);
}

async function infoOf({ context }: Hand, target: Target): Promise<VesselInfo> {
  const { vessels } = (await ask(context, target, { method: 'GetVessels', params: {} })).result;
  const info = vessels.find(({ name }) => name === target.vessel);
  if (info !== undefined) return info;
  throw new CommandError('NO_VESSELS', 'expected the vessel on its node, got a node without it');
}

async function writeMark(
  { context, declared }: Hand,
  target: Target,
  facts: Omit<Mark, 'deployment' | 'node' | 'vessel'>,
): Promise<void> {
  const { node, vessel } = target;
  const bytes = await sealMark(context.identity, { ...facts, deployment: declared.name, node, vessel });
  await ask(context, target, { method: 'AddFileToVessel', params: { vessel, name: MARK_FILE }, attachment: bytes });
}

async function add(
  { context }: Hand,
  target: Target,
  { name, bytes, sha256 }: { name: FileName; bytes: Uint8Array; sha256: string },
): Promise<void> {
  const params = { vessel: target.vessel, name };
  const { result } = await ask(context, target, { method: 'AddFileToVessel', params, attachment: bytes });
  if (result.sha256 !== sha256) {
    throw new PeerError('BAD_REPLY', `expected the node to keep ${name} as it was sent, got another hash`);
  }
}

async function remove({ context }: Hand, { vessel, ...target }: Target, name: FileName): Promise<void> {
  await ask(context, target, { method: 'DeleteFileInVessel', params: { vessel, name } });
}

async function start(
  { context, observer }: Hand,
  target: Target,
  { program, args }: { program: FileName; args: readonly string[] },
): Promise<void> {
  const params = { vessel: target.vessel, program, args: [...args] };
  await ask(context, target, { method: 'StartVessel', params }).finally(() => observer.touched(target, Date.now()));
}
