// Questions and answers over UDP. A packet may be lost, so a question is asked again under the same number until its
// answer comes; a peer that answers none of them is taken for dead.
import type { Peer } from './ids.ts';

const TRIES = 4;
const FIRST_WAIT_SECONDS = 0.25;

export interface Question {
  readonly ask: string;
  readonly [name: string]: unknown;
}
interface Packet {
  readonly number: number;
  readonly ask?: string;
  readonly answer?: unknown;
}

export class Wire {
  readonly self: Peer;
  readonly #answer: (question: Question) => unknown;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #number = Math.floor(randomfloat() * 2 ** 31);

  /** @throws RepyError `self` is not this vessel's, or taken. */
  constructor(self: Peer, answer: (question: Question) => unknown) {
    this.self = self;
    this.#answer = answer;
    recvmess(self.ip, self.port, (ip, port, message) => this.#receive(ip, port, message));
  }

  /** @returns the answer, null when there is none: the peer is dead, or as good as. */
  async ask<T>(peer: Peer, question: Question): Promise<T | null> {
    const number = this.#number++;
    const heard = new Promise<unknown>((resolve) => this.#waiting.set(number, resolve));
    let answer: unknown = null;
    for (let attempt = 0, wait = FIRST_WAIT_SECONDS; answer === null && attempt < TRIES; attempt++, wait *= 1.5) {
      this.#tell(peer.ip, peer.port, { number, ...question });
      let timer: RepyTimer | undefined;
      const late = new Promise((resolve) => {
        timer = settimer(wait, resolve, [null]);
      });
      answer = await Promise.race([heard, late]);
      if (timer !== undefined) canceltimer(timer);
    }
    this.#waiting.delete(number);
    return answer as T | null;
  }

  #tell(ip: string, port: number, packet: Packet): void {
    // A refused or lost packet is no fault here: the question is asked again.
    sendmess(ip, port, JSON.stringify(packet), this.self.ip, this.self.port);
  }

  async #receive(ip: string, port: number, message: string): Promise<void> {
    try {
      const packet = JSON.parse(message) as Packet & Question;
      if (packet.ask === undefined) this.#waiting.get(packet.number)?.(packet.answer);
      else this.#tell(ip, port, { number: packet.number, answer: await this.#answer(packet) });
    } catch (error) {
      // Whoever asks for what is not understood hears nothing.
      log(`no answer to ${ip}:${port}: ${error}\n`);
    }
  }
}
