import { type PublicJwk, RequestError, verifyKeyProof } from '@potluck/protocol';
import type { z } from 'zod';
import { PortalError } from '../errors.ts';
import { csrfMatches } from '../store/sessions.ts';
import { refusedPage } from './account-page.ts';
import { confirmPassword } from './confirm.ts';
import type { Route, Visit } from './route.ts';
import { keyChangeSchema, nothingSchema } from './schemas.ts';
import { memberOf } from './session.ts';
import { isSame } from './signature.ts';

export const changeKey: Route<z.infer<typeof keyChangeSchema>> = {
  method: 'post',
  path: '/account/key',
  summary: 'Take another key; each vessel of the account is handed to it, and the old one is refused there.',
  access: 'user',
  inPerson: true,
  body: keyChangeSchema,
  result: nothingSchema,
  problems: ['KEY_NOT_PROVED', 'WRONG_PASSWORD', 'TOO_MANY_REQUESTS'],
  handle: async (visit, { current, keyProof }) => {
    const member = memberOf(visit);
    const { store, queue, account } = member;
    const publicKey = await provedKey(visit, account.username, keyProof);
    await confirmPassword(member, current);
    await store.accounts.changeKey(account, publicKey);
    queue.wake();
    return { json: {}, redirect: '/account?notice=key#key' };
  },
  refused: async (visit, error, entered) => await refusedPage(visit, error, 'key', entered),
};

/**
 * The key of a proof that its owner has made for this account or this session of this site: nobody can claim a key that
 * he does not have.
 * @throws PortalError KEY_NOT_PROVED
 */
export async function provedKey(visit: Visit, username: string, keyProof: string): Promise<PublicJwk> {
  const { audience, subject, publicJwk } = await opened(keyProof);
  if (!isSame(audience, visit.publicUrl())) {
    throw notProved(`expected a line for ${visit.publicUrl()}, got one for ${audience.slice(0, 200)}`);
  }
  if (subject.toLowerCase() === username.toLowerCase() || csrfMatches(visit.sessionToken, subject)) return publicJwk;
  throw notProved(`expected a line for the account "${username}", got one for another: sign it anew`);
}

async function opened(keyProof: string) {
  try {
    return await verifyKeyProof(keyProof, Date.now() / 1000);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw notProved(error.message);
  }
}

function notProved(message: string): PortalError {
  return new PortalError('KEY_NOT_PROVED', message);
}
