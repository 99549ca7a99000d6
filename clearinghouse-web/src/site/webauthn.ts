import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { describeError } from '@potluck/protocol';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Credential } from '../store/passkeys.ts';
import { newSecret } from '../store/secrets.ts';
import type { Member, Visit } from './route.ts';
import { isLoopback } from './signature.ts';

/**
 * The name that passkeys are made for, and where from it may be asked for them. Browsers want a name, which a numeric
 * address is not; of this machine's own addresses it is `localhost`.
 * @returns undefined for a site that has no name.
 */
function relyingParty(publicUrl: string): { id: string; origins: string[] } | undefined {
  const { hostname, protocol, port, origin } = new URL(publicUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || (isIP(host) !== 0 && isLoopback(host));
  if (isHere) return { id: 'localhost', origins: [`${protocol}//localhost${port === '' ? '' : `:${port}`}`] };
  return isIP(host) === 0 ? { id: host, origins: [origin] } : undefined;
}

export async function creationOptions(member: Member) {
  const { account, store } = member;
  const known = await store.passkeys.list(account.id);
  return await generateRegistrationOptions({
    rpName: 'Potluck',
    rpID: partyOf(member).id,
    userName: account.username,
    userID: Uint8Array.from(Buffer.from(account.id)),
    challenge: challengeFor(member, 'add'),
    timeout: LIMITS.challengeMs,
    excludeCredentials: known.map(({ id }) => ({ id })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}

/** Names no account: the browser offers the passkeys that it has for this site. */
export async function requestOptions(visit: Visit) {
  return await generateAuthenticationOptions({
    rpID: partyOf(visit).id,
    challenge: challengeFor(visit, 'use'),
    timeout: LIMITS.challengeMs,
    userVerification: 'required',
  });
}

/** @throws PortalError BAD_PASSKEY */
export async function createdCredential(visit: Visit, response: unknown) {
  const { id, origins } = partyOf(visit);
  const { registrationInfo } = await checked(async () => {
    return await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: async (challenge) => await isOurs(visit, 'add', challenge),
      expectedOrigin: origins,
      expectedRPID: id,
      requireUserVerification: true,
    });
  });
  if (registrationInfo === undefined) throw bad('it was not verified');
  return registrationInfo.credential;
}

/** @returns its new counter. @throws PortalError BAD_PASSKEY */
export async function usedCredential(visit: Visit, response: unknown, credential: Credential): Promise<number> {
  const { id, origins } = partyOf(visit);
  const { verified, authenticationInfo } = await checked(async () => {
    return await verifyAuthenticationResponse({
      response: response as AuthenticationResponseJSON,
      expectedChallenge: async (challenge) => await isOurs(visit, 'use', challenge),
      expectedOrigin: origins,
      expectedRPID: id,
      credential,
      requireUserVerification: true,
    });
  });
  if (!verified) throw bad('it was not verified');
  return authenticationInfo.newCounter;
}

export function bad(why: string): PortalError {
  return new PortalError('BAD_PASSKEY', `expected a passkey that is known here and has signed just now: ${why}`);
}

function partyOf({ publicUrl }: Visit): { id: string; origins: string[] } {
  const party = relyingParty(publicUrl());
  if (party !== undefined) return party;
  throw new PortalError('INVALID_REQUEST', 'expected a site that has a name, got one with a numeric address');
}

/** Made from the session that asks, so that nothing has to be kept for strangers. */
function challengeFor({ sessionToken }: Visit, purpose: 'add' | 'use'): string {
  const text = `${Date.now() + LIMITS.challengeMs}.${newSecret()}`;
  return `${text}.${macOf(sessionToken, purpose, text)}`;
}

/** Whether this session was given it, not long ago and for this; it is taken once. */
async function isOurs({ sessionToken, store }: Visit, purpose: 'add' | 'use', challenge: string): Promise<boolean> {
  const [until = '', secret = '', mac = ''] = Buffer.from(challenge, 'base64url').toString().split('.');
  const [expected, got] = [Buffer.from(macOf(sessionToken, purpose, `${until}.${secret}`)), Buffer.from(mac)];
  if (expected.length !== got.length || !timingSafeEqual(expected, got) || Number(until) < Date.now()) return false;
  return await store.nonces.claim('passkey', secret, Number(until) / 1000);
}

function macOf(sessionToken: string, purpose: string, text: string): string {
  return createHmac('sha256', sessionToken).update(`potluck passkey ${purpose} ${text}`).digest('base64url');
}

async function checked<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (error) {
    throw bad(describeError(error));
  }
}
