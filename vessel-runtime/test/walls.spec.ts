import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { RuntimeFiles } from '../src/build.ts';
import { availableCage } from '../src/host/bubblewrap.ts';
import { type OuterWall, wrap } from '../src/host/launch.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { detectWalls } from '../src/host/walls.ts';
import { collectLog, goneFromProc, realRuntime, removeRuntime, startInit } from './helper.ts';

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
      ['own user', 'status', /^Uid:\s*6[01]\d{3}/m],
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
