import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ending, parseRestrictions, type Restrictions } from '@potluck/protocol';
import {
  Disk,
  FileSession,
  NameResolver,
  type RuntimeFiles,
  runtimeFiles,
  VesselProcess,
} from '@potluck/vessel-runtime';

const RESTRICTIONS = `
resource cpu 1
resource memory 100000000
resource diskused 10000000
resource events 50
resource filesopened 10
resource insockets 10
resource outsockets 10
resource filewrite 10000000
resource fileread 10000000
resource netsend 10000000
resource netrecv 10000000
resource loopsend 10000000
resource looprecv 10000000
resource lograte 1000000
resource random 1000000
resource messport 54321
resource messport 43210
resource connport 63100
resource connport 63101
destination allow 127.0.0.0/8
`;

let built: Promise<{ files: RuntimeFiles; directory: string }> | undefined;

async function build(): Promise<{ files: RuntimeFiles; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-api-'));
  return { files: await runtimeFiles(directory), directory };
}

/** Belongs into a last `after`. */
export async function removeBuilt(): Promise<void> {
  if (built !== undefined) await rm((await built).directory, { recursive: true });
  built = undefined;
}

let places = 0;

/** @returns a loopback address that no program had before. */
export function newAddress(): string {
  places += 1;
  return `127.${192 + (process.pid % 62)}.${(process.pid >> 6) % 256}.${places}`;
}

export interface Started {
  readonly vessel: VesselProcess;
  log(): string;
  /** Resolves when the log contains a text; fails when the program ends before. */
  logged(part: string): Promise<void>;
}

/** Each program has files of its own. */
async function filesFor(vessel: VesselProcess, directory: string, { quantities }: Restrictions): Promise<FileSession> {
  const disk = new Disk({ directory, limitBytes: quantities.diskused });
  await disk.count();
  const session = new FileSession(disk, { quantities, tell: (usage) => vessel.tell(usage) });
  void vessel.ended.then(() => session.stop());
  return session;
}

/** Starts a program as a node would. */
export async function start(source: string, address: string): Promise<Started> {
  built ??= build();
  const { files, directory } = await built;
  const vessel = VesselProcess.spawn(files);
  let log = '';
  let look = (): void => {};
  vessel.onLog = (text) => {
    log += text;
    look();
  };
  await vessel.ready;
  const program = { name: 'program.js', source };
  const restrictions = parseRestrictions(RESTRICTIONS);
  const { services } = await filesFor(vessel, join(directory, address), restrictions);
  vessel.start({ program, args: [], address, resolver: new NameResolver(), restrictions, services });
  const logged = async (part: string): Promise<void> => {
    const seen = Promise.withResolvers<void>();
    look = () => {
      if (log.includes(part)) seen.resolve();
    };
    look();
    await Promise.race([seen.promise, vessel.ended]);
    assert.ok(log.includes(part), `expected "${part}" in the log, got "${log}"`);
  };
  return { vessel, log: () => log, logged };
}

/** Runs a program to its end. */
export async function run(source: string, address = newAddress()): Promise<{ log: string; ending: Ending }> {
  const { vessel, log } = await start(source, address);
  const ending = await vessel.ended;
  return { log: log(), ending };
}
