import assert from 'node:assert/strict';
import { seccompFilter } from '../src/host/seccomp.ts';
import { ALLOWED_X64, JUDGED_X64 } from '../src/host/syscalls-x64.ts';

const X86_64 = 0xc000003e;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;

/** What the kernel does with a filter: only the instructions that ours is made of, anything else is an error. */
function judge(number: number, args: readonly bigint[] = [], arch = X86_64): number {
  const filter = seccompFilter('x64') ?? assert.fail('expected a filter');
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(arch, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(value, 16 + 8 * index);
  let loaded = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, k] = [filter.readUInt16LE(at), filter.readUInt32LE(at + 4)];
    const jump = (yes: boolean) => 8 * filter.readUInt8(at + (yes ? 2 : 3));
    if (code === 0x20) loaded = data.readUInt32LE(k);
    else if (code === 0x54) loaded = (loaded & k) >>> 0;
    else if (code === 0x15) at += jump(loaded === k);
    else if (code === 0x45) at += jump((loaded & k) !== 0);
    else if (code === 0x06) return k;
    else assert.fail(`expected a known instruction, got ${code}`);
  }
  return assert.fail('expected an answer, got the end of the filter');
}

describe('seccomp filter', () => {
  it('allows what is listed and refuses what is not', () => {
    for (const [name, number] of Object.entries(ALLOWED_X64)) assert.equal(judge(number), ALLOW, name);
    const listed = new Set([...Object.values(ALLOWED_X64), ...Object.values(JUDGED_X64)]);
    for (let number = 0; number < 600; number++) {
      if (!listed.has(number)) assert.equal(judge(number), EPERM, String(number));
    }
  });

  it("ends what calls in another machine's convention, and refuses the x32 numbers", () => {
    assert.equal(judge(ALLOWED_X64.read as number, [], 0x40000003), KILL);
    assert.equal(judge(0x4000_0000), EPERM);
  });

  it('allows files to be read and not to be made or changed', () => {
    assert.equal(judge(JUDGED_X64.openat, [0n, 0n, 0o2000000n]), ALLOW);
    for (const flags of [0o1n, 0o2n, 0o100n, 0o1000n, 0o20200002n]) {
      assert.equal(judge(JUDGED_X64.openat, [0n, 0n, flags]), EPERM);
      assert.equal(judge(JUDGED_X64.open, [0n, flags]), EPERM);
    }
  });

  it('allows memory of its own and none that could be shared, which its limit does not count', () => {
    assert.equal(judge(JUDGED_X64.mmap, [0n, 4096n, 3n, 0x22n]), ALLOW);
    for (const flags of [0x21n, 0x03n, 0x1n]) assert.equal(judge(JUDGED_X64.mmap, [0n, 4096n, 3n, flags]), EPERM);
  });

  it('allows threads and no processes', () => {
    const { clone, clone3 } = JUDGED_X64;
    assert.equal(judge(clone, [0x3d0f00n]), ALLOW);
    assert.equal(judge(clone, [17n]), EPERM);
    assert.equal(judge(clone3), ENOSYS);
  });

  it('allows UDP and TCP sockets of both families and no others', () => {
    const socket = (family: bigint, type: bigint, protocol = 0n) => judge(JUDGED_X64.socket, [family, type, protocol]);
    for (const family of [2n, 10n]) {
      for (const type of [1n, 2n, 0x80801n]) assert.equal(socket(family, type), ALLOW);
      for (const type of [0n, 3n, 4n, 5n, 0x80803n]) assert.equal(socket(family, type), EPERM);
      assert.equal(socket(family, 1n, 6n), ALLOW);
      for (const protocol of [1n, 132n, 262n]) assert.equal(socket(family, 1n, protocol), EPERM);
    }
    for (const family of [0n, 1n, 16n, 17n, 38n, 40n]) assert.equal(socket(family, 1n), EPERM);
  });

  it('allows limits to be read and not to be set, wherever the new ones lie', () => {
    assert.equal(judge(JUDGED_X64.prlimit64, [0n, 7n, 0n, 0x7fff00001000n]), ALLOW);
    for (const pointer of [0x1000n, 0x7fff_0000_0000n])
      assert.equal(judge(JUDGED_X64.prlimit64, [0n, 7n, pointer]), EPERM);
  });

  it('allows few requests to descriptors and to the process', () => {
    assert.equal(judge(JUDGED_X64.ioctl, [0n, 0x5421n]), ALLOW);
    assert.equal(judge(JUDGED_X64.ioctl, [0n, 0x5412n]), EPERM);
    assert.equal(judge(JUDGED_X64.prctl, [15n]), ALLOW);
    assert.equal(judge(JUDGED_X64.prctl, [4n, 1n]), EPERM);
  });

  it('is not made for a machine whose numbers we do not have', () => {
    assert.equal(seccompFilter('arm64'), undefined);
  });
});
