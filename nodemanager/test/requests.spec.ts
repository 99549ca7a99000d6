import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { generateIdentity, LIMITS, type Message, packMessage, type VesselName } from '@potluck/protocol';
import Database from 'better-sqlite3';
import { CLOSE_CODES } from '../src/connection.ts';
import { assertRefused, RawConnection, requestTo, TestNode } from './support.ts';

const v1 = 'v1' as VesselName;
/** A question for users of the vessel alone. */
const LIST = { method: 'ListFilesInVessel', params: { vessel: v1 } };

function forge({ envelope, attachment }: Message): Message {
  const [head, body, signature] = envelope.split('.');
  const forged = Buffer.from(body ?? '', 'base64url')
    .toString()
    .replace('"GetVessels"', '"StopVessel"');
  return { envelope: `${head}.${Buffer.from(forged).toString('base64url')}.${signature}`, attachment };
}

/** Runs a task with a clock that differs. */
async function at<T>(seconds: number, task: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() + seconds * 1000;
  try {
    return await task();
  } finally {
    Date.now = now;
  }
}

describe('a request to a node manager', () => {
  let node: TestNode;
  let connection: RawConnection;
  before(async () => {
    node = await TestNode.start();
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    connection = await RawConnection.open(node);
  });
  afterEach(async () => {
    await connection[Symbol.asyncDispose]();
  });
  const ask = async (...init: Parameters<typeof requestTo> extends [unknown, ...infer R] ? R : never) =>
    await connection.exchange(await requestTo(node, ...init));

  it('is answered with the node, its walls and its vessels, whoever asks', async () => {
    const client = await node.client(node.stranger);
    const { result } = await client.call('GetVessels', {});
    assert.equal(result.node, node.id);
    assert.match(result.version, /^\d+\.\d+\.\d+$/);
    assert.ok(result.walls.up.length > 0);
    assert.deepEqual(
      result.vessels.map(({ name, state, owner, users }) => ({ name, state, owner, users })),
      [{ name: v1, state: 'Fresh', owner: node.owner.id, users: [node.user.id] }],
    );
  });

  it('is refused when it was forged', async () => {
    assertRefused(await connection.exchange(forge(await requestTo(node, node.user))), 'BAD_SIGNATURE');
  });

  it('is refused when it comes a second time, on the same connection and on another', async () => {
    const message = await requestTo(node, node.user, LIST);
    assert.ok(!((await connection.exchange(message)) instanceof Error));
    assertRefused(await connection.exchange(message), 'REPLAYED');
    await using other = await RawConnection.open(node);
    assertRefused(await other.exchange(message), 'REPLAYED');
  });

  it('is refused as replayed also after a restart of the node manager', async () => {
    const message = await requestTo(node, node.user, LIST);
    assert.ok(!((await connection.exchange(message)) instanceof Error));
    await node.restart();
    await using again = await RawConnection.open(node);
    assertRefused(await again.exchange(message), 'REPLAYED');
  });

  it('leaves nothing on the disk when it is a question that anyone may ask, or is refused', async () => {
    const noncesOf = async (): Promise<number> => {
      const database = new Database(node.paths.database, { readonly: true });
      const count = Number(database.prepare('SELECT count(*) FROM nonces').pluck().get());
      database.close();
      return count;
    };
    const before = await noncesOf();
    const question = await requestTo(node, node.stranger);
    for (let times = 0; times < 3; times += 1) assert.ok(!((await connection.exchange(question)) instanceof Error));
    assertRefused(await ask(node.stranger, LIST), 'NOT_PERMITTED');
    assertRefused(await ask(node.user, { ...LIST, attachment: Buffer.from('x') }), 'BAD_ATTACHMENT');
    assertRefused(await ask(node.user, { ...LIST, params: {} }), 'BAD_PARAMETERS');
    assert.equal(await noncesOf(), before);
    assert.ok(!((await ask(node.user, LIST)) instanceof Error));
    assert.equal(await noncesOf(), before + 1);
  });

  it('is refused when it has expired, or may live for too long', async () => {
    const late = await at(-LIMITS.clockSkewSeconds - 12, () => requestTo(node, node.user, { lifetimeSeconds: 10 }));
    assertRefused(await connection.exchange(late), 'EXPIRED');
    const early = await at(LIMITS.clockSkewSeconds + 5, () => requestTo(node, node.user));
    assertRefused(await connection.exchange(early), 'EXPIRED');
    assertRefused(await ask(node.user, { lifetimeSeconds: LIMITS.requestLifetimeSeconds + 1 }), 'EXPIRED');
  });

  it('is refused when it was meant for another node', async () => {
    assertRefused(await ask(node.user, { node: generateIdentity().id }), 'WRONG_NODE');
  });

  it('is refused when its attachment was exchanged', async () => {
    const message = await requestTo(node, node.user, {
      method: 'AddFileToVessel',
      params: { vessel: v1, name: 'a' },
      attachment: Buffer.from('one'),
    });
    assertRefused(await connection.exchange({ ...message, attachment: Buffer.from('two') }), 'BAD_ATTACHMENT');
  });

  it('is refused when no such method exists, also one with a name that every object has', async () => {
    for (const method of ['FormatDisk', 'toString', '__proto__', '']) {
      assertRefused(await ask(node.user, { method }), 'UNKNOWN_METHOD');
    }
  });

  it('is refused when its parameters are not those of the table', async () => {
    const wrong: [string, unknown][] = [
      ['GetVessels', { more: 1 }],
      ['GetVessels', null],
      ['GetVesselResources', {}],
      ['GetVesselResources', { vessel: 'V1' }],
      ['GetVesselResources', { vessel: '../v1' }],
      ['AddFileToVessel', { vessel: v1, name: '../x' }],
      ['AddFileToVessel', { vessel: v1, name: '.hidden' }],
      ['AddFileToVessel', { vessel: v1, name: 'a'.repeat(LIMITS.fileNameLength + 1) }],
      ['RetrieveFileFromVessel', { vessel: v1, name: 'a/../../v2/files/b' }],
      ['StartVessel', { vessel: v1, program: 'a.js', args: 'hello' }],
      ['StartVessel', { vessel: v1, program: 'a.js', args: Array(LIMITS.programArguments + 1).fill('') }],
      ['StartVessel', { vessel: v1, program: 'a.js', args: ['a'.repeat(LIMITS.programArgumentLength + 1)] }],
      ['ChangeUsers', { vessel: v1, users: ['somebody'] }],
      ['ChangeUsers', { vessel: v1, users: Array(LIMITS.usersPerVessel + 1).fill(node.user.id) }],
    ];
    for (const [method, params] of wrong) {
      assertRefused(await ask(node.owner, { method, params }), 'BAD_PARAMETERS');
    }
  });

  it('is refused for a vessel that is not there', async () => {
    const params = { vessel: 'v2' };
    assertRefused(await ask(node.owner, { method: 'ListFilesInVessel', params }), 'NO_SUCH_VESSEL');
  });

  it('is refused to a stranger, and what only the owner may do also to a user', async () => {
    const ofUser = ['AddFileToVessel', 'ListFilesInVessel', 'RetrieveFileFromVessel', 'StartVessel', 'StopVessel'];
    const more: Record<string, object> = {
      AddFileToVessel: { name: 'a' },
      RetrieveFileFromVessel: { name: 'a' },
      StartVessel: { program: 'a', args: [] },
    };
    for (const method of [...ofUser, 'ResetVessel', 'ReadVesselLog']) {
      const params = { vessel: v1, ...more[method] };
      assertRefused(await ask(node.stranger, { method, params }), 'NOT_PERMITTED');
    }
    const params = { vessel: v1, users: [] };
    for (const who of [node.stranger, node.user]) {
      assertRefused(await ask(who, { method: 'ChangeUsers', params }), 'NOT_PERMITTED');
    }
  });

  it('is refused with attached bytes, unless the table says that it has some', async () => {
    assertRefused(await ask(node.user, { attachment: Buffer.from('x') }), 'BAD_ATTACHMENT');
  });

  it('may be as large as a message may be, and one byte more ends the connection', async () => {
    const sent = await requestTo(node, node.user, { method: 'AddFileToVessel', params: { vessel: v1, name: 'big' } });
    const bare = packMessage(sent).length;
    const fill = (bytes: number): Buffer => Buffer.concat([packMessage(sent), Buffer.alloc(bytes - bare)]);
    connection.socket.send(fill(LIMITS.messageBytes));
    assertRefused(await connection.reply(), 'BAD_ATTACHMENT');
    connection.socket.send(fill(LIMITS.messageBytes + 1));
    assert.equal((await connection.closed).code, 1009);
  });

  it('that fails by no fault of the caller is answered with INTERNAL and a number, and the log says why', async () => {
    const { files } = node.paths.vessel(v1);
    await rename(files, `${files}.away`);
    await writeFile(files, 'not a directory');
    const refused = assertRefused(
      await ask(node.user, { method: 'ListFilesInVessel', params: { vessel: v1 } }),
      'INTERNAL',
    );
    await rm(files);
    await rename(`${files}.away`, files);
    assert.doesNotMatch(refused.message, /EEXIST/);
    const lines = (await readFile(node.paths.log, 'utf8')).split('\n');
    assert.match(lines.find((line) => line.includes(String(refused.details.id))) ?? '', /EEXIST/);
  });

  it('ends the connection, with a reason, when nobody could tell what a reply is about', async () => {
    const nameless = { envelope: 'no.signature', attachment: new Uint8Array() };
    for (const bytes of [randomBytes(1024 * 1024), Buffer.alloc(0), Buffer.alloc(3), packMessage(nameless)]) {
      await using bad = await RawConnection.open(node);
      bad.socket.send(bytes);
      const { code, reason } = await bad.closed;
      assert.equal(code, CLOSE_CODES.badMessage);
      assert.match(reason, /^BAD_MESSAGE: expected/);
    }
    await using text = await RawConnection.open(node);
    text.socket.send('hello');
    assert.equal((await text.closed).code, CLOSE_CODES.binaryOnly);
    assert.ok(!((await ask(node.user)) instanceof Error), 'the node went on for others');
  });
});
