import { randomUUID } from 'node:crypto';
import { describeError, type KeyId, parseJson } from '@potluck/protocol';
import type { Logger } from 'pino';
import { BusError } from '../errors.ts';
import { Answerers, bounded, inTime, noSuchNode } from './answerers.ts';
import type { Answerer, Bus, Subscriber } from './bus.ts';
import { Line } from './line.ts';
import { type MessageOf, newsOf, type Subject } from './subjects.ts';
import { Subscriptions } from './subscriptions.ts';
import { type Answer, type Ask, type Words, wireSchema } from './wire.ts';

export interface PostgresBusInit {
  readonly url: string;
  /** The number of this site process, and whose a node is. */
  readonly site: number;
  readonly siteOf: (node: KeyId) => Promise<number | undefined>;
  readonly logger: Logger;
}

const EVERYBODY = 'potluck';

/**
 * The bus of several site processes on one PostgreSQL, by LISTEN and NOTIFY. What one process says comes to all in its
 * order, itself included. When a process was cut off, it and all others are told to look again.
 */
export class PostgresBus implements Bus {
  readonly #init: PostgresBusInit;
  readonly #line: Line;
  readonly #subscriptions: Subscriptions;
  readonly #answerers = new Answerers();
  readonly #asked = new Map<string, { resolve(answer: string): void; reject(error: BusError): void }>();
  readonly counts = { reconnects: 0, heard: 0 };
  #said = 0;

  constructor(init: PostgresBusInit) {
    this.#init = init;
    this.#subscriptions = new Subscriptions(init.logger);
    this.#line = new Line({
      url: init.url,
      logger: init.logger,
      channels: [EVERYBODY, channelOf(init.site)],
      onNotice: (payload) => this.#hear(payload),
      onBack: () => this.#onBack(),
      onAway: () => this.#onAway(),
    });
  }

  async start(): Promise<void> {
    await this.#line.start();
  }

  publish<S extends Subject>(subject: S, message: MessageOf<S>): void {
    bounded(subject, message);
    this.#say(EVERYBODY, { news: { subject, message } });
  }

  subscribe<S extends Subject>(subject: S, subscriber: Subscriber<S>): () => void {
    return this.#subscriptions.add(subject, subscriber);
  }

  async request(node: KeyId, question: object, timeoutMs: number): Promise<object> {
    const copy: object = JSON.parse(bounded('a question', question));
    const site = await this.#init.siteOf(node);
    try {
      return JSON.parse(await this.#ask(site, { node, question: copy, timeoutMs }));
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'NO_SUCH_NODE') throw error;
      // It may have dialled another site in between.
      const next = await this.#init.siteOf(node);
      if (next === site) throw error;
      return JSON.parse(await this.#ask(next, { node, question: copy, timeoutMs }));
    }
  }

  answer(answerer: Answerer): () => void {
    return this.#answerers.add(answerer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscriptions.close();
    this.#giveUp('it was stopped');
    await this.#line.stop();
  }

  async #ask(
    site: number | undefined,
    { node, question, timeoutMs }: { node: KeyId; question: object; timeoutMs: number },
  ): Promise<string> {
    if (site === undefined) throw noSuchNode(node);
    if (site === this.#init.site) return await inTime(this.#answerers.answer(node, question), { node, timeoutMs });
    if (!this.#line.isUp) throw away('it has no connection to the database');
    const ask = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#asked.set(ask, { resolve, reject });
    this.#say(channelOf(site), { ask, from: this.#init.site, node, question: { ...question } });
    try {
      return await inTime(promise, { node, timeoutMs });
    } finally {
      this.#asked.delete(ask);
    }
  }

  #say(channel: string, words: Words): void {
    this.#said += 1;
    this.#line.send(channel, JSON.stringify({ n: this.#said, ...words }));
  }

  #hear(payload: string): void {
    this.counts.heard += 1;
    const words = wireSchema.safeParse(parseJson(payload)).data;
    if (words === undefined) this.#strange(payload);
    else if ('gap' in words) this.#subscriptions.gap();
    else if ('ask' in words) void this.#reply(words);
    else if ('answer' in words) this.#take(words);
    else {
      const news = newsOf(words.news);
      if (news === undefined) this.#strange(payload);
      else this.#subscriptions.deliver(news);
    }
  }

  /** As a site of a later version may say. */
  #strange(payload: string): void {
    this.#init.logger.debug({ payload: payload.slice(0, 200) }, 'something on the bus is not known here');
  }

  async #reply({ ask, from, node, question }: Ask): Promise<void> {
    const channel = channelOf(from);
    try {
      const answer: Record<string, unknown> = JSON.parse(await this.#answerers.answer(node, question));
      this.#say(channel, { answer: ask, value: answer });
    } catch (error) {
      const code = error instanceof BusError && isRefusal(error.code) ? error.code : 'REFUSED';
      this.#say(channel, { answer: ask, code, message: describeError(error).slice(0, 1000) });
    }
  }

  #take(words: Answer): void {
    const asked = this.#asked.get(words.answer);
    if ('value' in words) asked?.resolve(JSON.stringify(words.value));
    else asked?.reject(new BusError(words.code, words.message));
  }

  /** What others said meanwhile has not come here, and what was said here may not have come to others. */
  #onBack(): void {
    this.counts.reconnects += 1;
    this.#subscriptions.gap();
    this.#say(EVERYBODY, { gap: true });
  }

  #onAway(): void {
    this.#giveUp('the connection to the database was lost');
  }

  #giveUp(why: string): void {
    for (const { reject } of this.#asked.values()) reject(away(why));
  }
}

function channelOf(site: number): string {
  return `${EVERYBODY}_${site}`;
}

function isRefusal(code: string): code is 'NO_SUCH_NODE' | 'REFUSED' | 'TOO_LARGE' {
  return code === 'NO_SUCH_NODE' || code === 'REFUSED' || code === 'TOO_LARGE';
}

function away(why: string): BusError {
  return new BusError('AWAY', `expected the bus between the sites, ${why}`);
}
