import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits as text: a cookie, or the secret part of a token. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a secret. It has more bits than anybody can try, so that one pass of SHA-256 is enough. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
