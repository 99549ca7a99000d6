import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, type KeyId, type VesselName } from '@potluck/protocol';
import type { Account } from '../../src/store/accounts.ts';
import { openDatabase, transact } from '../../src/store/database.ts';
import type { FoundVessel } from '../../src/store/inventory.ts';
import type { Attempt } from '../../src/store/leases.ts';
import type { Store } from '../../src/store/store.ts';

export async function accountOf(store: Store, username: string): Promise<Account> {
  const publicKey = generateIdentity().publicJwk;
  return await store.accounts.create({ username, email: undefined, passwordHash: 'none', publicKey });
}

/** Vessels that an account has, without asking any node. */
export async function take(store: Store, { id }: Account, count: number): Promise<Attempt> {
  const attempt: Attempt = { id: randomUUID(), accountId: id };
  await store.leases.reserve(attempt, count);
  assert.equal(await store.leases.confirm(attempt, count), true);
  return attempt;
}

/** What somebody gives. */
export interface Given {
  readonly by: Account;
  readonly vessels: number;
}

/** A node that is there, with vessels that may be had. */
export async function donate({ location }: { readonly location: string }, store: Store, given: Given): Promise<KeyId> {
  const node = await appear(store);
  const database = openDatabase(location);
  try {
    await transact(database, async (trx) => await store.inventory.record(trx, node, vesselsOn(node, given)));
  } finally {
    await database.destroy();
  }
  return node;
}

/** A node that is there, and was not looked at yet. */
export async function appear(store: Store): Promise<KeyId> {
  const { id: node } = generateIdentity();
  const iat = Math.floor(Date.now() / 1000);
  const facts = { addresses: [{ host: '127.0.0.1', port: 1 }], relays: [], keys: [], version: '1' };
  await store.nodes.seen({ node, advertisement: { ...facts, iat, exp: iat + 600 }, jws: 'signed', first: true });
  return node;
}

/** What the backend finds there. */
export function vesselsOn(node: KeyId, { by, vessels }: Given): FoundVessel[] {
  return Array.from({ length: vessels }, (_, index) => ({
    name: `v${index + 1}` as VesselName,
    owner: node,
    donor: by.id,
    restrictions: 'text',
    ports: [63_100 + index],
    clean: true,
  }));
}
