import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { PeerError } from './errors.ts';
import { type Identity, type KeyId, keyIdOf, type PublicJwk, publicJwkSchema } from './identity.ts';

/** Nothing else is taken, so that no member of a header can change how a text is read. */
const headerSchema = z.strictObject({ alg: z.literal('EdDSA'), typ: z.string(), jwk: publicJwkSchema.strict() });

/** Header, payload and the 64 bytes of an Ed25519 signature, each in base64url without padding. */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]{86})$/;

interface Header {
  readonly typ: string;
  readonly signer: KeyId;
  readonly key: KeyObject;
}

/** Of those who signed last, by the text of their headers, which is always the same: parsing costs more than a look. */
const known = new Map<string, Header>();
const KNOWN_MOST = 256;

/** @returns a JWS in compact form (RFC 7515, EdDSA by RFC 8037) whose protected header carries the public key. */
export async function signJson(identity: Identity, typ: string, payload: object): Promise<string> {
  const header = { alg: 'EdDSA', typ, jwk: identity.publicJwk };
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${sign(null, Buffer.from(signed, 'latin1'), identity.privateKey).toString('base64url')}`;
}

/**
 * The bytes that were signed, the type that they were signed as, and by which key; whose key it is says the caller.
 * Signs and verifies in this thread: the way through WebCrypto and its threads took twice the CPU and three times as long.
 * @throws PeerError BAD_REPLY
 */
export async function openSigned(jws: string): Promise<{ typ: string; payload: Uint8Array; signer: KeyId }> {
  const [, head, body, signature] = COMPACT.exec(jws) ?? [];
  if (head === undefined || body === undefined || signature === undefined) throw bad('a compact JWS');
  const header = known.get(head) ?? headerOf(head);
  const signed = Buffer.from(jws.slice(0, head.length + 1 + body.length), 'latin1');
  if (!verify(null, signed, header.key, Buffer.from(signature, 'base64url'))) throw bad("its signer's signature");
  remember(head, header);
  return { typ: header.typ, payload: Buffer.from(body, 'base64url'), signer: header.signer };
}

function headerOf(text: string): Header {
  const header = headerSchema.safeParse(parse(text));
  if (!header.success) throw bad('a header of alg, typ and an Ed25519 jwk');
  const { typ, jwk } = header.data;
  return { typ, signer: keyIdOf(jwk), key: keyOf(jwk) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function keyOf(jwk: PublicJwk): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' });
}

/** Only who has signed something is remembered. */
function remember(text: string, header: Header): void {
  if (known.has(text)) return;
  const [oldest] = known.keys();
  if (known.size >= KNOWN_MOST && oldest !== undefined) known.delete(oldest);
  known.set(text, header);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function bad(expected: string): PeerError {
  return new PeerError('BAD_REPLY', `expected ${expected}, got something else`);
}
