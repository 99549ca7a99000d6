import { z } from 'zod';
import { asciiBytes, fromBase64url, isSignedBy, toBase64url, type VerifyKey, verifyKeyOf } from '#platform';
import { PeerError } from './errors.ts';
import { type KeyId, keyIdFrom, publicJwkSchema, type Signer } from './keys.ts';

/** Nothing else is taken, so that no member of a header can change how a text is read. */
const headerSchema = z.strictObject({ alg: z.literal('EdDSA'), typ: z.string(), jwk: publicJwkSchema.strict() });

/** Header, payload and the 64 bytes of an Ed25519 signature, each in base64url without padding. */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]{86})$/;

interface Header {
  readonly typ: string;
  readonly signer: KeyId;
  readonly key: VerifyKey;
}

/** Of those who signed last, by the text of their headers, which is always the same: parsing costs more than a look. */
const known = new Map<string, Header>();
const KNOWN_MOST = 256;

/** @returns a JWS in compact form (RFC 7515, EdDSA by RFC 8037) whose protected header carries the public key. */
export async function signJson(signer: Signer, typ: string, payload: object): Promise<string> {
  const header = { alg: 'EdDSA', typ, jwk: signer.publicJwk };
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${toBase64url(await signer.sign(asciiBytes(signed)))}`;
}

/**
 * The bytes that were signed, the type that they were signed as, and by which key; whose key it is says the caller.
 * @throws PeerError BAD_REPLY
 */
export async function openSigned(jws: string): Promise<{ typ: string; payload: Uint8Array; signer: KeyId }> {
  const [, head, body, signature] = COMPACT.exec(jws) ?? [];
  if (head === undefined || body === undefined || signature === undefined) throw bad('a compact JWS');
  const header = known.get(head) ?? (await headerOf(head));
  const signed = asciiBytes(jws.slice(0, head.length + 1 + body.length));
  if (!(await isSignedBy(header.key, signed, fromBase64url(signature)))) throw bad("its signer's signature");
  remember(head, header);
  return { typ: header.typ, payload: fromBase64url(body), signer: header.signer };
}

async function headerOf(text: string): Promise<Header> {
  const header = headerSchema.safeParse(parse(text));
  if (!header.success) throw bad('a header of alg, typ and an Ed25519 jwk');
  const { typ, jwk } = header.data;
  return { typ, signer: await keyIdFrom(jwk), key: await verifyKeyOf(jwk) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64url(text)));
  } catch {
    return undefined;
  }
}

/** Only who has signed something is remembered. */
function remember(text: string, header: Header): void {
  if (known.has(text)) return;
  const [oldest] = known.keys();
  if (known.size >= KNOWN_MOST && oldest !== undefined) known.delete(oldest);
  known.set(text, header);
}

function encode(value: object): string {
  return toBase64url(JSON.stringify(value));
}

function bad(expected: string): PeerError {
  return new PeerError('BAD_REPLY', `expected ${expected}, got something else`);
}
