import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type NodeAddress, nodeAddressSchema, statePaths } from '@potluck/nodemanager';
import {
  type FileName,
  generateIdentity,
  type Message,
  NodeClient,
  openPinnedSocket,
  packMessage,
  RequestError,
  signRequest,
  toBuffer,
  unpackMessage,
  type VesselInfo,
  type VesselName,
  verifyReply,
} from '@potluck/protocol';

const CLI = fileURLToPath(new URL('../../nodemanager/bin/nodemanager.ts', import.meta.url));
const VESSELS = ['v1', 'v2', 'v3'] as VesselName[];
const PROGRAM = "log('runs as', callargs[0], '\\n'); settimer(100000, () => {});";
const RESTRICTIONS = [
  'resource cpu 0.2',
  'resource memory 60000000',
  'resource diskused 10000000',
  'resource events 10',
  'resource lograte 100000',
].join('\n');

/** Waits for what nobody can tell us: the end of a process that is not our child. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined || /\) [ZX] /.test(stat)) return;
    await delay(5);
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

describe('a node manager that is killed while programs run', () => {
  const owner = generateIdentity();
  const users = VESSELS.map(() => generateIdentity());
  const files = new Map<string, Buffer>();
  let state: string;
  let child: ChildProcess;
  let address: NodeAddress;
  let taken: Message;

  const boot = async (): Promise<void> => {
    child = spawn(process.execPath, [CLI, 'run', '--state', state], { stdio: ['ignore', 'pipe', 'inherit'] });
    assert.ok(child.stdout);
    await once(createInterface({ input: child.stdout }), 'line');
    address = nodeAddressSchema.parse(JSON.parse(await readFile(statePaths(state).address, 'utf8')));
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const connect = async (identity = owner): Promise<NodeClient> =>
    await NodeClient.connect({ address, node: address.node, identity });
  const exchange = async (message: Message) => {
    const { socket } = await openPinnedSocket({ address, key: address.node, maxPayloadBytes: 1024 * 1024 });
    socket.send(packMessage(message));
    const [data] = await once(socket, 'message');
    socket.terminate();
    return (await verifyReply(unpackMessage(toBuffer(data)), address.node)).outcome;
  };
  const vessels = async (): Promise<VesselInfo[]> => {
    await using client = await connect();
    return (await client.call('GetVessels', {})).result.vessels;
  };
  const start = async (vessel: VesselName): Promise<void> => {
    await using client = await connect();
    const program = 'program.js' as FileName;
    const { result } = await client.call('StartVessel', { vessel, program, args: [vessel] });
    assert.equal(result.state, 'Started');
  };

  before(async () => {
    state = await mkdtemp(join(tmpdir(), 'potluck-kill-'));
    const vessel = { owner: owner.id, users: [], restrictions: RESTRICTIONS };
    const config = { listen: { host: '127.0.0.1', port: 0 }, vessels: VESSELS.map(() => vessel) };
    await writeFile(statePaths(state).config, JSON.stringify(config));
    await boot();
    await using client = await connect();
    for (const [index, name] of VESSELS.entries()) {
      await client.call('ChangeUsers', { vessel: name, users: users.slice(0, index + 1).map(({ id }) => id) });
      const own = { 'program.js': Buffer.from(PROGRAM), 'data.bin': randomBytes(300_000), empty: Buffer.alloc(0) };
      for (const [file, bytes] of Object.entries(own)) {
        await client.call('AddFileToVessel', { vessel: name, name: file as FileName }, { attachment: bytes });
        files.set(`${name}/${file}`, bytes);
      }
      await start(name);
    }
    taken = (
      await signRequest(owner, { method: 'ListFilesInVessel', params: { vessel: VESSELS[0] }, node: address.node })
    ).message;
    assert.ok(!((await exchange(taken)) instanceof Error));
  });
  after(async () => {
    await end('SIGTERM');
    await rm(state, { recursive: true, force: true });
  });

  it('takes its vessel processes with it', async () => {
    assert.deepEqual(
      (await vessels()).map((vessel) => vessel.state),
      ['Started', 'Started', 'Started'],
    );
    const processes = await childrenOf(Number(child.pid));
    assert.ok(processes.length >= VESSELS.length);
    await end('SIGKILL');
    await Promise.all(processes.map(gone));
  });

  it('starts again as the same node, with every vessel, its owner and its users', async () => {
    const { node } = address;
    await boot();
    assert.equal(address.node, node);
    const found = (await vessels()).map(({ name, owner, users }) => ({ name, owner, users }));
    const expected = VESSELS.map((name, index) => ({
      name,
      owner: owner.id,
      users: users.slice(0, index + 1).map(({ id }) => id),
    }));
    assert.deepEqual(found, expected);
    await using user = await connect(users[2]);
    await user.call('ListFilesInVessel', { vessel: VESSELS[2] as VesselName });
    await assert.rejects(user.call('ListFilesInVessel', { vessel: VESSELS[0] as VesselName }), {
      code: 'NOT_PERMITTED',
    });
  });

  it('says of each program that its end was not seen, and why', async () => {
    for (const vessel of await vessels()) {
      assert.equal(vessel.state, 'Stale');
      assert.equal(vessel.ending?.kind, 'restart');
      assert.equal(vessel.ending?.message, 'the node manager ended without notice while it ran');
      assert.equal(vessel.program, 'program.js');
    }
  });

  it('has every file, byte for byte, and the logs', async () => {
    await using client = await connect();
    const found: string[] = [];
    for (const vessel of VESSELS) {
      for (const { name } of (await client.call('ListFilesInVessel', { vessel })).result.files) {
        const { attachment } = await client.call('RetrieveFileFromVessel', { vessel, name });
        assert.ok(files.get(`${vessel}/${name}`)?.equals(attachment), `${vessel}/${name}`);
        found.push(`${vessel}/${name}`);
      }
      const log = (await client.call('ReadVesselLog', { vessel })).attachment;
      assert.match(Buffer.from(log).toString(), new RegExp(`runs as ${vessel}`));
    }
    assert.deepEqual(found.sort(), [...files.keys()].sort());
  });

  it('refuses a request that was taken before', async () => {
    const outcome = await exchange(taken);
    assert.ok(outcome instanceof RequestError);
    assert.equal(outcome.code, 'REPLAYED');
  });

  it('runs the programs again when they are started, and ends them when it is stopped', async () => {
    for (const vessel of VESSELS) await start(vessel);
    const processes = await childrenOf(Number(child.pid));
    await end('SIGTERM');
    await Promise.all(processes.map(gone));
    await boot();
    for (const { state, ending } of await vessels()) {
      assert.equal(state, 'Stale');
      assert.equal(ending?.message, 'the node manager was stopped while it ran');
    }
  });
});
