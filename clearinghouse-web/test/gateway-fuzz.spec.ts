import assert from 'node:assert/strict';
import { once } from 'node:events';
import { generateIdentity, openPinnedSocket, signAdvertisement } from '@potluck/protocol';
import fc from 'fast-check';
import { Site } from './support/site.ts';

const FACTS = { addresses: [{ host: '127.0.0.1', port: 1224 }], keys: [], version: 'test' };
/** Refused, too large, not UTF-8, against the protocol, or a request of HTTP that is no WebSocket. */
const ENDS = [1002, 1007, 1008, 1009];

const texts = fc.oneof(
  fc.json({ maxDepth: 5 }),
  fc.string({ maxLength: 200, unit: 'binary' }),
  fc.constant('['.repeat(60_000)),
  fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join('.')),
  fc
    .jsonValue({ maxDepth: 3 })
    .map((value) => ['e30', Buffer.from(JSON.stringify(value)).toString('base64url'), 'AA'].join('.')),
);
/** A true advertisement, in which one place is another. */
const bent = fc.record({ at: fc.nat(), character: fc.string({ minLength: 0, maxLength: 3 }) });
/** Beneath the messages: bytes that are no frame of a WebSocket, or one that says something else of itself. */
const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });

describe('the gateway under fuzz', function () {
  this.timeout(120_000);
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });
  const node = generateIdentity();
  const dial = async () => {
    const { socket } = await openPinnedSocket({
      identity: node,
      address: site.gateway,
      key: site.gateway.key,
      maxPayloadBytes: 65_536,
    });
    socket.on('error', () => undefined);
    return socket;
  };
  type Socket = Awaited<ReturnType<typeof dial>>;
  const endOf = async (send: (socket: Socket) => void): Promise<number> => {
    const socket = await dial();
    const closed = once(socket, 'close');
    send(socket);
    return (await closed)[0] as number;
  };
  afterEach('takes a node in all the same', async () => {
    const socket = await dial();
    socket.send(await signAdvertisement(node, FACTS, 60));
    assert.deepEqual(JSON.parse(String((await once(socket, 'message'))[0])), { ok: true });
    socket.terminate();
  });

  it('hangs up on whatever is no advertisement', async () => {
    const messages = fc.oneof(texts, fc.uint8Array({ maxLength: 300 }).map(Buffer.from));
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        assert.ok(ENDS.includes(await endOf((socket) => socket.send(message))));
      }),
      { numRuns: 60 },
    );
  });

  it('hangs up on an advertisement of which a letter is another', async () => {
    const jws = await signAdvertisement(node, FACTS, 60);
    await fc.assert(
      fc.asyncProperty(bent, async ({ at, character }) => {
        const place = at % jws.length;
        const other = jws.slice(0, place) + character + jws.slice(place + 1);
        fc.pre(other !== jws);
        assert.equal(await endOf((socket) => socket.send(other)), 1008);
      }),
      { numRuns: 40 },
    );
  });

  it('ends a connection on which the bytes are no WebSocket', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (junk) => {
        const end = await endOf((socket) => {
          // The stream beneath; what follows ends it where the bytes were the beginning of a frame.
          const { _socket: stream } = socket as unknown as { _socket: NodeJS.WritableStream };
          stream.write(junk);
          stream.end();
        });
        assert.ok([1006, 1005, ...ENDS].includes(end), `${end}`);
      }),
      { numRuns: 40 },
    );
  });

  it('has no stream for odd paths', async () => {
    const segments = fc.array(fc.oneof(fc.constantFrom('call', 'answer', ''), fc.webSegment()), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(segments, async (parts) => {
        const path = `/${parts.join('/')}`;
        fc.pre(!path.startsWith('//') && new URL(path, 'wss://gateway').pathname !== '/');
        const options = { address: site.gateway, key: site.gateway.key, maxPayloadBytes: 1000, path };
        await assert.rejects(openPinnedSocket(options), { code: 'UNREACHABLE' });
      }),
      { numRuns: 30 },
    );
  });
});
