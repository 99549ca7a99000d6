import assert from 'node:assert/strict';
import { join } from 'node:path';
import { generateIdentity, type KeyId } from '@potluck/protocol';
import { openDatabase } from '../src/store/database.ts';
import type { Api } from './support/api.ts';
import type { Peer } from './support/peer.ts';
import { eventually, Site } from './support/site.ts';

/** What a site that was taken over could write into the queue; the backend must do nothing of it on the node. */
describe('a forged task', () => {
  let site: Site;
  let user: Api;
  let peer: Peer;
  let held: { node: KeyId; vessel: string; fence: number };
  const thief = generateIdentity().id;

  before(async () => {
    site = await Site.start();
    user = await site.api().join('user');
    peer = await site.peer(user, 'user', 2);
    assert.equal((await user.post('/vessels/acquire', { count: 1 })).status, 201);
    const [row] = site.rows("SELECT node_id AS node, name AS vessel, fence FROM vessels WHERE state = 'leased'");
    held = row as typeof held;
  });
  after(async () => await site[Symbol.asyncDispose]());

  /** @returns why it failed. */
  async function refusal(kind: string, payload: object): Promise<string> {
    const db = openDatabase(join(site.directory, 'state', 'clearinghouse.sqlite'));
    const at = { state: 'waiting' as const, run_at: 0, created_at: 0, node_id: null };
    const task = { ...at, kind, subject: `forged:${kind}`, payload: JSON.stringify(payload) };
    const { id } = await db.insertInto('tasks').values(task).returning('id').executeTakeFirstOrThrow();
    await db.destroy();
    return await eventually(async () => {
      const [row] = site.rows("SELECT error FROM tasks WHERE id = ? AND state = 'failed'", id);
      return row === undefined ? undefined : String(row.error);
    });
  }

  const FORGED: Readonly<Record<string, () => [kind: string, payload: object, why: RegExp]>> = {
    'of a kind that is not in the table': () => ['ChangeOwner', { ...held, owner: thief }, /discriminator|kind/],
    'that names another method beside': () => ['reset-vessel', { ...held, method: 'ChangeOwner' }, /Unrecognized key/],
    'that overrides its kind': () => ['inspect-node', { ...held, kind: 'reset-vessel' }, /Unrecognized key/],
    'that gives a vessel to a key of nobody': () => ['change-users', { ...held, users: [thief] }, /Unrecognized key/],
    'that gives a held vessel to another key': () => ['rekey-vessel', { ...held, user: thief }, /Unrecognized key/],
    'that asks more of a node than to measure': () => {
      const latency = { address: '193.0.6.139', port: 443, ms: 40, not: false, estimated: true, send: 'x' };
      return ['change-users', { ...held, latency }, /Unrecognized key/];
    },
    'of a holder that is long gone': () => ['change-users', { ...held, fence: held.fence - 1 }, /moved on/],
    'that says how to split': () => ['split-node', { node: held.node, restrictions: 'all' }, /Unrecognized key/],
    'of a vessel by another name': () => ['reset-vessel', { ...held, vessel: '../v1' }, /vessel/],
    'that is no object': () => ['inspect-node', ['x'], /./],
  };

  for (const [what, make] of Object.entries(FORGED)) {
    it(`${what} is refused`, async () => {
      const before = [...peer.done];
      const [kind, payload, why] = make();
      assert.match(await refusal(kind, payload), why);
      assert.deepEqual(peer.done, before, 'the node was asked nothing');
      assert.deepEqual(peer.vessels.get(held.vessel)?.users, [user.identity.id]);
    });
  }
});
