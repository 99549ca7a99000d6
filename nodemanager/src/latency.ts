import { once } from 'node:events';
import { connect } from 'node:net';
import { canonicalAddress, hostText, RateLimit, RequestError } from '@potluck/protocol';
import { type NetworkInit, policyOf } from '@potluck/vessel-runtime';
import type { NodeLimits } from './limits.ts';

type MeterLimits = Pick<NodeLimits, 'latencyPerMinute' | 'latencyAttempts' | 'latencyAttemptMs'>;

/** Measures for owners of vessels how far this machine is from hosts, where programs may connect to. */
export class LatencyMeter {
  readonly #network: () => Promise<NetworkInit>;
  readonly #limits: MeterLimits;
  readonly #rate: RateLimit;

  /** @param network what programs are told of it. */
  constructor(network: () => Promise<NetworkInit>, limits: MeterLimits) {
    this.#network = network;
    this.#limits = limits;
    const { latencyPerMinute: burst } = limits;
    this.#rate = new RateLimit({ perSecond: burst / 60, burst, entries: 1 });
  }

  /**
   * @returns the shortest time in which a TCP connection stood, in milliseconds; null when one did not in time.
   * @throws RequestError BAD_PARAMETERS, NOT_PERMITTED, BUSY
   */
  async measure(host: { readonly address: string; readonly port: number }): Promise<number | null> {
    const { port } = host;
    const address = canonicalAddress(host.address);
    if (address === undefined) {
      throw new RequestError('BAD_PARAMETERS', `expected a numeric IP address, got "${host.address}"`);
    }
    if (!policyOf(await this.#network()).allows(address, port, new Set())) {
      const got = hostText({ address, port });
      throw new RequestError('NOT_PERMITTED', `expected a host that programs here may connect to, got ${got}`);
    }
    this.#take();
    const times: number[] = [];
    for (let attempt = 0; attempt < this.#limits.latencyAttempts; attempt += 1) {
      const ms = await connectMs(address, port, this.#limits.latencyAttemptMs);
      if (ms === null) return null;
      times.push(ms);
    }
    return Math.min(...times);
  }

  #take(): void {
    const waitMs = this.#rate.take('all');
    if (waitMs <= 0) return;
    const retryAfterMs = Math.ceil(waitMs);
    const message = `expected at most ${this.#limits.latencyPerMinute} measurements a minute, got more: try again in ${retryAfterMs} ms`;
    throw new RequestError('BUSY', message, { details: { retryAfterMs } });
  }
}

/** A connection that nothing is sent over. @returns null when there was none in time. */
async function connectMs(host: string, port: number, timeoutMs: number): Promise<number | null> {
  const began = performance.now();
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return Math.round(100 * (performance.now() - began)) / 100;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
