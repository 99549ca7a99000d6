import type { Response } from 'express';
import type { MessageOf } from '../bus/subjects.ts';
import { PortalError } from '../errors.ts';
import { EVENT_LIMITS } from '../limits.ts';
import type { Member, Route } from './route.ts';
import { nothingSchema } from './schemas.ts';
import { memberOf } from './session.ts';

/**
 * Tells an open page that what it shows has changed: then it asks for itself again. What has changed is not said here, so
 * that there is one way by which anybody sees what he holds.
 */
export const events: Route<object> = {
  method: 'get',
  path: '/events',
  summary: 'A stream of server-sent events: `changed`, when what the account holds or donates is not what it was.',
  access: 'user',
  inPerson: true,
  produces: 'text/event-stream',
  problems: ['TOO_MANY_REQUESTS'],
  body: nothingSchema,
  handle: async (visit) => {
    const { accept = 'nothing' } = visit.request.headers;
    if (!accept.includes('text/event-stream')) {
      const got = accept.slice(0, 100);
      throw new PortalError('INVALID_REQUEST', `expected a request that accepts text/event-stream, got one for ${got}`);
    }
    await new Stream(memberOf(visit)).run();
    return undefined;
  },
};

/** Streams of an account in this process. */
const open = new Map<string, number>();

class Stream {
  readonly #member: Member;
  readonly #response: Response;
  readonly #stack = new DisposableStack();
  /** Whose coming and going the account can see. */
  #nodes: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(member: Member) {
    this.#member = member;
    this.#response = member.response;
  }

  /** Goes on until the browser or the time ends it. @throws PortalError TOO_MANY_REQUESTS */
  async run(): Promise<void> {
    this.#count();
    this.#response.on('close', () => this.#stack.dispose());
    if (this.#response.destroyed) this.#stack.dispose(); // It has gone already, and nobody says so again.
    if (this.#stack.disposed) return;
    const { account, bus } = this.#member;
    const onVessel = async (message: MessageOf<'vessel.changed'>): Promise<void> => {
      const isOwn = message.account === account.id || (message.node !== undefined && this.#nodes.has(message.node));
      const isOfAny = message.account === undefined && message.node === undefined;
      if (!isOwn && !isOfAny) return;
      if (!(await this.#isStillHe())) return;
      await this.#look();
      this.#say();
    };
    const onNode = ({ node }: MessageOf<'node.changed'>): void => {
      if (node === undefined || this.#nodes.has(node)) this.#say();
    };
    const onGap = (): void => this.#say();
    this.#stack.defer(bus.subscribe('vessel.changed', { onMessage: onVessel, onGap }));
    this.#stack.defer(bus.subscribe('node.changed', { onMessage: onNode, onGap }));
    await this.#look();
    // Without the last header a proxy may keep events back.
    this.#response.set({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' }).type('text/event-stream');
    this.#write('event: open\ndata: {}\n\n');
    this.#every(EVENT_LIMITS.beatMs, () => {
      this.#write(': still here\n\n');
      this.#isStillHe().catch(() => this.#response.end()); // The page opens another.
    });
    // The next one asks again who it is that listens.
    this.#every(EVENT_LIMITS.streamMs, () => this.#response.end());
  }

  #count(): void {
    const { id } = this.#member.account;
    const streams = open.get(id) ?? 0;
    if (streams >= EVENT_LIMITS.streamsPerAccount) {
      const message = `expected at most ${EVENT_LIMITS.streamsPerAccount} open pages of an account that are kept up to date, got one more`;
      throw new PortalError('TOO_MANY_REQUESTS', message);
    }
    open.set(id, streams + 1);
    this.#stack.defer(() => {
      const left = (open.get(id) ?? 1) - 1;
      if (left > 0) open.set(id, left);
      else open.delete(id);
      clearTimeout(this.#timer);
    });
  }

  /** Who has logged out or was banned hears nothing more. */
  async #isStillHe(): Promise<boolean> {
    const { store, account, sessionToken } = this.#member;
    const isHe = (await store.sessions.accountOf(sessionToken))?.id === account.id;
    if (!isHe) this.#response.end();
    return isHe;
  }

  async #look(): Promise<void> {
    const { store, account } = this.#member;
    const [held, donated] = [await store.leases.holdings(account.id), await store.nodes.donationsOf(account.id)];
    this.#nodes = new Set([...held, ...donated].map(({ node }) => node));
  }

  /** Once for all that happens in a moment. */
  #say(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write('event: changed\ndata: {}\n\n');
    }, EVENT_LIMITS.gatherMs);
  }

  #write(text: string): void {
    if (!this.#response.writableEnded) this.#response.write(text);
  }

  #every(ms: number, act: () => void): void {
    const timer = setInterval(act, ms);
    this.#stack.defer(() => clearInterval(timer));
  }
}
