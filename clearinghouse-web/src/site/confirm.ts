import type { Request } from 'express';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { verifyPassword } from '../password.ts';
import type { Account } from '../store/accounts.ts';
import type { Budget } from '../store/attempts.ts';
import { sessionIdOf } from '../store/sessions.ts';
import { addressOf } from './caller.ts';
import type { Member, Visit } from './route.ts';
import { deviceOf } from './session.ts';
import { bad, usedCredential } from './webauthn.ts';

/**
 * The account of this name and password. Whoever comes with a browser that the account knows has attempts of his own, so
 * that strangers who guess use up theirs and not his.
 * @throws PortalError WRONG_PASSWORD, TOO_MANY_REQUESTS
 */
export async function accountByPassword(visit: Visit, username: string, password: string): Promise<Account> {
  const { store } = visit;
  const account = await store.accounts.byUsername(username);
  const secret = deviceOf(visit);
  const device = account && secret && (await store.devices.find(account.id, secret));
  const budgets = device === undefined ? budgetsOf(visit.request, username) : [knownBudget(device)];
  await store.attempts.take(budgets);
  const matches = await verifyPassword(password, account?.password);
  if (account === undefined || !matches) {
    throw new PortalError('WRONG_PASSWORD', 'expected the username and password of an account, got a pair that is not');
  }
  await store.attempts.giveBack(budgets);
  return account;
}

/**
 * For what gives lasting power over an account: a session alone, which may have been left open, does not do.
 * @throws PortalError WRONG_PASSWORD, TOO_MANY_REQUESTS
 */
export async function confirmPassword({ store, account, sessionToken }: Member, password: string): Promise<void> {
  // By session: whoever has got hold of one cannot lock the user's others.
  const budgets = [{ key: `confirm:${sessionIdOf(sessionToken)}`, limit: LIMITS.passwordFailures }];
  await store.attempts.take(budgets);
  if (!(await verifyPassword(password, account.password))) {
    const message = 'expected the password that this account has now, got another';
    throw new PortalError('WRONG_PASSWORD', message, { details: { fields: { current: message } } });
  }
  await store.attempts.giveBack(budgets);
}

/**
 * As `confirmPassword`, by what a passkey of the account has just signed for this session.
 * @throws PortalError BAD_PASSKEY, TOO_MANY_REQUESTS
 */
export async function confirmPasskey(member: Member, response: { readonly id: string }): Promise<void> {
  const { store, account, sessionToken } = member;
  const budgets = [{ key: `confirm:${sessionIdOf(sessionToken)}`, limit: LIMITS.passwordFailures }];
  await store.attempts.take(budgets);
  const credential = await store.passkeys.find(response.id);
  if (credential?.accountId !== account.id) throw bad('it is none of this account');
  await store.passkeys.used(credential.id, await usedCredential(member, response, credential));
  await store.attempts.giveBack(budgets);
}

function knownBudget(device: string): Budget {
  return { key: `login:device:${device}`, limit: LIMITS.loginFailuresPerClient };
}

function budgetsOf(request: Request, username: string): Budget[] {
  const [name, address] = [username.toLowerCase(), addressOf(request)];
  return [
    { key: `login:address:${address}`, limit: LIMITS.loginFailuresPerAddress },
    { key: `login:client:${name}:${address}`, limit: LIMITS.loginFailuresPerClient },
    { key: `login:account:${name}`, limit: LIMITS.loginFailuresPerAccount },
  ];
}
