import { type FileName, type KeyId, parseRestrictions, type VesselInfo } from '@potluck/protocol';
import { ask, inParallel, nodeFacts } from '../bulk.ts';
import { isOf } from '../refresh.ts';
import type { Context } from '../session.ts';
import type { Target } from '../targets.ts';
import { filesOf } from '../upload.ts';
import type { Declared } from './declared.ts';
import { DEPLOY_LIMITS } from './limits.ts';
import { MARK_FILE, type Mark, openMark } from './mark.ts';
import type { Doing, Member, Seen } from './plan.ts';
import { needsPorts } from './template.ts';

/** A vessel that a deployment may use, and when its lease ends if it has one. */
export interface Candidate {
  readonly target: Target;
  readonly expiresAt?: number | undefined;
  /** Whether it may become a member if it is free; yes unless said. */
  readonly mayJoin?: boolean;
}

/** What was in a vessel when it was last looked into. */
interface Content {
  readonly info: VesselInfo;
  readonly lookedAt: number;
  readonly files: ReadonlyMap<FileName, string>;
  readonly mark: Mark | KeyId | 'broken' | undefined;
}

/** What is remembered of one vessel from one look to the next. */
interface Memory {
  content?: Content;
  port?: number;
  awaySince?: number;
  /** When it was first seen to run since `info.since`. */
  running?: { readonly since: number; readonly seenAt: number };
  /** When this process started the program. */
  startedAt?: number;
  lastMember?: Member;
}

/** How old may be what is known of the files of a vessel whose state is the same. */
const LOOK_AGAIN_MS = 60_000;

export function keyOf({ node, vessel }: Target): string {
  return `${node}:${vessel}`;
}

/** Looks at vessels, and remembers what it saw. */
export class Observer {
  readonly #memories = new Map<string, Memory>();
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Never fails for a vessel: one that cannot be seen is away. */
  async look(declared: Declared, candidates: readonly Candidate[]): Promise<Seen[]> {
    const context = this.#quiet();
    const factsOf = nodeFacts(context);
    const { good, bad } = await inParallel(context, candidates, async (candidate) => {
      return await this.#see(declared, candidate, (await factsOf(candidate.target)).vessels);
    });
    const seen = new Map(good.map(({ item, value }) => [item, value]));
    for (const { item, error } of bad) seen.set(item, this.#missed(declared, item, error.message));
    return candidates.flatMap((candidate) => seen.get(candidate) ?? []);
  }

  /** The mark that was seen last; with its hash, to know it again. */
  markOf(target: Target): { mark: Mark | undefined; sha256: string | undefined; info: VesselInfo | undefined } {
    const content = this.#memory(target).content;
    const mark = typeof content?.mark === 'object' ? content.mark : undefined;
    return { mark, sha256: content?.files.get(MARK_FILE), info: content?.info };
  }

  /** What is in it is no longer known, for it was changed. @param startedAt when a program was started there */
  touched(target: Target, startedAt?: number): void {
    const memory = this.#memory(target);
    delete memory.content;
    delete memory.running; // That was another run.
    if (startedAt !== undefined) memory.startedAt = startedAt;
  }

  /** It has the mark now: if its node goes away before the next look, it is known whose vessel is lost. */
  joined(target: Target, { index, version, args }: Pick<Mark, 'index' | 'version' | 'args'>): void {
    const unseen = {
      doing: 'new',
      why: 'it was not seen yet',
      restarts: 0,
      dueAt: 0,
      provenAt: 0,
      ours: true,
    } as const;
    this.#memory(target).lastMember = { index, version, args, ...unseen };
  }

  forget(target: Target): void {
    this.#memories.delete(keyOf(target));
  }

  /** Looking shows no progress: it is not what the command was asked to do. */
  #quiet(): Context {
    return this.#context.with({ onProgress: () => undefined });
  }

  #memory(target: Target): Memory {
    const key = keyOf(target);
    const memory = this.#memories.get(key) ?? {};
    this.#memories.set(key, memory);
    return memory;
  }

  async #see(
    declared: Declared,
    { target, expiresAt, mayJoin = true }: Candidate,
    vessels: readonly VesselInfo[],
  ): Promise<Seen> {
    const memory = this.#memory(target);
    delete memory.awaySince;
    const base = { key: keyOf(target), ip: ipOf(target), expiresAt };
    const info = vessels.find(({ name }) => name === target.vessel);
    if (info === undefined || !isOf(info, this.#context.identity.id)) {
      this.forget(target);
      return { ...base, port: undefined, situation: 'taken', why: info ? 'is not yours any more' : 'is no more' };
    }
    target.info = info;
    const content = await this.#contentOf(target, info);
    if (needsPorts(declared.args)) memory.port ??= await this.#portOf(target);
    const seen = { ...base, port: memory.port };
    const { mark } = content;
    if (typeof mark === 'object' && mark.deployment === declared.name) {
      memory.lastMember = memberOf(declared, memory, { ...content, mark });
      return { ...seen, situation: 'member', member: memory.lastMember };
    }
    delete memory.lastMember;
    const why = whyTaken(content, expiresAt !== undefined) ?? whyUnfit(seen, mayJoin);
    return why === undefined ? { ...seen, situation: 'free' } : { ...seen, situation: 'taken', why };
  }

  async #contentOf(target: Target, info: VesselInfo): Promise<Content> {
    const memory = this.#memory(target);
    const { content } = memory;
    const isSame = content?.info.state === info.state && content.info.since === info.since;
    if (isSame && Date.now() - content.lookedAt < LOOK_AGAIN_MS) return content;
    const listed = await filesOf(this.#context, target);
    const files = new Map(listed.map(({ name, sha256 }) => [name, sha256]));
    const found = listed.find(({ name }) => name === MARK_FILE);
    const isKnown = found !== undefined && content?.files.get(MARK_FILE) === found.sha256;
    const mark = found && (isKnown ? content.mark : await this.#readMark(target, found.size));
    memory.content = { info, lookedAt: Date.now(), files, mark };
    return memory.content;
  }

  async #readMark(target: Target, size: number): Promise<Mark | KeyId | 'broken'> {
    if (size > DEPLOY_LIMITS.markBytes) return 'broken';
    const call = { method: 'RetrieveFileFromVessel', params: { vessel: target.vessel, name: MARK_FILE } } as const;
    const { attachment } = await ask(this.#context, target, call);
    const mark = await openMark(this.#context.identity, attachment);
    if (typeof mark !== 'object') return mark ?? 'broken';
    return mark.node === target.node && mark.vessel === target.vessel ? mark : 'broken';
  }

  /** @returns 0 for a vessel that may have no messages. */
  async #portOf(target: Target): Promise<number> {
    const call = { method: 'GetVesselResources', params: { vessel: target.vessel } } as const;
    const { restrictions } = (await ask(this.#context, target, call)).result;
    return [...parseRestrictions(restrictions).messport].sort((a, b) => a - b)[0] ?? 0;
  }

  #missed(declared: Declared, { target, expiresAt }: Candidate, why: string): Seen {
    const memory = this.#memory(target);
    memory.awaySince ??= Date.now();
    const lost = Date.now() - memory.awaySince >= declared.replaceAfter;
    const { lastMember: member, port } = memory;
    const base = { key: keyOf(target), ip: ipOf(target), port, situation: 'away', lost, expiresAt } as const;
    return { ...base, ...(member === undefined ? { why } : { member }) };
  }
}

function whyUnfit({ ip, port }: Pick<Seen, 'ip' | 'port'>, mayJoin: boolean): string | undefined {
  if (!mayJoin) return 'was not acquired for this';
  return port === undefined || (port > 0 && ip !== '') ? undefined : 'has no port that others can send to';
}

/** Empty for a node that only a relay leads to. */
function ipOf({ reach }: Target): string {
  return reach.addresses[0]?.host ?? '';
}

function whyTaken({ mark, info, files }: Content, isLeased: boolean): string | undefined {
  if (mark === 'broken') return undefined; // Of nobody, as far as anybody can say.
  if (typeof mark === 'string') return `belongs to a deployment of key ${mark}`;
  if (mark !== undefined) return `belongs to the deployment ${mark.deployment}`;
  if (info.state === 'Started') return `runs ${info.program}, which no deployment has started`;
  if (isLeased && (info.state !== 'Fresh' || files.size > 0)) return 'is in use without a deployment';
  return undefined;
}

function memberOf(declared: Declared, memory: Memory, content: Content & { mark: Mark }): Member {
  const { mark, info } = content;
  const doing = doingOf(content);
  if (doing === 'started' && memory.running?.since !== info.since) {
    memory.running = { since: info.since, seenAt: Date.now() };
  }
  const { healthyAfter } = declared.rollout;
  const ranMs = memory.running === undefined ? 0 : info.since - memory.running.since;
  const restarts = doing !== 'started' && ranMs >= healthyAfter && memory.running ? 0 : mark.restarts;
  const delay = Math.min(declared.restart.longestDelay, declared.restart.firstDelay * 2 ** Math.min(restarts, 30));
  return {
    index: mark.index,
    version: mark.version,
    args: mark.args,
    changed: mark.version === declared.version ? changedIn(declared, content, doing) : undefined,
    doing,
    why: info.ending?.message ?? `it is ${info.state}`,
    restarts,
    // By this machine's clock: a node's may be wrong by half a minute.
    dueAt: Math.min(info.since, Date.now()) + delay,
    provenAt: (memory.running?.seenAt ?? 0) + healthyAfter,
    ours: memory.startedAt !== undefined,
  };
}

function doingOf({ mark, info: { state, since, ending } }: Content & { mark: Mark }): Doing {
  if (state === 'Started') return 'started';
  if (since === mark.after || state === 'Fresh') return 'new';
  if (state === 'Stopped') return 'stopped';
  if (state === 'Stale') return 'lost';
  return ending?.exitCode === 0 ? 'finished' : 'failed';
}

/** Seeds are the program's once it has run. */
function changedIn({ uploads, programName }: Declared, { files, info }: Content, doing: Doing): string | undefined {
  if (doing === 'started' && info.program !== programName) return `it runs ${info.program}`;
  const other = uploads.find(({ name, sha256, seed }) => files.get(name) !== sha256 && (!seed || doing === 'new'));
  if (other === undefined) return undefined;
  return files.has(other.name) ? `its file ${other.name} was changed` : `its file ${other.name} is missing`;
}
