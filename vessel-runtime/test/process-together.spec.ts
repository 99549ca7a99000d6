import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { EVENT } from '@potluck/repy-api';
import { Inbox } from '../src/process/inbox.ts';
import { removeRuntime } from './helper.ts';
import { startProgram } from './process-helper.ts';

const OWN = '127.0.12.2';
const PEER = '127.0.12.3';
const withLines = (...lines: string[]) => ({
  address: OWN,
  restrictions: ['resource messport 5001', 'resource messport 5002', `destination allow ${PEER}`, ...lines].join('\n'),
});

/** A program that is busy until all of a burst has come, so that it finds the messages together. */
const BUSY = "const busy = () => { const until = getruntime() + 0.3; while (getruntime() < until); log('burst'); };\n";

async function peer(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, PEER);
  await once(socket, 'listening');
  return socket;
}

/** Sends `go`, and all others while the program is busy with it. */
async function burst(socket: Socket, messages: readonly [text: string | Buffer, port: number][]): Promise<void> {
  socket.send('go', 5001, OWN);
  for (const [text, port] of messages) socket.send(text, port, OWN);
}

/** @returns the texts that come until there are so many. */
async function answers(socket: Socket, count: number): Promise<string[]> {
  const got: string[] = [];
  for await (const [bytes] of on(socket)) {
    got.push(bytes);
    if (got.length === count) break;
  }
  return got;
}

async function* on(socket: Socket): AsyncGenerator<[string]> {
  const waiting: string[] = [];
  let wake = () => {};
  socket.on('message', (bytes) => {
    waiting.push(bytes.toString());
    wake();
  });
  for (;;) {
    const next = waiting.shift();
    if (next !== undefined) yield [next];
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

describe('messages that come together', () => {
  let socket: Socket;
  beforeEach(async () => {
    socket = await peer();
  });
  afterEach(() => socket.close());
  after(removeRuntime);

  it('are taken one after the other, and what each awaited goes on in between; the answers leave in order', async () => {
    const source = `${BUSY}
      let [running, most, left] = [0, 0, 8];
      const take = (mark) => async (ip, port, mess) => {
        if (mess === 'go') return busy();
        running += 1; most = Math.max(most, running);
        await null;
        running -= 1;
        const text = typeof mess === 'string' ? mess : mess.join();
        const bytes = await sendmess(ip, port, mark + text, getmyip(), mark === 'a' ? 5001 : 5002);
        log(bytes, ''); if (--left === 0) { log('most', most); exitall(); }
      };
      recvmess(getmyip(), 5001, take('a')); recvmess(getmyip(), 5002, take('b'), { encoding: 'binary' }); log('up');`;
    const { vessel, log } = await startProgram(source, withLines());
    await log.until('up');
    const got = answers(socket, 8);
    const first = ['0', '€', '', 'x'.repeat(1400), '4'].map((text): [string, number] => [text, 5001]);
    await burst(socket, [...first, [Buffer.from([255, 0]), 5002], ['7', 5001], ['9', 5001]]);
    const texts = await got;
    assert.deepEqual(
      texts.filter((text) => text.startsWith('a')),
      ['a0', 'a€', 'a', `a${'x'.repeat(1400)}`, 'a4', 'a7', 'a9'],
    );
    assert.deepEqual(
      texts.filter((text) => text.startsWith('b')),
      ['b255,0'],
    );
    await vessel.ended;
    assert.match(log.text(), /^upburst/);
    const [numbers = '', most] = log.text().slice('upburst'.length).split('most');
    assert.deepEqual(numbers.trim().split(' ').map(Number).sort(), [1, 1401, 2, 2, 2, 2, 4, 6]);
    assert.equal(most, ' 1');
  });

  it('are answered before the program ends, by exitall or by an error of a later one', async () => {
    for (const [end, kind] of [
      ['exitall()', 'exitall'],
      ["throw new Error('late')", 'error'],
    ]) {
      const source = `${BUSY}
        recvmess(getmyip(), 5001, (ip, port, mess) => {
          if (mess === 'go') return busy();
          if (mess === 'last') { ${end}; }
          sendmess(ip, port, mess, getmyip(), 5001);
        }); log('up');`;
      const { vessel, log } = await startProgram(source, withLines());
      await log.until('up');
      const got = answers(socket, 3);
      await burst(socket, [
        ['1', 5001],
        ['2', 5001],
        ['3', 5001],
        ['last', 5001],
        ['4', 5001],
      ]);
      assert.deepEqual(await got, ['1', '2', '3']);
      assert.equal((await vessel.ended).kind, kind);
    }
  });

  it('are answered at the vessel’s rate, in order, and a refused answer fails alone', async () => {
    const source = `${BUSY}
      const text = 'x'.repeat(936);
      recvmess(getmyip(), 5001, async (ip, port, mess) => {
        if (mess === 'go') return busy();
        if (mess === 'end') return exitall();
        sendmess(ip, port, mess + text, getmyip(), 5001).then((bytes) => log(bytes, ''));
        try { await sendmess('127.0.12.4', 5001, 'never'); } catch (error) { log(error.code, ''); }
      }); log('up');`;
    const { vessel, log } = await startProgram(source, withLines('resource loopsend 3000'));
    await log.until('up');
    const got = answers(socket, 7);
    const begin = performance.now();
    await burst(
      socket,
      [0, 1, 2, 3, 4, 5, 6].map((at): [string, number] => [`${at}`, 5001]),
    );
    assert.deepEqual(
      (await got).map((text) => text[0]),
      ['0', '1', '2', '3', '4', '5', '6'],
    );
    // 7 x 1001 bytes at 3000 a second, of which one second is free and the last may go beyond.
    assert.ok(performance.now() - begin > 900);
    socket.send('end', 5001, OWN);
    await vessel.ended;
    assert.equal(log.text().match(/937 /g)?.length, 7);
    assert.equal(log.text().match(/RESOURCE_FORBIDDEN/g)?.length, 7);
  });
});

describe('the inbox of messages', () => {
  type Event = unknown[];
  const message = (data: string) => ({ handle: 7, data, ip: PEER, port: 9 });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  async function handedOver(count: number, enter: () => void): Promise<number[]> {
    const sizes: number[] = [];
    const inbox = new Inbox((...event: Event) => {
      sizes.push(event[0] === EVENT.message ? 1 : (event[1] as string).length / 6);
      enter();
    });
    for (let sent = 0; sent < count; sent++) inbox.push(message(`${sent}`));
    await turn();
    return sizes;
  }

  it('hands over more at once as long as the program is quick, and one by one when it is not', async () => {
    const slow = () => {
      const until = performance.now() + 4;
      while (performance.now() < until);
    };
    assert.deepEqual(await handedOver(5, slow), [1, 1, 1, 1, 1]);
    const sizes = await handedOver(100, () => {});
    assert.equal(
      sizes.reduce((sum, size) => sum + size),
      100,
    );
    assert.ok(Math.max(...sizes) <= 32);
  });

  it('tells an address once for those that come from it in a row, and keeps large messages apart', async () => {
    const events: Event[] = [];
    const inbox = new Inbox((...event: Event) => events.push(event));
    const large = 'x'.repeat(65_507);
    for (const [data, ip] of [
      ['warm', PEER],
      ['a', PEER],
      ['bc', PEER],
      [large, OWN],
      [large, OWN],
      [large, OWN],
    ]) {
      inbox.push({ handle: 2 ** 33 + 7, data: data as string, ip: ip as string, port: 9 });
    }
    await turn();
    const texts = events.map(([, ...values]) => values.filter((value) => typeof value === 'string'));
    assert.equal(texts.flat().join('').split(large).length, 4);
    const together = events.find(([kind]) => kind === EVENT.messages);
    assert.equal(together?.[1], `\u0007\u0000\u0002\u0009\u000a\u0001\u0007\u0000\u0002\u0009\u0000\u0002`);
    assert.deepEqual(together?.slice(2), ['abc', PEER]);
  });
});
