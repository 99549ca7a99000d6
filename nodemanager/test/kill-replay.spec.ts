import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateIdentity, packMessage, signRequest, type VesselName } from '@potluck/protocol';
import Database from 'better-sqlite3';
import { statePaths } from '../src/index.ts';
import { Daemon } from './daemon.ts';
import { assertRefused, RawConnection, RESTRICTIONS, requestTo } from './support.ts';

const v1 = 'v1' as VesselName;

describe('a node manager that is killed between the taking of a request and its reply', () => {
  const owner = generateIdentity();
  let state: string;
  let daemon: Daemon;
  const boot = async (): Promise<void> => {
    daemon = await Daemon.start(state);
  };
  const node = () => ({ id: daemon.address.node, address: daemon.address });

  beforeEach(async () => {
    state = await mkdtemp(join(tmpdir(), 'potluck-replay-'));
    const vessels = [{ owner: owner.id, users: [], restrictions: RESTRICTIONS }];
    await writeFile(statePaths(state).config, JSON.stringify({ listen: { host: '127.0.0.1', port: 0 }, vessels }), {
      mode: 0o600,
    });
    await writeFile(statePaths(state).runtime, ''); // No vessel process can be made: a start waits for long.
    await boot();
  });
  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
    await rm(state, { recursive: true });
  });

  /** Another process reads it: what it sees, the node manager has written. */
  const isTaken = (nonce: string): boolean => {
    const database = new Database(statePaths(state).database, { readonly: true });
    try {
      return database.prepare('SELECT 1 FROM nonces WHERE nonce = ?').get(nonce) !== undefined;
    } finally {
      database.close();
    }
  };
  const ask = async (init: Parameters<typeof requestTo>[2]) => {
    await using raw = await RawConnection.open(node());
    return await raw.exchange(await requestTo(node(), owner, init));
  };
  /** Sends it, and kills the node manager as soon as the nonce is there. @returns whether a reply came before. */
  const killWhenTaken = async (init: Parameters<typeof signRequest>[1]) => {
    const signed = await signRequest(owner, init);
    await using raw = await RawConnection.open(node());
    let replies = 0;
    raw.socket.on('message', () => {
      replies += 1;
    });
    raw.socket.send(packMessage(signed.message));
    while (!isTaken(signed.nonce)) await new Promise((resolve) => setImmediate(resolve));
    await daemon.end('SIGKILL');
    await raw.closed;
    await boot();
    return { ...signed, replies };
  };
  const again = async (message: Awaited<ReturnType<typeof requestTo>>): Promise<void> => {
    await using raw = await RawConnection.open(node());
    assertRefused(await raw.exchange(message), 'REPLAYED');
  };

  it('refuses a start that was under way when it comes again, and has not run it', async () => {
    const params = { vessel: v1, name: 'a.js' };
    assert.ok(!((await ask({ method: 'AddFileToVessel', params })) instanceof Error));
    const start = { method: 'StartVessel', params: { vessel: v1, program: 'a.js', args: [] }, node: node().id };
    const { message, replies } = await killWhenTaken(start);
    assert.equal(replies, 0, 'it was killed before its reply');
    await again(message);
  });

  it('refuses an upload that was under way when it comes again; the file is whole or not there', async () => {
    const attachment = randomBytes(7_000_000);
    const params = { vessel: v1, name: 'big' };
    const { message } = await killWhenTaken({ method: 'AddFileToVessel', params, attachment, node: node().id });
    await again(message);
    const { files, incoming } = statePaths(state).vessel(v1);
    assert.deepEqual(await readdir(incoming), []);
    const got = await ask({ method: 'RetrieveFileFromVessel', params });
    if (got instanceof Error) assertRefused(got, 'NO_SUCH_FILE');
    else assert.ok(attachment.equals(got.attachment));
    assert.ok((await readdir(files)).every((name) => name === 'big'));
    const anew = await ask({ method: 'AddFileToVessel', params, attachment });
    assert.ok(!(anew instanceof Error), 'the same, signed anew, is taken');
  });
});
