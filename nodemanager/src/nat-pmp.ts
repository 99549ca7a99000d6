import { askAgain } from './datagrams.ts';
import type { NodeLimits } from './limits.ts';
import { type Mapping, type MappingWay, mappingFailed, parseMapping, type Router } from './router.ts';

const PUBLIC_ADDRESS = { code: 0, answerBytes: 12 };
const MAP_TCP = { code: 2, answerBytes: 16 };
const ANSWER = 128;

/** First wait for an answer; doubled after each (RFC 6886 section 3.1). */
const FIRST_WAIT_MS = 250;

/** RFC 6886 section 3.5. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'it speaks another version',
  2: 'it does not allow it',
  3: 'it is offline itself',
  4: 'it has no room for more',
  5: 'it does not know how',
};

/** NAT-PMP (RFC 6886): a datagram to the router, a datagram back. */
export class NatPmp implements MappingWay {
  readonly name = 'NAT-PMP';
  readonly #router: Router;
  readonly #limits: Pick<NodeLimits, 'mappingSeconds'>;

  constructor(router: Router, limits: Pick<NodeLimits, 'mappingSeconds'>) {
    this.#router = router;
    this.#limits = limits;
  }

  async map(port: number, signal: AbortSignal, last?: Mapping): Promise<Mapping> {
    const { mappingSeconds } = this.#limits;
    const found = await this.#ask(PUBLIC_ADDRESS, Buffer.from([0, PUBLIC_ADDRESS.code]), signal);
    const made = await this.#ask(MAP_TCP, mapRequest(port, last?.address.port ?? port, mappingSeconds), signal);
    if (made.readUInt16BE(8) !== port) throw mappingFailed(`expected an answer about port ${port}, got one of another`);
    const seconds = Math.min(made.readUInt32BE(12), mappingSeconds);
    return parseMapping(found.subarray(8, 12).join('.'), made.readUInt16BE(10), seconds);
  }

  async unmap(port: number, _mapping: Mapping, signal: AbortSignal): Promise<void> {
    await this.#ask(MAP_TCP, mapRequest(port, 0, 0), signal);
  }

  async #ask(kind: typeof MAP_TCP, request: Buffer, signal: AbortSignal): Promise<Buffer> {
    const { host, natPmpPort } = this.#router;
    const failure = (why: string): Error => mappingFailed(`expected NAT-PMP of ${host}, got ${why}`);
    return await askAgain(
      {
        firstWaitMs: FIRST_WAIT_MS,
        prepare: (socket) => {
          socket.connect(natPmpPort, host); // From here on the system hands over what comes from there, and nothing else.
          return 'connect';
        },
        send: (socket, failed) => socket.send(request, (error) => error && failed(error)),
        read: (answer) => {
          // What is not an answer to this is left alone: a late one to another request comes here too.
          if (answer.length < 4 || answer[0] !== 0 || answer[1] !== kind.code + ANSWER) return undefined;
          const code = answer.readUInt16BE(2);
          if (code !== 0) throw failure(`a refusal: ${REFUSALS[code] ?? code}`);
          return answer.length >= kind.answerBytes ? answer : undefined;
        },
        failure,
      },
      signal,
    );
  }
}

/** Of 0 seconds and external port 0: the mapping is taken back (section 3.4). */
function mapRequest(port: number, external: number, seconds: number): Buffer {
  const request = Buffer.from([0, MAP_TCP.code, ...Array<number>(10).fill(0)]);
  request.writeUInt16BE(port, 4);
  request.writeUInt16BE(external, 6);
  request.writeUInt32BE(seconds, 8);
  return request;
}
