import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseRestrictions } from '@potluck/protocol';
import { nativePath, type RuntimeFiles, runtimeFiles } from '../src/build.ts';
import type { StartInit, VesselProcess } from '../src/host/vessel-process.ts';

/** A directory of this test's own, removed at its end. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'vessel-runtime-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

let built: Promise<RuntimeFiles> | undefined;
let builtIn: string | undefined;

/** The real runtime, built once for all tests; `removeRuntime` belongs into a last `after`. */
export function realRuntime(): Promise<RuntimeFiles> {
  built ??= mkdtemp(join(tmpdir(), 'vessel-runtime-test-')).then((path) => {
    builtIn = path;
    return runtimeFiles(path);
  });
  return built;
}

export async function removeRuntime(): Promise<void> {
  if (builtIn !== undefined) await rm(builtIn, { recursive: true, force: true });
  built = undefined;
  builtIn = undefined;
}

/** Runtime files whose vessel process is this script instead: what a process would do that was taken over. */
export async function hostileRuntime(directory: string, body: string): Promise<RuntimeFiles> {
  const entry = join(directory, 'hostile.mjs');
  const prologue = `
import { writeSync } from 'node:fs';
const raw = (body, length = Buffer.byteLength(body)) => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  writeSync(3, Buffer.concat([header, Buffer.from(body)]));
};
const frame = (value) => raw(JSON.stringify(value));
`;
  await writeFile(entry, `${prologue}${body}`);
  return { entry, native: nativePath() };
}

export const TEST_RESTRICTIONS = `
resource cpu 1
resource memory 100000000
resource diskused 1000000
resource events 100
resource filesopened 5
resource filewrite 100000000
resource fileread 100000000
resource insockets 10
resource outsockets 10
resource netsend 10000000
resource netrecv 10000000
resource loopsend 10000000
resource looprecv 10000000
resource lograte 10000000
resource random 100000
`;

/** @param more further lines of restrictions. */
export function startInit(source: string, more = ''): StartInit {
  return {
    program: { name: 'program.js', source },
    args: [],
    address: '127.0.0.1',
    restrictions: parseRestrictions(`${TEST_RESTRICTIONS}${more}`),
  };
}

/** @returns everything logged, from now on; `until` resolves when it contains a text. */
export function collectLog(vessel: VesselProcess): { text: () => string; until: (part: string) => Promise<void> } {
  let text = '';
  let look = () => {};
  vessel.onLog = (more) => {
    text += more;
    look();
  };
  const until = async (part: string) => {
    const seen = new Promise<void>((resolve) => {
      look = () => {
        if (text.includes(part)) resolve();
      };
      look();
    });
    const early = vessel.ended.then((ending) => {
      if (!text.includes(part)) throw new RangeError(`expected "${part}" in the log, it ended: ${ending.message}`);
    });
    await Promise.race([seen, early]);
  };
  return { text: () => text, until };
}

/** @returns whether the process went away within 10 s: there is no event for a process that is not a child. */
export async function goneFromProc(pid: number): Promise<boolean> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const there = await access(`/proc/${pid}`).then(
      () => true,
      () => false,
    );
    if (!there) return true;
    await wait(5);
  }
  return false;
}

/** @returns a UDP port that nobody has on 127.0.0.1. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

const REPY = fileURLToPath(new URL('../bin/repy.ts', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the command itself.
 * @param directory where it runs, and what it takes for the temporary directory.
 * @param onOutput called with all of stdout so far.
 */
export async function runRepy(
  directory: string,
  args: readonly string[],
  onOutput: (stdout: string, child: { kill(signal: NodeJS.Signals): boolean }) => void = () => {},
): Promise<Run> {
  const env = { ...process.env, TMPDIR: directory };
  const child = spawn(process.execPath, [REPY, ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
    onOutput(stdout, child);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}
