import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Running, removeBuilt, runExample, stopAll } from './vessels.ts';

const examples = join(import.meta.dirname, '../../examples');
const ports = (port: number) => [`resource messport ${port}`, `resource connport ${port}`];

/** @returns all that comes, from `text` sent to the end. */
async function exchange(address: string, port: number, text: string): Promise<string> {
  const socket = connect(port, address);
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  socket.write(text);
  await once(socket, 'end');
  socket.destroy();
  return got;
}

describe('examples of the network', () => {
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

  for (const program of ['multicast.js', 'tunnel.js']) {
    it(`${program} has fewer than 20 lines`, async () => {
      const lines = (await readFile(join(examples, program), 'utf8')).trimEnd().split('\n');
      assert.ok(lines.length < 20, `${lines.length}`);
    });
  }

  it('multicast reaches every vessel of the group, the sender too', async () => {
    const group = ['127.0.4.21', '127.0.4.22', '127.0.4.23'];
    const lines = [...ports(63100), ...group.map((ip) => `destination allow ${ip}/32 63100`)];
    await Promise.all(group.map((address) => run('multicast.js', { address, lines, args: ['63100', ...group] })));
    for (const one of running) {
      assert.equal((await one.ended).kind, 'exitall');
      // What was said before the last of them began was lost.
      for (const ip of group) assert.match(one.log(), new RegExp(`^${ip} \\d+ says hello [1-5] $`, 'm'));
    }
  });

  it('tunnel carries connections through, both ways, many at once, and ends both sides together', async () => {
    const [address, place] = ['127.0.4.24', '127.0.4.25'];
    const sockets = new Set<string>();
    const server = createServer((socket) => {
      sockets.add(`${socket.remoteAddress}`);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        if (chunk.includes('bye')) socket.end('closed');
        else socket.write(chunk);
      });
    });
    server.listen(0, place);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await run('tunnel.js', {
      address,
      lines: [...ports(63100), `destination allow ${place}/32 ${port}`],
      args: ['63100', place, `${port}`],
    });
    await listening(address, 63100);
    const block = Buffer.alloc(200_000, 'potluck\xff', 'latin1');
    await Promise.all(
      [1, 2, 3].map(async () => {
        const socket = connect(63100, address);
        socket.write(block);
        let got = Buffer.alloc(0);
        for await (const chunk of socket) {
          got = Buffer.concat([got, chunk as Buffer]);
          if (got.length === block.length) socket.write('bye');
        }
        assert.ok(got.subarray(0, block.length).equals(block));
        assert.equal(got.subarray(block.length).toString(), 'closed');
      }),
    );
    assert.deepEqual([...sockets], [address]);
    server.close();
  });

  describe('webserver', () => {
    const address = '127.0.4.26';
    const page = '<h1>Welcome</h1>';
    const big = Buffer.alloc(300_000, 'potluck\xff', 'latin1');
    let files: string;
    let server: Running;
    beforeEach(async () => {
      files = await mkdtemp(join(tmpdir(), 'potluck-webserver-'));
      await writeFile(join(files, 'big.bin'), big);
      await writeFile(join(files, 'empty.txt'), '');
      await writeFile(join(files, 'index.html'), page);
      server = await run('webserver.js', { address, lines: ports(63100), args: ['63100'], files });
      await listening(address, 63100);
    });
    afterEach(async () => {
      await stopAll(running);
      await rm(files, { recursive: true });
    });
    const get = async (path: string, init?: RequestInit) => {
      const response = await fetch(`http://${address}:63100/${path}`, init);
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        body: Buffer.from(await response.arrayBuffer()),
      };
    };

    it('serves the files of its vessel whole, many at once', async () => {
      assert.deepEqual(await get(''), { status: 200, type: 'text/html; charset=utf-8', body: Buffer.from(page) });
      assert.deepEqual(await get('empty.txt?x=/1'), {
        status: 200,
        type: 'text/plain; charset=utf-8',
        body: Buffer.alloc(0),
      });
      for (const { status, body } of await Promise.all(Array.from({ length: 5 }, () => get('big.bin')))) {
        assert.equal(status, 200);
        assert.ok(body.equals(big));
      }
      const { status, body } = await get('big.bin', { method: 'HEAD' });
      assert.deepEqual([status, body.length], [200, 0]);
    });

    it('lists them when there is no index.html', async () => {
      await stopAll(running);
      await rm(join(files, 'index.html'));
      server = await run('webserver.js', { address, lines: ports(63100), args: ['63100'], files });
      await listening(address, 63100);
      assert.match(String((await get('')).body), /<a href="big\.bin">big\.bin<\/a>/);
    });

    it('refuses what is not there, what is no file, and what it does not do', async () => {
      for (const path of ['none.html', 'A', '%2e%2e/etc/passwd', 'a/b', '.x'])
        assert.equal((await get(path)).status, 404, path);
      assert.equal((await get('', { method: 'POST', body: 'x' })).status, 405);
      for (const [request, status] of [
        ['GET /../../etc/passwd HTTP/1.1\r\n\r\n', 404],
        ['HELLO\r\n\r\n', 400],
        ['GET / HTTP/0.9\r\n\r\n', 400],
        [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}`, 431],
      ] as const) {
        assert.match(
          await exchange(address, 63100, request),
          new RegExp(`^HTTP/1\\.1 ${status} `),
          request.slice(0, 40),
        );
      }
    });

    it('lives on when browsers go away in the middle', async () => {
      for (const request of ['', 'GET /', 'GET /big.bin HTTP/1.1\r\n\r\n']) {
        const socket = connect(63100, address);
        await once(socket, 'connect');
        socket.write(request || 'x');
        socket.resetAndDestroy();
      }
      assert.equal(String((await get('')).body), page);
      assert.ok(server.log().includes('200 OK index.html'));
    });
  });
});

/** Tries until somebody listens: there is no event for it. */
async function listening(address: string, port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, address);
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return;
  }
}
