import { createPublicKey, randomBytes, type webcrypto as Webcrypto, webcrypto } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Identity, keyIdOf } from './identity.ts';
import { type KeyId, publicJwkSchema } from './keys.ts';

/** What `tls.createServer` needs so that its certificate is pinned to an identity. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
  readonly minVersion: 'TLSv1.3';
}

/** A self-signed certificate of the identity's own key: no authority is asked, the key is the name. */
export async function tlsOptionsOf(identity: Identity): Promise<TlsOptions> {
  // Loaded late: only servers make certificates, and the two take longer to load than all the rest of this room.
  await import('reflect-metadata'); // @peculiar/x509 resolves its parts through it.
  const x509 = await import('@peculiar/x509');
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomBytes(8).toString('hex'),
      name: `CN=${identity.id}`,
      keys: await webcryptoKeys(identity),
      signingAlgorithm: 'Ed25519',
      notBefore: new Date(0),
      notAfter: new Date('2100-01-01'),
    },
    webcrypto as Crypto,
  );
  const key = identity.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, cert: certificate.toString('pem'), minVersion: 'TLSv1.3' };
}

async function webcryptoKeys(identity: Identity): Promise<Webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey('jwk', { ...identity.privateJwk }, 'Ed25519', true, ['sign']),
    publicKey: await subtle.importKey('jwk', { ...identity.publicJwk }, 'Ed25519', true, ['verify']),
  };
}

/**
 * @returns the key that the other side has just proved to hold (TLS 1.3 signs the handshake with it), or undefined when
 * it is not an Ed25519 key.
 */
export function peerKeyOf(socket: TLSSocket): KeyId | undefined {
  const key = socket.getPeerX509Certificate()?.publicKey;
  // Before it is exported: keys of some other types cannot be, and nobody is there to catch that.
  if (key?.asymmetricKeyType !== 'ed25519') return undefined;
  const spki = key.export({ type: 'spki', format: 'pem' });
  const jwk = publicJwkSchema.safeParse(createPublicKey(spki).export({ format: 'jwk' }));
  return jwk.success ? keyIdOf(jwk.data) : undefined;
}
