import type { Duplex } from 'node:stream';
import {
  answerPath,
  describeError,
  type GatewayAddress,
  type Identity,
  openStream,
  RateLimit,
  type RelayCall,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import type { NodeLimits } from './limits.ts';

export interface CallsComponents {
  readonly identity: Identity;
  /** Serves what comes through the relay as if it had come from that address. */
  readonly server: { take(stream: Duplex, from: string): void };
  readonly log: Logger;
}

export interface CallsInit {
  /** The one that is trusted to say calls, and the only one that is dialled for them. */
  readonly relay: GatewayAddress;
  readonly limits: NodeLimits;
}

/** Answers callers that cannot reach the node: dials the relay once for each. */
export class Calls {
  readonly #components: CallsComponents;
  readonly #init: CallsInit;
  readonly #stop = new AbortController();
  readonly #rate: RateLimit;
  #open = 0;

  constructor(components: CallsComponents, init: CallsInit) {
    this.#components = components;
    this.#init = init;
    const { relayedPerSecond: perSecond, relayedBurst: burst } = init.limits;
    this.#rate = new RateLimit({ perSecond, burst, entries: 1 });
  }

  /** Never throws; what is past a limit is not answered, and the relay tells the caller. */
  answer({ call, from }: RelayCall): void {
    const { relayedConnections } = this.#init.limits;
    if (this.#stop.signal.aborted || this.#open >= relayedConnections || this.#rate.take('') > 0) {
      this.#components.log.debug({ from }, 'a call through the relay was not answered: there are too many');
      return;
    }
    this.#open += 1;
    void this.#serve(call, from)
      .catch((error: unknown) => {
        this.#components.log.debug({ from, reason: describeError(error) }, 'a call through the relay failed');
      })
      .finally(() => {
        this.#open -= 1;
      });
  }

  /** Dials no more. What is open ends with the server. */
  stop(): void {
    this.#stop.abort();
  }

  async #serve(token: string, from: string): Promise<void> {
    const { identity, server } = this.#components;
    const { relay, limits } = this.#init;
    const { signal } = this.#stop;
    const dial = { path: answerPath(token), identity, connectTimeoutMs: limits.handshakeMs, signal };
    const stream = await openStream(relay, dial);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    server.take(stream, from);
    await closed;
  }
}
