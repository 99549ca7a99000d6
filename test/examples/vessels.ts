import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ending, parseRestrictions, type Restrictions } from '@potluck/protocol';
import { bundleProgram } from '@potluck/repy-api';
import {
  Disk,
  FileSession,
  type RuntimeFiles,
  runtimeFiles,
  type Services,
  VesselProcess,
} from '@potluck/vessel-runtime';

const EXAMPLES = join(import.meta.dirname, '../../examples');

const RESTRICTIONS = `
resource cpu 1
resource memory 33554432
resource diskused 1000000
resource events 50
resource filesopened 5
resource fileread 10000000
resource filewrite 1000000
resource insockets 10
resource outsockets 10
resource netsend 100000
resource netrecv 100000
resource loopsend 1000000
resource looprecv 1000000
resource lograte 100000
`;

export interface Placed {
  readonly address: string;
  /** Further lines: ports and destinations. */
  readonly lines?: readonly string[];
  readonly args?: readonly string[];
  /** The directory of its files; without it the vessel has none. */
  readonly files?: string;
}

/** A program in a vessel, as a node would hold it. */
export interface Running {
  readonly vessel: VesselProcess;
  readonly ended: Promise<Ending>;
  log(): string;
  /** Resolves when the log contains a text; fails when the program ends before. */
  logged(part: string): Promise<void>;
}

let built: Promise<{ files: RuntimeFiles; directory: string }> | undefined;

async function build(): Promise<{ files: RuntimeFiles; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-examples-'));
  return { files: await runtimeFiles(directory), directory };
}

export async function removeBuilt(): Promise<void> {
  if (built !== undefined) await rm((await built).directory, { recursive: true });
  built = undefined;
}

/** Runs one example in a real vessel process. */
export async function runExample(
  path: string,
  { address, lines = [], args = [], files: directory }: Placed,
): Promise<Running> {
  built ??= build();
  const [{ files }, { name, source }] = await Promise.all([built, bundleProgram(join(EXAMPLES, path))]);
  const vessel = VesselProcess.spawn(files);
  let text = '';
  let look = (): void => {};
  vessel.onLog = (more) => {
    text += more;
    look();
  };
  await vessel.ready;
  const restrictions = parseRestrictions(`${RESTRICTIONS}${lines.join('\n')}\n`);
  const services = directory === undefined ? {} : await servicesOf(vessel, directory, restrictions);
  vessel.start({ program: { name, source }, args: [...args], address, restrictions, services });
  await vessel.started;
  const logged = async (part: string): Promise<void> => {
    const seen = Promise.withResolvers<void>();
    look = () => {
      if (text.includes(part)) seen.resolve();
    };
    look();
    const early = vessel.ended.then((ending) => {
      if (!text.includes(part)) throw new RangeError(`expected "${part}" in the log, got "${text}", ${ending.message}`);
    });
    await Promise.race([seen.promise, early]);
  };
  return { vessel, ended: vessel.ended, log: () => text, logged };
}

async function servicesOf(vessel: VesselProcess, directory: string, { quantities }: Restrictions): Promise<Services> {
  const disk = new Disk({ directory, limitBytes: quantities.diskused });
  await disk.count();
  const session = new FileSession(disk, { quantities, tell: (usage) => vessel.tell(usage) });
  void vessel.ended.then(() => session.stop());
  return session.services;
}

export async function stopAll(running: readonly Running[]): Promise<void> {
  for (const { vessel } of running) vessel.kill({ kind: 'stopped', message: 'end of the test', exitCode: 1 });
  await Promise.all(running.map(({ ended }) => ended));
}
