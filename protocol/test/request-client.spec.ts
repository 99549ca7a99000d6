import assert from 'node:assert/strict';
import {
  describeError,
  generateIdentity,
  LIMITS,
  type Message,
  type PeerError,
  packMessage,
  RequestClient,
  type RequestError,
  signReply,
  unpackMessage,
  type VerifiedRequest,
  verifyRequest,
  vesselNameSchema,
  type Wire,
  type WireListener,
} from '@potluck/protocol';

/** What is between a client and a node, and may do what it likes with both. */
interface Middle {
  /** The node's, of any shape. */
  readonly result?: unknown;
  request?(message: Uint8Array): readonly Uint8Array[];
  reply?(message: Uint8Array): readonly Uint8Array[];
}

const node = generateIdentity();
const user = generateIdentity();
const vessel = vesselNameSchema.parse('v1');

/** A node in one function: it checks requests as nodes do, and answers with the method's name in an attachment. */
class Line implements Wire {
  isOpen = true;
  readonly refused: string[] = [];
  readonly taken: string[] = [];
  readonly #middle: Middle;
  readonly #claimed = new Set<string>();
  #listener: WireListener | undefined;

  constructor(middle: Middle) {
    this.#middle = middle;
  }

  listen(listener: WireListener): void {
    this.#listener = listener;
  }

  send(bytes: Uint8Array): void {
    for (const message of this.#middle.request?.(bytes) ?? [bytes]) void this.#ask(message);
  }

  say(bytes: Uint8Array): void {
    for (const message of this.#middle.reply?.(bytes) ?? [bytes]) this.#listener?.message(message);
  }

  hold(): void {}

  async close(): Promise<void> {
    this.terminate();
  }

  terminate(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#listener?.closed(1006, '');
  }

  async #ask(bytes: Uint8Array): Promise<void> {
    const claim = async (nonce: string) => !this.#claimed.has(nonce) && this.#claimed.add(nonce) !== undefined;
    const context = { node: node.id, replays: { claim }, nowSeconds: Date.now() / 1000 };
    try {
      const request = await verifyRequest(unpackMessage(bytes), context);
      await request.claim();
      this.taken.push(request.method);
      for (const message of await repliesTo(request, this.#middle.result)) this.say(packMessage(message));
    } catch (error) {
      this.refused.push((error as RequestError).code);
    }
  }
}

async function repliesTo({ method, nonce }: VerifiedRequest, lie: unknown): Promise<Message[]> {
  const attachment = Buffer.from(method);
  if (method !== 'ReadVesselLog') {
    const result = lie ?? { name: 'a', size: attachment.length, sha256: 'x' };
    return [await signReply(node, nonce, { outcome: { result, attachment } })];
  }
  const places = [0, 1, 2].map((number) => ({ number, more: number < 2 }));
  return await Promise.all(
    places.map(async (place) => {
      const outcome = { result: { droppedBytes: 0, next: place.number }, attachment: Buffer.from(`${place.number}`) };
      return await signReply(node, nonce, { outcome, place });
    }),
  );
}

function clientOver(line: Line): RequestClient {
  return new RequestClient(line, { signer: user, node: node.id, way: 'the middle' });
}

const ask = async (client: RequestClient, timeoutMs = 5000) => {
  const { attachment } = await client.call('RetrieveFileFromVessel', { vessel, name: 'a' as never }, { timeoutMs });
  return Buffer.from(attachment).toString();
};

async function logOf(client: RequestClient): Promise<string> {
  let text = '';
  for await (const { attachment } of client.followLog(vessel, { timeoutMs: 100 })) text += Buffer.from(attachment);
  return text;
}

/** One bit of the byte at this place, counted from the end when negative. */
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
};

describe('a client whose messages somebody else carries', () => {
  it('is answered when they are passed on as they are', async () => {
    const line = new Line({});
    assert.equal(await ask(clientOver(line)), 'RetrieveFileFromVessel');
    assert.equal(await logOf(clientOver(new Line({}))), '012');
  });

  it('notices a reply in which one bit is changed, wherever it is', async () => {
    for (const at of [3, 4, 30, 200, 400, -1]) {
      const line = new Line({ reply: (bytes) => [flipped(bytes, at)] });
      await assert.rejects(ask(clientOver(line)), { code: 'BAD_REPLY' }, `byte ${at}`);
      assert.equal(line.isOpen, false);
    }
  });

  it('notices a reply that somebody else has signed', async () => {
    const other = generateIdentity();
    const line = new Line({ request: () => [] });
    const client = clientOver(line);
    const asked = ask(client);
    const outcome = { result: {}, attachment: new Uint8Array() };
    line.say(packMessage(await signReply(other, 'A'.repeat(22), { outcome })));
    await assert.rejects(asked, { code: 'WRONG_IDENTITY' });
  });

  it('takes no reply to another of its requests, and gives up one whose reply is dropped', async () => {
    const replies: Uint8Array[] = [];
    const line = new Line({
      reply: (bytes) => {
        replies.push(bytes);
        return replies.length === 1 ? [bytes] : [replies[0] as Uint8Array];
      },
    });
    const client = clientOver(line);
    assert.equal(await ask(client), 'RetrieveFileFromVessel');
    await assert.rejects(ask(client, 50), { code: 'TIMEOUT' });
    assert.equal(replies.length, 2);
  });

  it('notices a reply of a log that is dropped, repeated, or comes before another', async () => {
    const orders: Record<string, (kept: Uint8Array[]) => Uint8Array[]> = {
      dropped: (kept) => [kept[0], kept[2]] as Uint8Array[],
      repeated: (kept) => [kept[0], kept[0]] as Uint8Array[],
      swapped: (kept) => [kept[1], kept[0], kept[2]] as Uint8Array[],
    };
    for (const [what, order] of Object.entries(orders)) {
      const kept: Uint8Array[] = [];
      const reply = (bytes: Uint8Array) => (kept.push(bytes) === 3 ? order(kept) : []);
      await assert.rejects(logOf(clientOver(new Line({ reply }))), { code: 'BAD_REPLY' }, what);
    }
  });

  it('notices the end of a log that is kept from it', async () => {
    let count = 0;
    const reply = (bytes: Uint8Array) => {
      count += 1;
      return count === 3 ? [] : [bytes];
    };
    await assert.rejects(logOf(clientOver(new Line({ reply }))), { code: 'TIMEOUT' });
  });

  it('asks a node that refuses a request in which one bit is changed', async () => {
    for (const at of [30, 200, 400, -1]) {
      const line = new Line({ request: (bytes) => [flipped(bytes, at)] });
      await assert.rejects(ask(clientOver(line), 50), { code: 'TIMEOUT' }, `byte ${at}`);
      assert.deepEqual(line.taken, []);
      assert.match(line.refused.join(), /^BAD_(SIGNATURE|ATTACHMENT|MESSAGE)$/);
    }
  });

  it('asks a node that takes a request once, however often it is passed on', async () => {
    const line = new Line({ request: (bytes) => [bytes, bytes] });
    assert.equal(await ask(clientOver(line)), 'RetrieveFileFromVessel');
    assert.deepEqual([line.taken.length, line.refused], [1, ['REPLAYED']]);
  });

  it(`takes lists of up to ${LIMITS.listed} entries, and looks at none of a longer one`, async () => {
    const told = { version: '1', node: node.id, walls: { up: [], missing: [] }, vessels: [] };
    const get = async (result: object) =>
      await clientOver(new Line({ result: { ...told, ...result } })).call('GetVessels', {});
    const { result } = await get({ layers: Array(LIMITS.listed).fill('a') });
    assert.equal(result.layers.length, LIMITS.listed);
    for (const name of ['vessels', 'layers']) {
      await assert.rejects(get({ [name]: Array(LIMITS.listed + 1).fill({}) }), (error) => {
        assert.match(describeError(error), new RegExp(`\\(${name}: Too big: expected array to have <=256 items\\)$`));
        return (error as PeerError).code === 'BAD_REPLY';
      });
    }
    const usage = Object.fromEntries(Array.from({ length: LIMITS.listed + 1 }, (_, index) => [`r${index}`, 'x']));
    const asked = clientOver(new Line({ result: { restrictions: '', usage } })).call('GetVesselResources', { vessel });
    await assert.rejects(asked, (error) => /\(usage: expected at most 256 names\)$/.test(describeError(error)));
  });

  it('says of a wrong result a few things that are wrong, each in a few words', async () => {
    const told = {
      version: '1',
      node: node.id,
      walls: { up: [], missing: [] },
      vessels: Array(LIMITS.listed).fill({}),
    };
    await assert.rejects(clientOver(new Line({ result: told })).call('GetVessels', {}), (error) => {
      assert.match(describeError(error), /\(vessels\.0\.name: [^;]+; vessels\.0\.state: [^;]+; [^;]+; and \d+ more\)$/);
      return true;
    });
    const usage = { ['x'.repeat(10_000)]: 'x' };
    const asked = clientOver(new Line({ result: { restrictions: '', usage } })).call('GetVesselResources', { vessel });
    await assert.rejects(asked, (error) => describeError(error).length < 2 * LIMITS.issueLength);
  });

  it('ends with its wire, and says so to whoever waits', async () => {
    const line = new Line({ request: () => [] });
    const client = clientOver(line);
    const asked = ask(client);
    await client.close();
    await assert.rejects(asked, { code: 'CLOSED' });
    await assert.rejects(ask(client), { code: 'CLOSED' });
  });
});
