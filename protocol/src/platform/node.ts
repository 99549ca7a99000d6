import { createPublicKey, hash, type KeyObject, randomBytes, verify } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PublicJwk } from '../keys.ts';

/**
 * What Node and browsers have each by a way of their own; `#platform` leads to this file or to `browser.ts`, and both
 * export the same. What one of them can only do later returns a promise there.
 */
export type VerifyKey = KeyObject;

export function verifyKeyOf(jwk: PublicJwk): VerifyKey {
  return createPublicKey({ key: jwk, format: 'jwk' });
}

/** In this thread: the way through WebCrypto and its threads took twice the CPU and three times as long. */
export function isSignedBy(key: VerifyKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key, signature);
}

/** SHA-256 in base64url. */
export function digest(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url');
}

/** 16 random bytes in base64url. */
export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** Without padding; of a text its UTF-8. */
export function toBase64url(value: Uint8Array | string): string {
  return (typeof value === 'string' ? Buffer.from(value) : bufferOf(value)).toString('base64url');
}

export function fromBase64url(text: string): Uint8Array {
  return Buffer.from(text, 'base64url');
}

/** A byte for each character, which must be ASCII. */
export function asciiBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** A character for each byte; what is not ASCII becomes something that is not either. */
export function asciiText(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('latin1');
}

/** Keeps no process: the connection for which somebody waits does, as long as it is there. */
export async function pause(ms: number): Promise<void> {
  await delay(ms, undefined, { ref: false });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
