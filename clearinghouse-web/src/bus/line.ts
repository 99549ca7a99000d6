import { Socket } from 'node:net';
import { describeError } from '@potluck/protocol';
import pg from 'pg';
import type { Logger } from 'pino';
import { BUS_LIMITS, DATABASE_LIMITS } from '../limits.ts';
import { withoutPasswords } from '../store/postgres.ts';

export interface LineInit {
  readonly url: string;
  readonly logger: Logger;
  readonly channels: readonly string[];
  onNotice(payload: string): void;
  /** The line is back, after notices may have been lost. */
  onBack(): void;
  onAway(): void;
}

/** A connection of its own to PostgreSQL that listens and notifies, and comes back when it was cut. */
export class Line {
  readonly #init: LineInit;
  #client: pg.Client | undefined;
  #socket: Socket | undefined;
  #outbox: { readonly channel: string; readonly payload: string }[] = [];
  #sending = false;
  #waitMs: number = BUS_LIMITS.redialFirstMs;
  #redial: NodeJS.Timeout | undefined;
  #check: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(init: LineInit) {
    this.#init = init;
  }

  get isUp(): boolean {
    return this.#client !== undefined;
  }

  /** @throws whatever the database's library throws */
  async start(): Promise<void> {
    await this.#dial();
    this.#check = setInterval(() => void this.#ask('select 1'), BUS_LIMITS.checkMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#check);
    clearTimeout(this.#redial);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
    this.#socket?.destroy();
  }

  /** In the order of the calls. While the line is away it is lost, and so is all that waits when too much does. */
  send(channel: string, payload: string): void {
    if (!this.isUp) return;
    if (this.#outbox.length >= BUS_LIMITS.outgoingMessages) {
      this.#hangUp('more is said than it can carry');
      return;
    }
    this.#outbox.push({ channel, payload });
    if (!this.#sending) void this.#flush();
  }

  /** What was said while the database took the last is said in one statement: a notice costs as much as a commit. */
  async #flush(): Promise<void> {
    this.#sending = true;
    await Promise.resolve();
    while (this.isUp && this.#outbox.length > 0) {
      const batch = this.#outbox.splice(0, BUS_LIMITS.noticesAtOnce);
      await this.#ask('select pg_notify(c, p) from unnest($1::text[], $2::text[]) as t(c, p)', [
        batch.map(({ channel }) => channel),
        batch.map(({ payload }) => payload),
      ]);
    }
    this.#sending = false;
  }

  async #ask(query: string, values: unknown[] = []): Promise<void> {
    const client = this.#client;
    try {
      await client?.query(query, values);
    } catch (error) {
      if (client === this.#client) this.#hangUp(describeError(error));
    }
  }

  async #dial(): Promise<void> {
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: this.#init.url,
      connectionTimeoutMillis: DATABASE_LIMITS.connectMs,
      // Of a machine that is gone without a word.
      query_timeout: BUS_LIMITS.checkMs,
      application_name: 'potluck bus',
      stream: () => socket,
    });
    this.#socket = socket;
    client.on('error', (error) => {
      if (client === this.#client) this.#hangUp(describeError(error));
    });
    client.on('end', () => {
      if (client === this.#client) this.#hangUp('the database closed the connection');
    });
    client.on('notification', ({ payload = '' }) => this.#init.onNotice(payload));
    try {
      await client.connect();
      for (const channel of this.#init.channels) await client.query(`listen ${channel}`);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    if (this.#stopped) socket.destroy();
    else this.#client = client;
  }

  #hangUp(reason: string): void {
    if (this.#client === undefined) return;
    this.#client = undefined;
    this.#outbox = [];
    this.#socket?.destroy();
    this.#init.logger.warn({ reason: withoutPasswords(reason) }, 'the bus is away');
    this.#init.onAway();
    this.#dialLater();
  }

  #dialLater(): void {
    if (this.#stopped) return;
    this.#redial = setTimeout(async () => {
      try {
        await this.#dial();
      } catch {
        this.#waitMs = Math.min(2 * this.#waitMs, BUS_LIMITS.redialLongestMs);
        this.#dialLater();
        return;
      }
      this.#waitMs = BUS_LIMITS.redialFirstMs;
      this.#init.logger.info('the bus is back');
      this.#init.onBack();
    }, this.#waitMs);
  }
}
