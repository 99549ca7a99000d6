import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuntimeFiles } from '../src/build.ts';
import { availableCage } from '../src/host/bubblewrap.ts';
import { type OuterWall, wrap } from '../src/host/launch.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { detectWalls } from '../src/host/walls.ts';
import {
  collectLog,
  freeUdpPort,
  goneFromProc,
  hostileRuntime,
  realRuntime,
  removeRuntime,
  startInit,
  temporaryDirectory,
} from './helper.ts';

const { EPERM, ENOSYS, ENOENT } = constants.errno;
const ATTEMPTS = fileURLToPath(new URL('./attempts.c', import.meta.url));

/** A file that is not there is refused by the empty root, all else by the filter. */
const MAY_BE_MISSING = new Set(['passwd', 'shadow', 'proc', 'home', 'exec']);
const ALLOWED = new Set(['socket-inet', 'socket-inet6']);

/** Runs what a program would try that has broken its engine. @returns each attempt's errno, 0 for a success. */
async function attemptAll(directory: string): Promise<Map<string, number>> {
  const native = join(directory, 'attempts.node');
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-O1', '-o', native, ATTEMPTS]);
  assert.equal(status, 0, String(stderr));
  const body = `
    process.stdin.once('data', () => { try { process.dlopen({ exports: {} }, process.argv[2]); } catch {} });
    frame({ type: 'ready' });`;
  const { entry } = await hostileRuntime(directory, body);
  await using vessel = VesselProcess.spawn({ entry, native });
  await vessel.ready;
  assert.match(readFileSync(`/proc/${vessel.pid}/status`, 'latin1'), /^Seccomp:\s*2$/m);
  const log = collectLog(vessel);
  vessel.start(startInit(''));
  await log.until('clone ');
  const pairs = log.text().split(';').filter(Boolean);
  return new Map(pairs.map((pair) => pair.split(' ')).map(([name = '', errno]) => [name, Number(errno)]));
}

describe('walls of the operating system', () => {
  let files: RuntimeFiles;
  before(async function () {
    // A machine that lets bubblewrap do the simplest thing is one where ours must work.
    if (spawnSync('bwrap', ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', 'true']).status !== 0)
      this.skip();
    assert.ok(availableCage(wrap));
    if (process.arch !== 'x64') this.skip();
    files = await realRuntime();
  });
  after(removeRuntime);

  it('refuse every way out to what has broken the engine, and its neighbour serves on', async function () {
    if (spawnSync('gcc', ['--version']).status !== 0) this.skip();
    await using directory = await temporaryDirectory();
    const port = await freeUdpPort();
    await using neighbour = VesselProcess.spawn(files);
    const log = collectLog(neighbour);
    const echo = `recvmess('127.0.0.1', ${port}, (ip, from, mess) => sendmess(ip, from, mess)); log('up');`;
    await using peer = createSocket('udp4');
    peer.bind(0, '127.0.0.1');
    await once(peer, 'listening');
    const allowed = `resource messport ${port}\ndestination allow 127.0.0.1/32 ${peer.address().port}`;
    neighbour.start(startInit(echo, allowed));
    await log.until('up');
    const tried = await attemptAll(directory.path);
    assert.ok(tried.size > 30);
    for (const [name, errno] of tried) {
      if (ALLOWED.has(name)) assert.equal(errno, 0, name);
      else if (name === 'clone3') assert.equal(errno, ENOSYS, name);
      else assert.equal(errno, MAY_BE_MISSING.has(name) ? ENOENT : EPERM, name);
    }
    peer.send('still there', port, '127.0.0.1');
    const [answer] = await once(peer, 'message');
    assert.equal(String(answer), 'still there');
  });

  it('leave a vessel no capability, no process but its own, and a root with nothing of the machine', async () => {
    await using vessel = VesselProcess.spawn(files);
    await vessel.ready;
    const status = readFileSync(`/proc/${vessel.pid}/status`, 'latin1');
    assert.match(status, /^CapEff:\s*0+$/m);
    assert.match(status, /^CapBnd:\s*0+$/m);
    assert.match(status, /^NoNewPrivs:\s*1$/m);
    assert.match(status, /^NSpid:\s*\d+\s+1$/m);
    for (const name of readdirSync(`/proc/${vessel.pid}/root`)) assert.match(name, /^(lib.*|usr|vessel|nix)$/);
    const mounts = readFileSync(`/proc/${vessel.pid}/mounts`, 'latin1').trim().split('\n');
    for (const mount of mounts) assert.match(mount.split(' ')[3] ?? '', /^ro,nosuid,nodev/);
  });

  it('leave a vessel only the descriptors that it talks through', async () => {
    await using bare = VesselProcess.spawn(files, { without: ['bubblewrap'] });
    await using vessel = VesselProcess.spawn(files);
    await Promise.all([bare.ready, vessel.ready]);
    const kinds = ({ pid }: VesselProcess) =>
      readdirSync(`/proc/${pid}/fd`)
        .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\d+/g, ''))
        .sort();
    const others = kinds(vessel);
    for (const kind of kinds(bare)) {
      const at = others.indexOf(kind);
      if (at >= 0) others.splice(at, 1);
    }
    // Bubblewrap leaves one open, on the root that the vessel has anyway.
    for (const kind of others) assert.equal(kind, '/');
    const root = readdirSync(`/proc/${vessel.pid}/root`);
    for (const fd of readdirSync(`/proc/${vessel.pid}/fd`)) {
      const path = `/proc/${vessel.pid}/fd/${fd}`;
      if (readlinkSync(path) === '/') assert.deepEqual(readdirSync(path), root);
    }
  });

  it('give each vessel process a user of its own where we are root', async function () {
    if (availableCage(wrap)?.ownUser !== true) this.skip();
    await using one = VesselProcess.spawn(files);
    await using other = VesselProcess.spawn(files);
    await Promise.all([one.ready, other.ready]);
    const [first, second] = [one, other].map(
      ({ pid }) => /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1],
    );
    assert.ok(Number(first) > 60_000 && Number(second) > 60_000);
    assert.notEqual(first, second);
  });

  it('do not stand without bubblewrap, and the program runs all the same', async () => {
    await using vessel = VesselProcess.spawn(files, { without: ['bubblewrap'] });
    await vessel.ready;
    assert.match(readFileSync(`/proc/${vessel.pid}/status`, 'latin1'), /^Seccomp:\s*0$/m);
    const log = collectLog(vessel);
    vessel.start(startInit("log('here');"));
    assert.equal((await vessel.ended).kind, 'finished');
    assert.equal(log.text(), 'here');
  });

  it('can be left out one by one, and the others stand', async () => {
    const signs: [wall: OuterWall, file: string, sign: RegExp][] = [
      ['permission model', 'cmdline', /--permission/],
      ['rlimits', 'limits', /^Max core file size\s+0\s+0\s/m],
      ['seccomp', 'status', /^Seccomp:\s*2$/m],
      ['bubblewrap', 'status', /^NSpid:\s*\d+\s+1$/m],
      ['own user', 'status', /^Uid:\s*60\d{3}/m],
    ];
    if (availableCage(wrap)?.ownUser !== true) signs.pop();
    for (const [wall] of signs) {
      await using vessel = VesselProcess.spawn(files, { without: [wall] });
      await vessel.ready;
      for (const [other, file, sign] of signs) {
        if (wall === 'bubblewrap' && ['seccomp', 'own user'].includes(other)) continue;
        const text = readFileSync(`/proc/${vessel.pid}/${file}`, 'latin1');
        assert.equal(sign.test(text), other !== wall, `without ${wall}: ${other}`);
      }
      const { up, missing } = await detectWalls([wall]);
      assert.ok(!up.includes(wall) && missing.includes(`${wall}: left out by who started it`));
    }
  });

  it('fall with a launcher that is killed, and the vessel process with them', async () => {
    await using vessel = VesselProcess.spawn(files);
    const launcher = vessel.pid;
    await vessel.ready;
    assert.notEqual(vessel.pid, launcher);
    vessel.signal('SIGSTOP');
    process.kill(launcher, 'SIGKILL');
    assert.equal((await vessel.ended).kind, 'crashed');
    assert.equal(await goneFromProc(vessel.pid), true);
  });

  it('end a vessel process that is killed before it is ready, and all of it', async () => {
    const ids: number[] = [];
    for (let life = 0; life < 5; life++) {
      const vessel = VesselProcess.spawn(files);
      ids.push(vessel.pid);
      await new Promise(setImmediate);
      await vessel[Symbol.asyncDispose]();
      ids.push(vessel.pid);
    }
    for (const id of ids) assert.equal(await goneFromProc(id), true);
  });
});
