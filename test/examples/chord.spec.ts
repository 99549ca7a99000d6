import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type Running, removeBuilt, runExample, stopAll } from './vessels.ts';

const NET = '127.77.3';
const PORT = 63100;
const VESSELS = 16;
const KEYS = Array.from({ length: 24 }, (_, index) => `key ${index}`);
const AGAIN_MS = 500;
const PATIENCE_MS = 60_000;

interface Member {
  readonly ip: string;
  readonly running: Running;
  readonly id: number;
}

/** Who uses the table from outside: it asks any vessel, and asks again until it hears. */
class Client {
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #number = 1;

  async start(): Promise<void> {
    this.#socket.on('message', (message) => {
      const { number, answer } = JSON.parse(message.toString()) as { number: number; answer: unknown };
      this.#waiting.get(number)?.(answer);
    });
    this.#socket.bind(0, `${NET}.200`);
    await once(this.#socket, 'listening');
  }

  async ask(ip: string, question: object): Promise<unknown> {
    const number = this.#number++;
    const answered = new Promise<unknown>((resolve) => this.#waiting.set(number, resolve));
    const tell = () => this.#socket.send(JSON.stringify({ number, ...question }), PORT, ip);
    const asking = setInterval(tell, AGAIN_MS);
    const late = AbortSignal.timeout(PATIENCE_MS);
    const never = once(late, 'abort').then(() =>
      assert.fail(`expected an answer from ${ip} to ${JSON.stringify(question)}`),
    );
    tell();
    return await Promise.race([answered, never]).finally(() => clearInterval(asking));
  }

  stop(): void {
    this.#socket.close();
  }
}

describe('Chord on 16 vessels', () => {
  const client = new Client();
  let members: Member[] = [];
  before(async () => {
    await client.start();
    const ips = Array.from({ length: VESSELS }, (_, index) => `${NET}.${index + 1}`);
    members = await Promise.all(ips.map((ip) => begin(ip, ips.slice(0, 3))));
  });
  after(async () => {
    client.stop();
    await stopAll(members.map(({ running }) => running));
    await removeBuilt();
  });

  async function begin(ip: string, known: readonly string[]): Promise<Member> {
    const lines = [`resource messport ${PORT}`, `destination allow ${NET}.0/24`];
    const running = await runExample('chord/main.ts', {
      address: ip,
      lines,
      args: known.map((peer) => `${peer}:${PORT}`),
    });
    await running.logged('chord ');
    const id = Number.parseInt(/^chord ([0-9a-f]{8}) /.exec(running.log())?.[1] ?? '', 16);
    return { ip, running, id };
  }

  const clockwise = () => members.toSorted((one, other) => one.id - other.id);
  const ownerOf = (id: number) => clockwise().find((member) => member.id >= id) ?? (clockwise()[0] as Member);
  const random = () => Math.floor(Math.random() * 2 ** 32);

  /** Waits until each vessel has logged that its successor is who it should be. */
  async function converged(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    const wrong = () => {
      const ring = clockwise();
      return ring.filter(({ running }, at) => {
        const next = ring[(at + 1) % ring.length] as Member;
        return (
          [...running.log().matchAll(/^successor ([0-9a-f]{8}) /gm)].at(-1)?.[1] !==
          next.id.toString(16).padStart(8, '0')
        );
      });
    };
    while (wrong().length > 0) {
      assert.ok(
        performance.now() < deadline,
        `expected a ring, got\n${wrong()
          .map(({ running }) => running.log())
          .join('\n')}`,
      );
      await wait(20);
    }
  }

  /** Every vessel finds the true owner of four numbers, each a random one. */
  async function agree(): Promise<void> {
    const questions = members.flatMap(({ ip }) => [1, 2, 3, 4].map(() => ({ ip, id: random() })));
    await Promise.all(
      questions.map(async ({ ip, id }) => {
        const { ip: found } = (await client.ask(ip, { ask: 'owner', id })) as { ip: string };
        assert.equal(found, ownerOf(id).ip, `${id} asked at ${ip}`);
      }),
    );
  }

  const anyone = () => (members[Math.floor(Math.random() * members.length)] as Member).ip;
  const get = (key: string) => client.ask(anyone(), { ask: 'get', key });

  it('closes its ring, though each vessel knows three others only', converged);

  it('answers look-ups from every vessel with the true owner', agree);

  it('finds at any vessel what was put at any other', async () => {
    await Promise.all(KEYS.map((key) => client.ask(anyone(), { ask: 'put', key, value: `value of ${key}` })));
    for (const key of KEYS) assert.equal(await get(key), `value of ${key}`);
    assert.equal(await get('never put'), null);
  });

  it('answers look-ups while five vessels are killed, two of them neighbours, and mends its ring', async () => {
    const ring = clockwise();
    const killed = [0, 1, 5, 9, 12].map((at) => ring[at] as Member);
    members = members.filter((member) => !killed.includes(member));
    const during = members.map(({ ip }) => client.ask(ip, { ask: 'owner', id: random() }));
    for (const { running } of killed) process.kill(running.vessel.pid, 'SIGKILL');
    during.push(...members.map(({ ip }) => client.ask(ip, { ask: 'owner', id: random() })));
    await Promise.all(killed.map(({ running }) => running.ended));
    for (const answer of await Promise.all(during)) assert.ok(answer === null || typeof answer === 'object');
    await converged();
    await agree();
  });

  it('still has all that was put before', async () => {
    for (const key of KEYS) assert.equal(await get(key), `value of ${key}`);
  });

  it('takes one more in, and what is its own', async () => {
    const ip = `${NET}.17`;
    members.push(await begin(ip, [anyone()]));
    await converged();
    await agree();
    for (const key of KEYS) assert.equal(await get(key), `value of ${key}`);
  });
});
