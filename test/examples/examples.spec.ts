import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Running, removeBuilt, runExample, stopAll } from './vessels.ts';

const root = join(import.meta.dirname, '../..');
const SERVER = '127.0.4.1';
const CLIENT = '127.0.4.2';

describe('examples', () => {
  let running: Running[] = [];
  const run = async (...args: Parameters<typeof runExample>): Promise<Running> => {
    const one = await runExample(...args);
    running.push(one);
    return one;
  };
  afterEach(async () => {
    await stopAll(running);
    running = [];
  });
  after(removeBuilt);

  it('hello greets and finishes', async () => {
    const hello = await run('hello.js', { address: SERVER, args: ['Ada'] });
    assert.equal((await hello.ended).kind, 'finished');
    assert.equal(hello.log(), `Hello, Ada from ${SERVER} \n`);
  });

  for (const server of ['pingserver.js', 'pingserver-4.js']) {
    it(`${server} answers the ping client in another vessel`, async () => {
      await run(server, { address: SERVER, lines: ['resource messport 54321', `destination allow ${CLIENT}/32`] });
      const client = await run('pingclient.js', {
        address: CLIENT,
        lines: ['resource messport 43210', `destination allow ${SERVER}/32 54321`],
        args: [SERVER, 'hello'],
      });
      await client.logged('received: hello');
      assert.match(client.log(), /^received: hello from 127\.0\.4\.1 \d+ \n$/);
      assert.equal((await client.ended).kind, 'exitall');
    });
  }

  it('the server in one line has one line', async () => {
    const lines = (await readFile(join(root, 'examples/pingserver.js'), 'utf8')).trim().split('\n');
    assert.equal(lines.filter((line) => !line.startsWith('//')).length, 1);
  });

  for (const [what, peers] of [
    ['addresses', ['127.0.4.3:63100', '127.0.4.4:63100', '127.0.4.5:63100']],
    ['ports of one address', ['127.0.4.6:63100', '127.0.4.6:63101', '127.0.4.6:63102']],
  ] as const) {
    it(`all-pairs ping measures every pair of three vessels on different ${what}, and serves it`, async () => {
      await Promise.all(peers.map((peer) => place(peer, peers)));
      await Promise.all(running.map((one) => one.logged('matrix complete')));
      for (const peer of peers) {
        const { peers: named, rtt } = (await (await fetch(`http://${peer}/matrix.json`)).json()) as Matrix;
        assert.deepEqual(named, peers);
        assert.ok(rtt.every((row, from) => row.every((ms, to) => (from === to ? ms === 0 : ms !== null && ms >= 0))));
      }
      const page = await (await fetch(`http://${peers[1]}/`)).text();
      assert.match(page, /<h1>All-pairs ping<\/h1>/);
      for (const peer of peers) assert.ok(page.includes(peer));
      assert.equal((await fetch(`http://${peers[0]}/else`)).status, 404);
    });
  }

  it('all-pairs ping gets its matrix although two of three packets are lost', async () => {
    const peers = ['127.0.4.7:63100', '127.0.4.8:63100'] as const;
    // Each vessel knows the other by a lossy stand-in's address, which keeps one packet of three.
    const loss = await lossy(peers[0], peers[1]);
    try {
      await place(peers[0], [peers[0], loss.second]);
      await place(peers[1], [loss.first, peers[1]]);
      await Promise.all(running.map((one) => one.logged('matrix complete')));
      assert.ok(loss.lost() > 0);
    } finally {
      loss.close();
    }
  });

  it('all-pairs ping says what it expected when it is called wrongly', async () => {
    for (const [args, message] of [
      [[], /expected IP:PORT of every vessel as arguments, got none/],
      [['foo'], /expected IP:PORT, got "foo"/],
      [['127.0.4.9:63100'], /expected this vessel among the arguments/],
    ] as const) {
      const one = await run('all-pairs-ping/main.ts', { address: SERVER, args });
      const ending = await one.ended;
      assert.equal(ending.kind, 'error');
      assert.match(ending.message, message);
    }
  });

  async function place(peer: string, peers: readonly string[]): Promise<void> {
    const [address = '', port = ''] = peer.split(':');
    const others = peers.filter((other) => other !== peer).map((other) => other.split(':'));
    const lines = [`resource messport ${port}`, `resource connport ${port}`];
    for (const [ip, at] of others) lines.push(`destination allow ${ip}/32 ${at}`);
    await run('all-pairs-ping/main.ts', { address, lines, args: peers });
  }
});

interface Matrix {
  readonly peers: string[];
  readonly rtt: (number | null)[][];
}

/** Two sockets that stand for the two ends and pass on one packet of three, by a fixed dice. */
async function lossy(one: string, two: string) {
  const [first, second] = [createSocket('udp4'), createSocket('udp4')];
  first.bind(63100, '127.0.4.17');
  second.bind(63100, '127.0.4.18');
  await Promise.all([once(first, 'listening'), once(second, 'listening')]);
  let lost = 0;
  let dice = 1;
  const pass = (out: typeof first, to: string) => (packet: Buffer) => {
    const [ip = '', port = ''] = to.split(':');
    dice = (dice * 48271) % 2147483647;
    if (dice % 3 === 0) out.send(packet, Number(port), ip);
    else lost += 1;
  };
  // `second` stands for the second vessel: what the first vessel sends there leaves from `first` to the second.
  second.on('message', pass(first, two));
  first.on('message', pass(second, one));
  const close = () => {
    first.close();
    second.close();
  };
  return { first: '127.0.4.17:63100', second: '127.0.4.18:63100', lost: () => lost, close };
}
