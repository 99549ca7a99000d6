import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FileName,
  formatRestrictions,
  generateIdentity,
  LIMITS,
  type NodeClient,
  parseRestrictions,
  type VesselInfo,
  type VesselName,
} from '@potluck/protocol';
import { NODE_LIMITS } from '../src/limits.ts';
import { RESTRICTIONS, rejectsWith, TestNode } from './support.ts';

const [v1, v2, v3, v4] = ['v1', 'v2', 'v3', 'v4'] as VesselName[] as [VesselName, VesselName, VesselName, VesselName];
const WHOLE = `${RESTRICTIONS}\nresource filesopened 5\nresource filewrite 100000\nresource fileread 100000\nresource messport 63100\nresource messport 63101\nresource connport 63100\n`;
const SMALL =
  'resource cpu .05\nresource memory 20000000\nresource diskused 1000000\nresource events 5\nresource messport 63101\n';

describe("an owner's requests", () => {
  let node: TestNode;
  let owner: NodeClient;
  beforeEach(async () => {
    node = await TestNode.start({ restrictions: WHOLE, vessels: 1, limits: { vessels: 3 } });
    owner = await node.client(node.owner);
  });
  afterEach(async () => await node[Symbol.asyncDispose]());

  const vessels = async (): Promise<VesselInfo[]> => (await owner.call('GetVessels', {})).result.vessels;
  const only = async (): Promise<VesselInfo> => (await vessels())[0] ?? assert.fail();
  const resourcesOf = async (vessel: VesselName) =>
    parseRestrictions((await owner.call('GetVesselResources', { vessel })).result.restrictions);
  const split = async (vessel = v1, restrictions = SMALL) =>
    (await owner.call('SplitVessel', { vessel, restrictions })).result;
  const folders = async () => (await readdir(node.paths.vessels)).sort();
  const run = async (client: NodeClient, source: string, vessel = v1): Promise<void> => {
    await client.call('AddFileToVessel', { vessel, name: 'p.js' as FileName }, { attachment: Buffer.from(source) });
    await client.call('StartVessel', { vessel, program: 'p.js' as FileName, args: [] });
  };

  it('Seattle 43: a user may start, stop and upload, but not change owner, users, information or advertising', async () => {
    const user = await node.client(node.user);
    await run(user, 'settimer(1e6, () => {});');
    await user.call('StopVessel', { vessel: v1 });
    const stranger = await node.client(node.stranger);
    for (const client of [user, stranger]) {
      await rejectsWith(client.call('ChangeOwner', { vessel: v1, owner: node.user.id }), 'NOT_PERMITTED');
      await rejectsWith(client.call('ChangeUsers', { vessel: v1, users: [] }), 'NOT_PERMITTED');
      await rejectsWith(client.call('ChangeOwnerInformation', { vessel: v1, text: 'x' }), 'NOT_PERMITTED');
      await rejectsWith(client.call('ChangeAdvertise', { vessel: v1, advertise: false }), 'NOT_PERMITTED');
      await rejectsWith(client.call('SplitVessel', { vessel: v1, restrictions: SMALL }), 'NOT_PERMITTED');
      await rejectsWith(client.call('JoinVessels', { vessel: v1, other: v1 }), 'NOT_PERMITTED');
    }
    await rejectsWith(stranger.call('StopVessel', { vessel: v1 }), 'NOT_PERMITTED');
    assert.deepEqual((await only()).users, [node.user.id]);
  });

  it('Seattle 44: after ChangeOwner the old key fails, the new works, information is empty, advertising is on', async () => {
    await owner.call('ChangeOwnerInformation', { vessel: v1, text: 'mine' });
    await owner.call('ChangeAdvertise', { vessel: v1, advertise: false });
    const next = generateIdentity();
    await owner.call('ChangeOwner', { vessel: v1, owner: next.id });
    await rejectsWith(owner.call('ChangeUsers', { vessel: v1, users: [] }), 'NOT_PERMITTED');
    await rejectsWith(owner.call('StopVessel', { vessel: v1 }), 'NOT_PERMITTED');
    await node.restart();
    const client = await node.client(next);
    await client.call('ChangeUsers', { vessel: v1, users: [node.stranger.id] });
    const { result } = await client.call('GetVessels', {});
    const [{ owner: now, ownerInformation, advertise, users } = assert.fail()] = result.vessels;
    assert.deepEqual([now, ownerInformation, advertise, users], [next.id, '', true, [node.stranger.id]]);
    const bad = { vessel: v1, owner: 'no key' as never };
    await rejectsWith(client.call('ChangeOwner', bad), 'BAD_PARAMETERS');
  });

  it('Seattle 46: owner information may be empty, of any letters, up to its limit, and no longer', async () => {
    for (const text of ['', 'Zoë\'s "old" laptop \\ \u{1F372}', '漢'.repeat(LIMITS.ownerInformationLength)]) {
      await owner.call('ChangeOwnerInformation', { vessel: v1, text });
      assert.equal((await only()).ownerInformation, text);
    }
    for (const text of ['x'.repeat(LIMITS.ownerInformationLength + 1), 'two\nlines', '\u001b[31m', '\u2028']) {
      await rejectsWith(owner.call('ChangeOwnerInformation', { vessel: v1, text }), 'BAD_PARAMETERS');
    }
  });

  it('Seattle 47: a split and a join restore every restriction', async () => {
    const before = await resourcesOf(v1);
    const offcut = (await owner.call('GetOffcutResources', {})).result.restrictions;
    assert.equal(parseRestrictions(offcut).quantities.memory, 1_000_000);
    await owner.call('ChangeOwnerInformation', { vessel: v1, text: 'kept' });
    assert.deepEqual(await split(), { wanted: v2, rest: v3 });
    assert.deepEqual(
      (await vessels()).map(({ name, state, users, ownerInformation }) => [name, state, users, ownerInformation]),
      [
        [v2, 'Fresh', [node.user.id], 'kept'],
        [v3, 'Fresh', [node.user.id], 'kept'],
      ],
    );
    assert.deepEqual(await resourcesOf(v2), parseRestrictions(SMALL));
    const rest = await resourcesOf(v3);
    assert.deepEqual([rest.quantities.cpu, rest.quantities.memory, rest.quantities.events], [0.148, 39_000_000, 13]);
    assert.deepEqual([[...rest.messport], [...rest.connport]], [[63100], [63100]]);
    assert.deepEqual(await folders(), [v2, v3]);
    assert.deepEqual((await owner.call('JoinVessels', { vessel: v3, other: v2 })).result, { vessel: v4 });
    assert.equal(formatRestrictions(await resourcesOf(v4)), formatRestrictions(before));
    await node.restart();
    owner = await node.client(node.owner);
    assert.deepEqual(
      (await vessels()).map(({ name }) => name),
      [v4],
    );
    assert.deepEqual(await folders(), [v4]);
  });

  it('Seattle 47: a split that asks for more than there is, and one of a running vessel, are refused and change nothing', async () => {
    const much = SMALL.replace('20000000', '59000001');
    await assert.rejects(split(v1, much), /memory 59000001 \(at most 59000000\)/);
    await rejectsWith(split(v1, 'resource cpu x'), 'BAD_PARAMETERS');
    await rejectsWith(split('v9' as VesselName), 'NO_SUCH_VESSEL');
    await run(owner, "log('here'); settimer(1e6, () => {});");
    await rejectsWith(split(), 'BAD_STATE');
    assert.deepEqual([(await only()).name, (await only()).state], [v1, 'Started']);
    await owner.call('StopVessel', { vessel: v1 });
    const { attachment } = await owner.call('ReadVesselLog', { vessel: v1 });
    assert.match(attachment.toString(), /here/);
    await split();
  });

  it('split as far as the node may have vessels, and not once more; one vessel is no pair', async () => {
    await split();
    const portless = SMALL.replace(/.*messport.*\n/, '');
    await split(v3, portless);
    assert.equal((await vessels()).length, 3);
    await rejectsWith(split('v5' as VesselName, portless), 'QUOTA_EXCEEDED');
    await rejectsWith(owner.call('JoinVessels', { vessel: v2, other: v2 }), 'BAD_PARAMETERS');
  });

  it('join no vessel that runs a program, on whichever side it is', async () => {
    await split();
    await run(owner, 'settimer(1e6, () => {});', v2);
    await rejectsWith(owner.call('JoinVessels', { vessel: v2, other: v3 }), 'BAD_STATE');
    await rejectsWith(owner.call('JoinVessels', { vessel: v3, other: v2 }), 'BAD_STATE');
    assert.deepEqual(
      (await vessels()).map(({ name, state }) => [name, state]),
      [
        [v2, 'Started'],
        [v3, 'Fresh'],
      ],
    );
    await owner.call('StopVessel', { vessel: v2 });
    assert.deepEqual((await owner.call('JoinVessels', { vessel: v3, other: v2 })).result, { vessel: v4 });
  });

  it('join vessels of one owner only', async () => {
    await split();
    const next = generateIdentity();
    await owner.call('ChangeOwner', { vessel: v3, owner: next.id });
    await rejectsWith(owner.call('JoinVessels', { vessel: v2, other: v3 }), 'NOT_PERMITTED');
    await rejectsWith((await node.client(next)).call('JoinVessels', { vessel: v3, other: v2 }), 'NOT_PERMITTED');
    assert.equal((await vessels()).length, 2);
  });

  it('that come at once with uploads and starts leave either the old vessel or the new ones', async () => {
    const user = await node.client(node.user);
    const upload = (name: string) =>
      user.call('AddFileToVessel', { vessel: v1, name: name as FileName }, { attachment: Buffer.from('x') });
    const results = await Promise.allSettled([
      ...['a', 'b', 'c', 'd'].map(upload),
      split(),
      owner.call('ChangeUsers', { vessel: v1, users: [node.user.id, node.stranger.id] }),
      split(),
      ...['e', 'f', 'g', 'h'].map(upload),
    ]);
    const codes = results.map((result) => (result.status === 'fulfilled' ? 'ok' : result.reason.code));
    assert.deepEqual([codes[4], codes[6]].sort(), ['NO_SUCH_VESSEL', 'ok']);
    for (const code of codes) assert.ok(['ok', 'BUSY', 'NO_SUCH_VESSEL'].includes(code), code);
    const names = (await vessels()).map(({ name }) => name);
    assert.deepEqual(names, [v2, v3]);
    for (const vessel of names) {
      assert.deepEqual((await owner.call('ListFilesInVessel', { vessel })).result.files, []);
      const { users } = (await vessels()).find(({ name }) => name === vessel) ?? assert.fail();
      assert.deepEqual(users, codes[5] === 'ok' ? [node.user.id, node.stranger.id] : [node.user.id]);
    }
    assert.deepEqual(await folders(), [v2, v3]);
  });

  it('leave no directory behind when the node manager was killed after a split', async () => {
    await mkdir(join(node.paths.vessels, 'v77', 'files'), { recursive: true });
    await writeFile(join(node.paths.vessels, 'v77', 'files', 'old.txt'), 'x');
    await mkdir(join(node.paths.vessels, 'not-a-vessel'));
    await node.restart();
    assert.deepEqual(await folders(), ['not-a-vessel', v1]);
  });

  it('stop being told of under keys of a vessel that is not advertised', async () => {
    await owner.call('ChangeAdvertise', { vessel: v1, advertise: false });
    assert.equal((await only()).advertise, false);
    await node.restart();
    owner = await node.client(node.owner);
    assert.equal((await only()).advertise, false);
  });

  it('all fit into one reply of GetVessels at their limits', () => {
    const key = node.owner.id;
    const text = '漢'.repeat(LIMITS.ownerInformationLength);
    const ending = { kind: 'error', message: '漢'.repeat(NODE_LIMITS.endingMessageLength), exitCode: 255 };
    const vessel = {
      name: 'v999999999',
      state: 'Terminated',
      since: 8.64e15,
      ending: { ...ending, limit: { resource: 'x'.repeat(32), limit: Number.MAX_VALUE, used: Number.MAX_VALUE } },
      program: 'x'.repeat(LIMITS.fileNameLength),
      owner: key,
      users: Array.from({ length: LIMITS.usersPerVessel }, () => key),
      ownerInformation: text,
      advertise: false,
    };
    const bytes = Buffer.byteLength(JSON.stringify(Array.from({ length: NODE_LIMITS.vessels }, () => vessel)));
    assert.ok((bytes * 4) / 3 < LIMITS.envelopeBytes - 16_384, `${bytes}`);
  });
});
