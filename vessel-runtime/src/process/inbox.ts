import { EVENT } from '@potluck/repy-api';
import type { Enter } from './world.ts';

/** Messages that one entry into the isolate carries at most, and their characters. */
const MOST_TOGETHER = 32;
const MOST_LENGTH = 128 * 1024;
/**
 * A program that computes longer for the messages of one entry gets fewer: none waits long for another's work. Of its own
 * time: on a busy machine every entry takes long.
 */
const MOST_MS = 1;
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

interface Arrived {
  readonly handle: number;
  readonly data: string;
  readonly ip: string;
  readonly port: number;
}

/**
 * Messages that came within one turn of the event loop. An entry into the isolate costs more than most programs need for
 * a message, so that those that came together are handed over together, in their order.
 */
export class Inbox {
  readonly #enterProgram: Enter;
  #arrived: Arrived[] = [];
  #together = 1;

  constructor(enter: Enter) {
    this.#enterProgram = enter;
  }

  push(message: Arrived): void {
    if (this.#arrived.push(message) === 1) setImmediate(this.#handOver);
  }

  readonly #handOver = (): void => {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (let from = 0; from < arrived.length; ) {
      const to = this.#end(arrived, from);
      const begin = arrived.length > 1 ? cpuMs() : 0;
      this.#enter(arrived, from, to);
      from = to;
      if (arrived.length === 1) return;
      const share = MOST_MS / (cpuMs() - begin);
      this.#together = Math.max(1, Math.min(MOST_TOGETHER, Math.floor(this.#together * Math.min(2, share))));
    }
  };

  /** @returns where the messages that go with that at `from` end. */
  #end(arrived: readonly Arrived[], from: number): number {
    const most = Math.min(arrived.length, from + this.#together);
    let length = 0;
    let to = from;
    do {
      length += arrived[to]?.data.length ?? 0;
      to += 1;
    } while (to < most && length + (arrived[to]?.data.length ?? 0) <= MOST_LENGTH);
    return to;
  }

  #enter(arrived: readonly Arrived[], from: number, to: number): void {
    const first = arrived[from];
    if (first === undefined) return;
    if (to === from + 1) {
      this.#enterProgram(EVENT.message, first.handle, first.data, first.ip, first.port);
      return;
    }
    // What `EVENT.messages` says. An address is told once for all that come from it in a row.
    let heads = '';
    let texts = '';
    let addresses = '';
    let before = '';
    for (let at = from; at < to; at++) {
      const { handle, data, ip, port } = arrived[at] as Arrived;
      const known = ip === before;
      heads += String.fromCharCode(
        handle,
        handle / 2 ** 16,
        handle / 2 ** 32,
        port,
        known ? 0 : ip.length,
        data.length,
      );
      texts += data;
      if (!known) addresses += ip;
      before = ip;
    }
    this.#enterProgram(EVENT.messages, heads, texts, addresses);
  }
}
