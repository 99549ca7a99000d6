import assert from 'node:assert/strict';
import { type FileName, NodeClient, packMessage, type Result, signRequest, type VesselName } from '@potluck/protocol';
import { CLOSE_CODES } from '../src/connection.ts';
import { RawConnection, RESTRICTIONS, rejectsWith, TestNode, type TestNodeInit } from './support.ts';

const v1 = 'v1' as VesselName;
const WITH_FILES = `${RESTRICTIONS}\nresource filesopened 5\nresource fileread 1000000`;
/** Logs the lines of each file that is uploaded under the next number; an empty one ends it. */
const ECHO = `
for (let n = 0; ; n += 1) {
  while (!(await listdir()).includes('say' + n)) await sleep(0.01);
  const said = await (await open('say' + n, 'r')).read();
  if (said === '') break;
  log(said);
}
exitall();`;

type Part = { result: Result<'ReadVesselLog'>; attachment: Uint8Array };

describe('a log that is followed', () => {
  let node: TestNode;
  let user: NodeClient;
  let said = 0;
  const setUp = async (init: TestNodeInit = {}): Promise<void> => {
    node = await TestNode.start({ ...init, limits: { poolSize: 1, ...init.limits } });
    user = await node.client(node.user);
    said = 0;
  };
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
  });

  const upload = async (name: string, text: string): Promise<void> => {
    await user.call('AddFileToVessel', { vessel: v1, name: name as FileName }, { attachment: Buffer.from(text) });
  };
  const start = async (source = ECHO): Promise<number> => {
    await upload('program.js', source);
    const call = { vessel: v1, program: 'program.js' as FileName, args: [] };
    return (await user.call('StartVessel', call)).result.logFrom;
  };
  const say = async (text: string): Promise<void> => {
    await upload(`say${said}`, text);
    said += 1;
  };
  const news = async (row: AsyncGenerator<Part>): Promise<string> => {
    for (;;) {
      const { value, done } = await row.next();
      if (done || value.attachment.byteLength > 0) return Buffer.from(value?.attachment ?? []).toString();
    }
  };
  const all = async (row: AsyncGenerator<Part>): Promise<{ text: string; parts: Part[] }> => {
    const parts = await Array.fromAsync(row);
    return { text: Buffer.concat(parts.map(({ attachment }) => attachment)).toString(), parts };
  };

  it('is pushed as it is written, until the program has ended; the last reply says how', async () => {
    await setUp({ restrictions: WITH_FILES });
    await start();
    const row = user.followLog(v1);
    for (const text of ['one\n', 'zwei ü\n', 'half']) {
      await say(text);
      assert.equal(await news(row), text);
    }
    await say('');
    const { parts } = await all(row);
    const last = parts.at(-1)?.result;
    assert.equal(last?.state, 'Terminated');
    assert.deepEqual([last?.ending?.kind, last?.ending?.exitCode], ['exitall', 0]);
  });

  it('tells all that was logged right before the end, and the exit code of an error', async () => {
    await setUp();
    const from = await start("log('x'.repeat(99999) + '\\n'); throw new Error('boom');");
    const { text, parts } = await all(user.followLog(v1, { from }));
    const { text: kept } = await all(user.followLog(v1));
    assert.equal(text, kept);
    assert.match(text, /^x{99999}\n(.|\n)*boom/);
    assert.equal(parts.at(-1)?.result.ending?.kind, 'error');
    assert.notEqual(parts.at(-1)?.result.ending?.exitCode, 0);
    assert.ok(parts.length > 3, 'a long log goes in pieces');
  });

  it('of a vessel that runs nothing is what is there', async () => {
    await setUp();
    const { text, parts } = await all(user.followLog(v1));
    assert.deepEqual([text, parts.length, parts[0]?.result.state], ['', 1, 'Fresh']);
    await start("log('hello')");
    await all(user.followLog(v1));
    const again = await all(user.followLog(v1));
    assert.deepEqual([again.text, again.parts.at(-1)?.result.state], ['hello', 'Terminated']);
  });

  it("begins with the program's own lines where its start says so", async () => {
    await setUp();
    await start("log('first')");
    await all(user.followLog(v1));
    const from = await start("log('second')");
    assert.equal((await all(user.followLog(v1, { from }))).text, 'second');
    assert.equal((await all(user.followLog(v1))).text, 'firstsecond');
  });

  it('goes on where a reader was who lost the connection: nothing is lost and nothing comes twice', async () => {
    await setUp();
    await start("for (let n = 0; n < 300; n += 1) { log(n + '\\n'); await sleep(0.001); }");
    let text = '';
    let from = 0;
    for (let isOver = false; !isOver; ) {
      const client = await NodeClient.connect({ address: node.address, node: node.id, identity: node.user });
      for await (const { result, attachment } of client.followLog(v1, { from })) {
        text += Buffer.from(attachment).toString();
        from = result.next;
        isOver = result.state !== undefined;
        if (attachment.byteLength > 0) break;
      }
      await client.close();
    }
    assert.equal(text, Array.from({ length: 300 }, (_, n) => `${n}\n`).join(''));
  });

  it('says how much a reader has missed, also over a reset and a restart of the node', async () => {
    await setUp({ limits: { vesselLogBytes: 1000 } });
    await start("for (let n = 0; n < 50; n += 1) log('x'.repeat(100));");
    await all(user.followLog(v1));
    const { parts } = await all(user.followLog(v1, { from: 0 }));
    const ended = parts.at(-1)?.result;
    const kept = parts.reduce((sum, { attachment }) => sum + attachment.byteLength, 0);
    assert.equal(ended?.next, 5000);
    assert.equal(parts[0]?.result.droppedBytes, 5000 - kept);
    await user.call('ResetVessel', { vessel: v1 });
    assert.deepEqual((await user.call('ReadVesselLog', { vessel: v1 })).result, { droppedBytes: 0, next: 5000 });
    await node.restart();
    user = await node.client(node.user);
    await start("log('new')");
    const after = await all(user.followLog(v1, { from: 4990 }));
    assert.equal(after.text, 'new');
    assert.equal(after.parts[0]?.result.droppedBytes, 10);
    assert.equal((await all(user.followLog(v1, { from: 9_999_999 }))).text, '', 'what never was is not waited for');
  });

  it('keeps nobody out of the vessel, and ends with the stop of its program', async () => {
    await setUp({ limits: { requestsPerVessel: 1, requestsPerConnection: 1 } });
    await start("log('runs'); settimer(100000, () => {});");
    const row = user.followLog(v1);
    assert.equal(await news(row), 'runs');
    await user.call('StopVessel', { vessel: v1 });
    const { parts } = await all(row);
    assert.deepEqual([parts.at(-1)?.result.state, parts.at(-1)?.result.ending?.exitCode], ['Stopped', 143]);
  });

  it('ends with a reset as with a stop', async () => {
    await setUp();
    await start("log('runs'); settimer(100000, () => {});");
    const row = user.followLog(v1);
    await news(row);
    await user.call('ResetVessel', { vessel: v1 });
    assert.equal((await all(row)).parts.at(-1)?.result.ending?.message, 'a user reset the vessel');
  });

  it('is closed to strangers, and at once to who loses the right to it', async () => {
    await setUp();
    const owner = await node.client(node.owner);
    const stranger = await node.client(node.stranger);
    await start("log('runs'); settimer(100000, () => {});");
    await rejectsWith(stranger.followLog(v1).next(), 'NOT_PERMITTED');
    const rows = [user, owner].map((client) => client.followLog(v1));
    for (const row of rows) await news(row);
    const [ofUser, ofOwner] = rows as [AsyncGenerator<Part>, AsyncGenerator<Part>];
    const revoked = rejectsWith(ofUser.next(), 'NOT_PERMITTED');
    await owner.call('ChangeUsers', { vessel: v1, users: [] });
    await revoked;
    const handedOver = rejectsWith(ofOwner.next(), 'NOT_PERMITTED');
    await owner.call('ChangeOwner', { vessel: v1, owner: node.stranger.id });
    await handedOver;
    const { parts } = await (async () => {
      const row = stranger.followLog(v1);
      await news(row);
      await stranger.call('StopVessel', { vessel: v1 });
      return await all(row);
    })();
    assert.equal(parts.at(-1)?.result.state, 'Stopped');
  });

  it('ends for its reader when the node stops', async () => {
    await setUp();
    await start("log('runs'); settimer(100000, () => {});");
    const row = user.followLog(v1);
    await news(row);
    const closed = rejectsWith(row.next(), 'CLOSED');
    await node.manager.stop();
    await closed;
    await node.manager.start();
  });

  it('keeps its connection from being idle, until it is left', async () => {
    await setUp({ limits: { idleMs: 3000, followSilenceMs: 400 } }); // Ten replies take longer than it may be idle.
    await start("log('runs'); settimer(100000, () => {});").catch(() => undefined); // It may take longer than that.
    const watcher = await node.client(node.user);
    for (let state: string | undefined; state !== 'Started'; ) {
      state = (await watcher.call('GetVessels', {})).result.vessels[0]?.state;
    }
    await using raw = await RawConnection.open(node);
    const request = async (params: object): Promise<string> => {
      const { message, nonce } = await signRequest(node.user, { method: 'ReadVesselLog', params, node: node.id });
      raw.socket.send(packMessage(message));
      return nonce;
    };
    const nonce = await request({ vessel: v1, follow: true });
    for (let replies = 0; replies < 10; replies += 1) assert.ok(!((await raw.reply()) instanceof Error));
    await request({ vessel: v1, leave: nonce });
    assert.equal((await raw.closed).code, CLOSE_CODES.idle);
  });

  it('that a node says nothing about is given up', async () => {
    await setUp();
    await start('settimer(100000, () => {});');
    await rejectsWith(all(user.followLog(v1, { timeoutMs: 1000 })), 'TIMEOUT');
  });

  it('can be given up by its reader, who then gets no more of it', async () => {
    await setUp();
    await start("log('runs'); settimer(100000, () => {});");
    const abort = new AbortController();
    const row = user.followLog(v1, { signal: abort.signal });
    await news(row);
    const next = row.next();
    abort.abort();
    await assert.rejects(next, { name: 'AbortError' });
    assert.equal((await user.call('ReadVesselLog', { vessel: v1 })).attachment.byteLength, 4);
  });

  it('followersPerConnection: as many are served, one more is BUSY, and a place that is left is taken', async () => {
    await setUp({ limits: { followersPerConnection: 2 } });
    await fill('BUSY', async () => user);
  });

  it('followersPerVessel: as many are served, one more is BUSY, and a place that is left is taken', async () => {
    await setUp({ limits: { followersPerVessel: 2 } });
    await fill('BUSY', async () => await node.client(node.user));
  });

  async function fill(code: string, client: () => Promise<NodeClient>): Promise<void> {
    await start("log('runs'); settimer(100000, () => {});");
    const rows: AsyncGenerator<Part>[] = [];
    for (let n = 0; n < 2; n += 1) {
      const row = (await client()).followLog(v1);
      assert.equal(await news(row), 'runs');
      rows.push(row);
    }
    await rejectsWith((await client()).followLog(v1).next(), code);
    await rows[0]?.return(undefined);
    for (let isTaken = false; !isTaken; ) {
      // The node hears of it a moment later than we do.
      isTaken = await (await client())
        .followLog(v1)
        .next()
        .then(
          () => true,
          () => false,
        );
    }
  }
});
