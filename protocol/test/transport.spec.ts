import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import {
  type Address,
  generateIdentity,
  type Identity,
  LIMITS,
  openPinnedSocket,
  signAdvertisement,
  tlsOptionsOf,
  verifyAdvertisement,
  vesselInfoSchema,
} from '../src/index.ts';

async function listen(identity: Identity): Promise<{ address: Address; server: Server; sockets: WebSocketServer }> {
  const server = createServer(await tlsOptionsOf(identity));
  const sockets = new WebSocketServer({ server });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, server, sockets };
}

/** Signed by another key, which nobody looks at. */
async function certified(keys: {
  publicKey: KeyObject;
  privateKey: KeyObject;
}): Promise<{ key: string; cert: string }> {
  await import('reflect-metadata');
  const { X509CertificateGenerator, PublicKey } = await import('@peculiar/x509');
  const signer = (await webcrypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.create(
    {
      subject: 'CN=x',
      issuer: 'CN=x',
      publicKey: new PublicKey(new Uint8Array(keys.publicKey.export({ type: 'spki', format: 'der' }))),
      signingKey: signer.privateKey,
      signingAlgorithm: 'Ed25519',
    },
    webcrypto as Crypto,
  );
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, cert: certificate.toString('pem') };
}
const certifiedRsaPss = async () => await certified(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }));
const certifiedEc = async () => await certified(generateKeyPairSync('ec', { namedCurve: 'P-256' }));

describe('a pinned connection', () => {
  const identity = generateIdentity();
  let site: Awaited<ReturnType<typeof listen>>;
  before(async () => {
    site = await listen(identity);
  });
  after(async () => {
    for (const client of site.sockets.clients) client.terminate();
    site.server.closeAllConnections();
    await new Promise((resolve) => site.server.close(resolve));
  });
  const open = async (key?: Identity) =>
    await openPinnedSocket({ address: site.address, key: key?.id, maxPayloadBytes: 1000 });

  it('opens to the key that it expects, and says which key it met when it expects none', async () => {
    for (const expected of [identity, undefined]) {
      const { socket, key } = await open(expected);
      assert.equal(key, identity.id);
      socket.terminate();
    }
  });

  it('is refused to a server with another key', async () => {
    await assert.rejects(open(generateIdentity()), { code: 'WRONG_IDENTITY' });
  });

  it('is refused to a server whose key is of another type, whatever the type', async () => {
    for (const certified of [certifiedRsaPss, certifiedEc]) {
      const server = createServer(await certified());
      const sockets = new WebSocketServer({ server });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
      await assert.rejects(openPinnedSocket({ address, maxPayloadBytes: 1000 }), { code: 'WRONG_IDENTITY' });
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('is not opened for a caller who has given up already', async () => {
    const init = { address: site.address, maxPayloadBytes: 1000, signal: AbortSignal.abort() };
    await assert.rejects(openPinnedSocket(init), { code: 'UNREACHABLE' });
  });

  it('is given up in time when the server dribbles its answer for ever', async () => {
    const slow = createTlsServer(await tlsOptionsOf(identity), (socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nx: ');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = { host: '127.0.0.1', port: (slow.address() as AddressInfo).port };
    const attempt = openPinnedSocket({ address, maxPayloadBytes: 1000, connectTimeoutMs: 200 });
    await assert.rejects(attempt, { code: 'TIMEOUT' });
    await new Promise((resolve) => slow.close(resolve)); // Nothing of the attempt is left open.
  });

  it('is closed soon, also when the server never says farewell', async () => {
    const { socket } = await open(identity);
    for (const client of site.sockets.clients) client.pause();
    const closed = once(socket, 'close');
    const from = performance.now();
    socket.close();
    await closed;
    assert.ok(performance.now() - from < 10 * LIMITS.farewellMs);
  });

  it('says in one sentence that nobody is there', async () => {
    const gone = await listen(generateIdentity());
    await new Promise((resolve) => gone.server.close(resolve));
    const attempt = openPinnedSocket({ address: gone.address, maxPayloadBytes: 1000 });
    await assert.rejects(attempt, {
      code: 'UNREACHABLE',
      message: `nobody can be reached at 127.0.0.1:${gone.address.port}`,
    });
  });
});

describe('an advertisement', () => {
  const node = generateIdentity();
  const facts = { addresses: [{ host: '127.0.0.1', port: 1224 }], keys: [generateIdentity().id], version: '0.1.0' };

  it('is believed with its signature, under the key that signed it', async () => {
    const verified = await verifyAdvertisement(await signAdvertisement(node, facts, 60));
    assert.equal(verified.node, node.id);
    assert.deepEqual(verified.advertisement.keys, facts.keys);
  });

  it('is believed with addresses that are names or IP addresses, of both families', async () => {
    const hosts = ['node.example', 'localhost', '10.0.0.7', '::1', 'fe80::1'];
    for (const host of hosts) {
      const { advertisement } = await verifyAdvertisement(
        await signAdvertisement(node, { ...facts, addresses: [{ host, port: 1224 }] }, 60),
      );
      assert.equal(advertisement.addresses[0]?.host, host);
    }
  });

  it('is refused with an address that would mean more than a host in a URL, a file name or a terminal', async () => {
    const hosts = [
      'a/../b',
      'me@10.0.0.7',
      'a?b',
      'a#b',
      'a b',
      'a\u001b[2J',
      '[::1]',
      'a:1',
      '..',
      '-a',
      'a%2fb',
      'fe80::1%lo',
    ];
    for (const host of hosts) {
      const jws = await signAdvertisement(node, { ...facts, addresses: [{ host, port: 1224 }] }, 60);
      await assert.rejects(verifyAdvertisement(jws), { code: 'BAD_REPLY' }, host);
    }
  });

  it('is refused when it is changed, expired, valid for too long, or no advertisement', async () => {
    const good = await signAdvertisement(node, facts, 60);
    const refused = [
      good.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`),
      good.replace(/\.[^.]*\./, '.e30.'),
      await signAdvertisement(node, facts, -60),
      await signAdvertisement(node, facts, 3600),
      'potluck',
    ];
    for (const jws of refused) await assert.rejects(verifyAdvertisement(jws), { code: 'BAD_REPLY' });
  });
});

describe('what a node says of a vessel', () => {
  it('is refused with a time that no clock can show', () => {
    const key = generateIdentity().id;
    const facts = { owner: key, users: [], ownerInformation: '', advertise: true };
    const info = { name: 'v1', state: 'Fresh', since: 8.64e15, ...facts };
    assert.ok(vesselInfoSchema.safeParse(info).success);
    for (const since of [8.64e15 + 2, 1e300, -1]) assert.ok(!vesselInfoSchema.safeParse({ ...info, since }).success);
  });
});
