import { createHash, sign } from 'node:crypto';
import { generateIdentity, type Identity, type KeyId } from '@potluck/protocol';
import type { Dice } from './dice.ts';

/** What the frames of a run are about. The owner of `v1` signs none of them: nothing of it may change. */
export interface World {
  readonly node: KeyId;
  /** Owner and user of all vessels but `v1`, and a stranger. */
  readonly signers: readonly Identity[];
}

export function makeSigners(): Identity[] {
  return [generateIdentity(), generateIdentity(), generateIdentity()];
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

export interface Signed {
  /** Of the JWS; right when it is left out. */
  readonly header?: string;
  /** JSON, or what only looks like it. */
  readonly payload: string;
}

/** A JWS with a valid signature over whatever it is. */
export function signText(signer: Identity, { header, payload }: Signed): string {
  const head = header ?? JSON.stringify({ alg: 'EdDSA', typ: 'potluck-request', jwk: signer.publicJwk });
  const body = `${base64url(head)}.${base64url(payload)}`;
  return `${body}.${sign(null, Buffer.from(body), signer.privateKey).toString('base64url')}`;
}

/** The members of a payload, each as JSON. */
export function payloadOf(world: World, dice: Dice, attachment: Buffer = Buffer.alloc(0)): Record<string, string> {
  const now = Math.floor(Date.now() / 1000);
  return {
    method: '"GetVessels"',
    params: '{}',
    node: JSON.stringify(world.node),
    iat: String(now),
    exp: String(now + 60),
    nonce: JSON.stringify(dice.bytes(16).toString('base64url')),
    sha256: JSON.stringify(createHash('sha256').update(attachment).digest('base64url')),
  };
}

export function jsonOf(members: Record<string, string>): string {
  return `{${Object.entries(members)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(',')}}`;
}

/** A message as `packMessage` would make it, without its checks. */
export function frame(envelope: string, attachment: Buffer = Buffer.alloc(0), length = envelope.length): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length >>> 0);
  return Buffer.concat([header, Buffer.from(envelope, 'latin1'), attachment]);
}
