import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { CompactSign, compactVerify, EmbeddedJWK } from 'jose';
import {
  digest,
  generateIdentity,
  type Identity,
  LIMITS,
  type Message,
  nonceOf,
  packMessage,
  type ReplayStore,
  type RequestCode,
  RequestError,
  signReply,
  signRequest,
  unpackMessage,
  verifyReply,
  verifyRequest,
} from '../src/index.ts';

class Replays implements ReplayStore {
  readonly #taken = new Set<string>();
  async claim(nonce: string): Promise<boolean> {
    if (this.#taken.has(nonce)) return false;
    this.#taken.add(nonce);
    return true;
  }
}

const node = generateIdentity();
const user = generateIdentity();
const now = (): number => Date.now() / 1000;
const request = async (init: Partial<Parameters<typeof signRequest>[1]> = {}, who: Identity = user): Promise<Message> =>
  (await signRequest(who, { method: 'GetVessels', params: {}, node: node.id, ...init })).message;
const verify = async (message: Message, nowSeconds = now(), replays: ReplayStore = new Replays()) =>
  await verifyRequest(message, { node: node.id, replays, nowSeconds });
const refused = async (promise: Promise<unknown>, code: RequestCode): Promise<void> => {
  await assert.rejects(promise, (error: unknown) => error instanceof RequestError && error.code === code);
};

describe('a signed request', () => {
  it('arrives as it was sent, with the key that signed it', async () => {
    const attachment = Buffer.from('bytes of a program');
    const sent = await request({ method: 'AddFileToVessel', params: { vessel: 'v1', name: 'a.js' }, attachment });
    const got = await verify(unpackMessage(packMessage(sent)));
    assert.equal(got.signer, user.id);
    assert.deepEqual(got.params, { vessel: 'v1', name: 'a.js' });
    assert.equal(Buffer.from(got.attachment).toString(), 'bytes of a program');
  });

  it('is refused when any character of its payload was changed', async () => {
    const { envelope, attachment } = await request();
    const [head, body, signature] = envelope.split('.');
    const forged = Buffer.from(body ?? '', 'base64url')
      .toString()
      .replace('GetVessels', 'StopVessel');
    const changed = `${head}.${Buffer.from(forged).toString('base64url')}.${signature}`;
    await refused(verify({ envelope: changed, attachment }), 'BAD_SIGNATURE');
  });

  it('is refused when another key is named as its signer', async () => {
    const { envelope, attachment } = await request();
    const other = { alg: 'EdDSA', typ: 'potluck-request', jwk: generateIdentity().publicJwk };
    const [, body, signature] = envelope.split('.');
    const head = Buffer.from(JSON.stringify(other)).toString('base64url');
    await refused(verify({ envelope: `${head}.${body}.${signature}`, attachment }), 'BAD_SIGNATURE');
  });

  it('is refused with more in its header than the algorithm, the type and the public key, which are read in one way', async () => {
    const { envelope, attachment } = await request();
    const [, body = ''] = envelope.split('.');
    const good = { alg: 'EdDSA', typ: 'potluck-request', jwk: user.publicJwk };
    const signedUnder = (header: object, payload = body): Message => {
      const text = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
      return {
        envelope: `${text}.${sign(null, Buffer.from(text), user.privateKey).toString('base64url')}`,
        attachment,
      };
    };
    await verify(signedUnder(good));
    await refused(verify(signedUnder({ ...good, zip: 'DEF' })), 'BAD_SIGNATURE');
    await refused(verify(signedUnder({ ...good, crit: ['x'], x: 1 })), 'BAD_SIGNATURE');
    await refused(verify(signedUnder({ ...good, jwk: { ...good.jwk, d: user.privateJwk.d } })), 'BAD_SIGNATURE');
    await refused(verify(signedUnder({ ...good, jwk: { ...good.jwk, key_ops: ['verify'] } })), 'BAD_SIGNATURE');
    const plain = Buffer.from(body, 'base64url').toString();
    await refused(verify(signedUnder({ ...good, b64: false, crit: ['b64'] }, plain)), 'BAD_SIGNATURE');
  });

  it('is a JWS as any library reads and writes it', async () => {
    const { envelope, attachment } = await request();
    const { payload } = await compactVerify(envelope, EmbeddedJWK, { algorithms: ['EdDSA'] });
    const theirs = await new CompactSign(payload)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'potluck-request', jwk: user.publicJwk })
      .sign(user.privateKey);
    assert.equal((await verify({ envelope: theirs, attachment })).signer, user.id);
  });

  it('is refused with any character of its signature changed, and with parts too many or too few', async () => {
    const { envelope, attachment } = await request();
    await verify({ envelope, attachment });
    const at = envelope.lastIndexOf('.') + 1;
    const other = envelope[at] === 'A' ? 'B' : 'A';
    const wrong = [`${envelope.slice(0, at)}${other}${envelope.slice(at + 1)}`, envelope.slice(0, at), `${envelope}A`];
    for (const text of [...wrong, `${envelope}.A`, `.${envelope}`, `${envelope}\n`, envelope.replace('.', '..')]) {
      await refused(verify({ envelope: text, attachment }), 'BAD_SIGNATURE');
    }
  });

  it('is refused under the header of somebody who signed before, by whom it is not', async () => {
    await verify(await request());
    const [head] = (await request()).envelope.split('.');
    const { envelope, attachment } = await request({}, generateIdentity());
    await refused(verify({ envelope: envelope.replace(/^[^.]*/, head ?? ''), attachment }), 'BAD_SIGNATURE');
  });

  it('is refused when it is a signed reply', async () => {
    const reply = await signReply(user, 'AAAAAAAAAAAAAAAAAAAAAA', {
      outcome: { result: {}, attachment: new Uint8Array() },
    });
    await refused(verify(reply), 'BAD_SIGNATURE');
  });

  it('is refused by another node', async () => {
    await refused(verify(await request({ node: generateIdentity().id })), 'WRONG_NODE');
  });

  it('is taken once, and refused when it comes again', async () => {
    const replays = new Replays();
    const message = await request();
    await (await verify(message, now(), replays)).claim();
    const again = await verify(message, now(), replays);
    await assert.rejects(again.claim, { code: 'REPLAYED' });
  });

  it('is refused after its expiry and the clock skew, and from the future', async () => {
    const message = await request({ lifetimeSeconds: 10 });
    await verify(message, now() + 10 + LIMITS.clockSkewSeconds - 2);
    await refused(verify(message, now() + 12 + LIMITS.clockSkewSeconds), 'EXPIRED');
    await refused(verify(message, now() - LIMITS.clockSkewSeconds - 2), 'EXPIRED');
  });

  it('may live as long as the limit and not one second longer', async () => {
    await verify(await request({ lifetimeSeconds: LIMITS.requestLifetimeSeconds }));
    await refused(verify(await request({ lifetimeSeconds: LIMITS.requestLifetimeSeconds + 1 })), 'EXPIRED');
  });

  it('is refused when its attachment was changed, and the nonce stays free', async () => {
    const replays = new Replays();
    const message = await request({ attachment: Buffer.from('one') });
    await refused(verify({ ...message, attachment: Buffer.from('two') }, now(), replays), 'BAD_ATTACHMENT');
    await (await verify(message, now(), replays)).claim();
  });
});

describe('a message', () => {
  it('tells the nonce that it claims to have, and none when it is not a request', async () => {
    const { message, nonce } = await signRequest(user, { method: 'GetVessels', params: {}, node: node.id });
    assert.equal(nonceOf(message), nonce);
    for (const envelope of [
      '',
      'a',
      'a.b.c',
      `a.${Buffer.from('{"nonce":1}').toString('base64url')}.c`,
      'a.bnVsbA.c',
    ]) {
      assert.equal(nonceOf({ ...message, envelope }), undefined);
    }
  });

  it('is not packed when the other side would refuse it, and the longest arguments still fit', async () => {
    const args = Array(LIMITS.programArguments).fill('a'.repeat(LIMITS.programArgumentLength));
    packMessage(await request({ params: { vessel: 'v1', program: 'a.js', args } }));
    const longer = await request({ params: 'a'.repeat(LIMITS.envelopeBytes) });
    assert.throws(() => packMessage(longer), { code: 'BAD_MESSAGE' });
  });

  it('is refused when it is shorter than it says, or its envelope is over the limit', async () => {
    const refuses = (bytes: Uint8Array): void => {
      assert.throws(() => unpackMessage(bytes), { code: 'BAD_MESSAGE' });
    };
    refuses(Buffer.alloc(3));
    refuses(packMessage(await request()).subarray(0, 50));
    const long = Buffer.alloc(4 + LIMITS.envelopeBytes + 1);
    long.writeUInt32BE(LIMITS.envelopeBytes + 1);
    refuses(long);
    long.writeUInt32BE(LIMITS.envelopeBytes);
    assert.equal(unpackMessage(long).attachment.byteLength, 1);
  });
});

describe('a signed reply', () => {
  const nonce = 'AAAAAAAAAAAAAAAAAAAAAA';

  it('gives back the result and the attachment', async () => {
    const sent = await signReply(node, nonce, {
      outcome: { result: { state: 'Fresh' }, attachment: Buffer.from('log') },
    });
    const { re, outcome } = await verifyReply(sent, node.id);
    assert.equal(re, nonce);
    assert.ok(!(outcome instanceof Error));
    assert.deepEqual(outcome.result, { state: 'Fresh' });
    assert.equal(digest(outcome.attachment), digest(Buffer.from('log')));
  });

  it('gives back a refusal as an error with the same code', async () => {
    const sent = await signReply(node, nonce, {
      outcome: new RequestError('NO_SUCH_VESSEL', 'expected v1 or v2, got v9'),
    });
    const { outcome } = await verifyReply(sent, node.id);
    assert.ok(outcome instanceof RequestError);
    assert.equal(outcome.code, 'NO_SUCH_VESSEL');
  });

  it('is not believed from another key', async () => {
    const sent = await signReply(user, nonce, { outcome: { result: {}, attachment: new Uint8Array() } });
    await assert.rejects(verifyReply(sent, node.id), { code: 'WRONG_IDENTITY' });
  });
});
