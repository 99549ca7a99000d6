import type { PublicJwk } from '../keys.ts';

/** `node.ts` says what these promise. */
export type VerifyKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const ED25519 = 'Ed25519';
/** Wide calls of `String.fromCharCode` have a limit, which is no nearer than this anywhere. */
const WIDE = 8192;

export async function verifyKeyOf({ kty, crv, x }: PublicJwk): Promise<VerifyKey> {
  return await crypto.subtle.importKey('jwk', { kty, crv, x }, ED25519, false, ['verify']);
}

export async function isSignedBy(key: VerifyKey, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return await crypto.subtle.verify(ED25519, key, whole(signature), whole(bytes));
}

export async function digest(bytes: Uint8Array): Promise<string> {
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', whole(bytes))));
}

export function newNonce(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

export function toBase64url(value: Uint8Array | string): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return btoa(asciiText(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export function fromBase64url(text: string): Uint8Array {
  return asciiBytes(atob(text.replaceAll('-', '+').replaceAll('_', '/')));
}

export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function asciiText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += WIDE) text += String.fromCharCode(...bytes.subarray(at, at + WIDE));
  return text;
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** WebCrypto takes no view of memory that is shared, and types cannot tell: nothing here is. */
function whole(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
