import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameSchema, generateIdentity, NodeClient, parseRestrictions, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';
import { markOf } from '../src/process.ts';
import { Extracted, processesUnder, run } from './extracted.ts';

const listeningSchema = z.object({ host: z.string(), port: z.number(), pid: z.number() });

async function listeningOf(directory: string) {
  return listeningSchema.parse(JSON.parse(await readFile(join(directory, 'state/address.json'), 'utf8')));
}

async function vesselsAt(directory: string) {
  await using client = await NodeClient.connect({
    address: await listeningOf(directory),
    identity: generateIdentity(),
  });
  const { result } = await client.call('GetVessels', {});
  const [first] = result.vessels;
  const resources = await client.call('GetVesselResources', {
    vessel: first?.name ?? assert.fail('expected a vessel'),
  });
  return { ...result, restrictions: parseRestrictions(resources.result.restrictions) };
}

/** Runs a program in the first vessel as its owner. @returns what it logged until it ended */
async function runProgram(archive: Extracted, directory: string, program: string): Promise<string> {
  const address = await listeningOf(directory);
  await using client = await NodeClient.connect({ address, identity: archive.owner });
  const vessel = vesselNameSchema.parse('v1');
  const name = fileNameSchema.parse('program.js');
  await client.call('AddFileToVessel', { vessel, name }, { attachment: Buffer.from(program) });
  await client.call('StartVessel', { vessel, program: name, args: ['a', 'b'] });
  for (let state = 'Started'; state === 'Started'; ) {
    const { result } = await client.call('GetVessels', {});
    state = result.vessels[0]?.state ?? assert.fail('expected a vessel');
  }
  const { attachment } = await client.call('ReadVesselLog', { vessel });
  return Buffer.from(attachment).toString();
}

describe('an installation from the archive of a donor', function () {
  this.timeout(120_000);
  let archive: Extracted;
  let directory: string;
  let count = 0;

  before(async () => {
    archive = await Extracted.make();
  });
  after(async () => {
    await archive?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    count += 1;
    directory = archive.path(`installed-${count}`);
  });
  afterEach(async () => {
    const control = join(directory, 'potluck');
    if (existsSync(control)) await run(control, ['uninstall', '--yes']);
    assert.equal(existsSync(directory), false, 'expected nothing to be left of the installation');
    assert.deepEqual(await processesUnder(directory), [], 'expected no process to be left of the installation');
  });

  const install = async (...args: string[]) =>
    await archive.install('--directory', directory, '--address', '127.0.0.9', '--port', '0', ...args);
  const potluck = async (...args: string[]) => await run(join(directory, 'potluck'), args);

  it('serves its vessels to their owner, stops, starts again with the same ones, and goes without a trace', async () => {
    const installed = await install('--percent', '6', '--allow-destination', '127.0.0.0/8');
    assert.deepEqual([installed.code, installed.stderr], [0, '']);
    assert.match(installed.stdout, /3 vessels of 2 %/);
    const first = await vesselsAt(directory);
    assert.deepEqual(
      first.vessels.map(({ name, owner, users, state }) => ({ name, owner, users, state })),
      ['v1', 'v2', 'v3'].map((name) => ({ name, owner: archive.donation.owner, users: [], state: 'Fresh' })),
    );
    assert.ok(first.restrictions.messport.has(54321) && first.restrictions.connport.has(63109));
    assert.equal(first.restrictions.destinations[0]?.network, '127.0.0.0/8');

    assert.match((await potluck('status')).stdout, /^Potluck runs as process \d+, at 127\.0\.0\.9 port \d+\./);
    const again = await potluck('start');
    assert.deepEqual([again.code, again.stderr], [0, '']);
    assert.match(again.stdout, /runs already/);

    assert.match((await potluck('stop')).stdout, /has stopped/);
    assert.deepEqual(await processesUnder(directory), []);
    assert.match((await potluck('stop')).stdout, /does not run/);
    assert.match((await potluck('status')).stdout, /^Potluck does not run\./);

    assert.match((await potluck('start')).stdout, /listens at 127\.0\.0\.9 port/);
    const second = await vesselsAt(directory);
    assert.deepEqual([second.node, second.vessels], [first.node, first.vessels]);

    const gone = await potluck('uninstall', '--yes');
    assert.deepEqual([gone.code, gone.stderr], [0, '']);
  });

  it('runs programs with nothing but what the archive brought', async () => {
    await install('--percent', '2');
    assert.equal(await runProgram(archive, directory, "log(callargs[1], getmyip(), '\\n');"), 'b 127.0.0.9 \n');
  });

  it('is readable by the donor alone', async () => {
    await install('--no-start');
    const modeOf = async (name: string) => ((await stat(join(directory, name))).mode & 0o777).toString(8);
    assert.deepEqual(
      [await modeOf('.'), await modeOf('state'), await modeOf('state/node.jwk')],
      [process.getuid?.() === 0 ? '711' : '700', '700', '600'],
    );
  });

  it('does not start with --no-start, and is told so', async () => {
    const { stdout } = await install('--no-start');
    assert.match(stdout, /does not run yet/);
    assert.deepEqual(await processesUnder(directory), []);
    assert.equal(existsSync(join(directory, '.installing')), false);
  });

  it('starts again after its node manager was killed', async () => {
    await install('--percent', '2');
    const { pid } = await listeningOf(directory);
    const before = await vesselsAt(directory);
    process.kill(pid, 'SIGKILL');
    while ((await markOf(pid)) !== undefined) await new Promise(setImmediate);
    assert.match((await potluck('status')).stdout, /^Potluck does not run\./);
    const started = await potluck('start');
    assert.deepEqual([started.code, started.stderr], [0, '']);
    assert.equal((await vesselsAt(directory)).node, before.node);
  });

  it('never ends a process that has got the number of its node manager', async () => {
    await install('--no-start');
    const stranger = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(stranger, 'exit');
    try {
      await once(stranger, 'spawn');
      const mark = await markOf(stranger.pid ?? assert.fail('expected a process'));
      for (const recorded of [mark, { ...mark, startTicks: '1' }, { ...mark, bootId: 'another' }]) {
        await writeFile(join(directory, 'state/daemon.json'), JSON.stringify(recorded));
        assert.match((await potluck('stop')).stdout, /does not run/);
        assert.equal(stranger.signalCode, null);
        assert.notEqual(await markOf(mark?.pid ?? 0), undefined);
      }
    } finally {
      stranger.stdin?.end();
      await ended;
    }
  });

  it('is not made a second time in the same place', async () => {
    await install('--no-start');
    const marker = await readFile(join(directory, 'installation.json'), 'utf8');
    const second = await install('--no-start');
    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      /^install\.sh: expected a new or empty directory, got an installation at .*uninstall"\n$/,
    );
    assert.equal(await readFile(join(directory, 'installation.json'), 'utf8'), marker);
  });

  it('takes the place of one that was broken off', async () => {
    await install('--no-start');
    await writeFile(join(directory, '.installing'), '');
    await writeFile(join(directory, 'lib/old'), '');
    const second = await install('--no-start');
    assert.deepEqual([second.code, second.stderr], [0, '']);
    assert.equal(existsSync(join(directory, 'lib/old')), false);
  });

  it('is removed only when that is confirmed', async () => {
    await install('--no-start');
    const { code, stderr } = await potluck('uninstall');
    assert.deepEqual([code, stderr], [1, 'potluck: expected --yes where nobody can be asked, got "uninstall" alone\n']);
    assert.ok((await readdir(directory)).includes('installation.json'));
  });

  it('tells a wrong command what it expected', async () => {
    await install('--no-start');
    for (const args of [['restart'], [], ['stop', 'now'], ['uninstall', '--force']]) {
      const { code, stderr } = await potluck(...args);
      assert.equal(code, 2);
      assert.match(stderr, /^potluck: expected start, stop, status or uninstall \[--yes\], got ".*\n$/);
    }
  });
});
