import { constants } from 'node:os';
import { ALLOWED_X64, JUDGED_X64 } from './syscalls-x64.ts';

/** Where `struct seccomp_data` holds what a filter may look at: bytes from its beginning. */
const NUMBER_AT = 0;
const ARCH_AT = 4;
const argument = (index: number) => ({ low: 16 + 8 * index, high: 20 + 8 * index });

const AUDIT_ARCH_X86_64 = 0xc000_003e;
const KILL_PROCESS = 0x8000_0000;
const ALLOW = 0x7fff_0000;
const refuse = (errno: number) => 0x0005_0000 | errno;

const LOAD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Write-only, read and write, create, truncate. */
const O_CHANGES = 0o1 | 0o2 | 0o100 | 0o1000;
const CLONE_THREAD = 0x0001_0000;
const MAP_SHARED = 1;
const AF = { inet: 2, inet6: 10 };
const SOCK = { stream: 1, datagram: 2, typeMask: 0xf };
const IPPROTO = { any: 0, tcp: 6, udp: 17 };
/** What Node asks of its descriptors: terminal or not, bytes waiting, blocking or not, kept at exec or not. */
const IOCTLS = [0x5401, 0x541b, 0x5421, 0x5450, 0x5451];
/** A name for a thread, and one for a stretch of memory. */
const PRCTLS = [15, 0x5356_4d41];

/** `code` and `k` as in `struct sock_filter`; the jumps count instructions after the next one. */
interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly yes?: number;
  readonly no?: number;
}

const load = (at: number): Instruction => ({ code: LOAD, k: at });
const answer = (k: number): Instruction => ({ code: RETURN, k });
/** Goes on with the next instruction if the loaded value is `k`, else `skip` instructions further on. */
const unlessSkip = (k: number, skip: number): Instruction => ({ code: JUMP_IF_EQUAL, k, no: skip });

/** @returns what answers ALLOW if the loaded value is one of these, and goes on with the rest if not. */
const allowAnyOf = (values: readonly number[]): Instruction[] =>
  values.flatMap((value) => [unlessSkip(value, 1), answer(ALLOW)]);

/** @returns what refuses unless the loaded value is one of these, and goes on with the rest if it is. */
function requireAnyOf(values: readonly number[]): Instruction[] {
  const checks = values.map((k, index) => ({ code: JUMP_IF_EQUAL, k, yes: values.length - index }));
  return [...checks, answer(refuse(constants.errno.EPERM))];
}

/** @returns the rules of one system call, which end in an answer; passed over for any other. */
const forCall = (number: number, rules: readonly Instruction[]): Instruction[] => [
  unlessSkip(number, rules.length),
  ...rules,
];

const unlessAnyBit = (number: number, flags: number, bits: number): Instruction[] =>
  forCall(number, [
    load(argument(flags).low),
    { code: JUMP_IF_ANY_BIT, k: bits, yes: 1 },
    answer(ALLOW),
    answer(refuse(constants.errno.EPERM)),
  ]);

function judged(): Instruction[] {
  const refused = answer(refuse(constants.errno.EPERM));
  return [
    // Files are there to be read: also not through a descriptor that somebody left open on a file system in memory.
    ...unlessAnyBit(JUDGED_X64.open, 1, O_CHANGES),
    ...unlessAnyBit(JUDGED_X64.openat, 2, O_CHANGES),
    // The limit of its memory counts no memory that could be shared.
    ...unlessAnyBit(JUDGED_X64.mmap, 3, MAP_SHARED),
    // Its arguments lie behind a pointer; without it the C library falls back to `clone`.
    ...forCall(JUDGED_X64.clone3, [answer(refuse(constants.errno.ENOSYS))]),
    ...forCall(JUDGED_X64.clone, [
      load(argument(0).low),
      { code: JUMP_IF_ANY_BIT, k: CLONE_THREAD, no: 1 },
      answer(ALLOW),
      refused,
    ]),
    ...forCall(JUDGED_X64.socket, [
      load(argument(0).low),
      ...requireAnyOf([AF.inet, AF.inet6]),
      load(argument(1).low),
      { code: AND, k: SOCK.typeMask },
      ...requireAnyOf([SOCK.stream, SOCK.datagram]),
      load(argument(2).low),
      ...requireAnyOf([IPPROTO.any, IPPROTO.tcp, IPPROTO.udp]),
      answer(ALLOW),
    ]),
    // Reading a limit has no new value: a null pointer, in both halves.
    ...forCall(JUDGED_X64.prlimit64, [
      load(argument(2).low),
      ...requireAnyOf([0]),
      load(argument(2).high),
      ...requireAnyOf([0]),
      answer(ALLOW),
    ]),
    ...forCall(JUDGED_X64.ioctl, [load(argument(1).low), ...allowAnyOf(IOCTLS), refused]),
    ...forCall(JUDGED_X64.prctl, [load(argument(0).low), ...allowAnyOf(PRCTLS), refused]),
  ];
}

function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, k, yes = 0, no = 0 }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}

/**
 * @returns a seccomp filter as the kernel reads it: what is not listed fails with EPERM, a call in another machine's
 * convention ends the process. Undefined on a machine whose numbers we do not have.
 */
export function seccompFilter(arch: string = process.arch): Buffer | undefined {
  if (arch !== 'x64') return undefined;
  return assemble([
    load(ARCH_AT),
    { code: JUMP_IF_EQUAL, k: AUDIT_ARCH_X86_64, yes: 1 },
    answer(KILL_PROCESS),
    load(NUMBER_AT),
    ...allowAnyOf(Object.values(ALLOWED_X64)),
    ...judged(),
    answer(refuse(constants.errno.EPERM)),
  ]);
}
