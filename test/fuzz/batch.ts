import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ending, parseRestrictions } from '@potluck/protocol';
import { Disk, FileSession, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import { type Program, stepText } from './grammar.ts';
import { POLLUTIONS } from './pollution.ts';

const text = (name: string): string => readFileSync(join(import.meta.dirname, 'inside', name), 'utf8');
const VALUES = text('values.js');
const HARNESS = text('harness.js');
const DISK_BYTES = 50_000_000;
/** Longer than any batch takes on a busy machine. */
const BATCH_MS = 120_000;

/** What a vessel may have beside what the harness itself holds. */
export const PROFILES = {
  usual: { events: 100, insockets: 20, outsockets: 100, filesopened: 10 },
  scarce: { events: 3, insockets: 1, outsockets: 0, filesopened: 1 },
} as const;
export type Profile = keyof typeof PROFILES;

export interface Setting {
  readonly profile: Profile;
  /** False takes the outer walls away. */
  readonly walls: boolean;
  /** How the realm is spoiled before the first program: a name in `POLLUTIONS`. */
  readonly pollution?: string | undefined;
}

export interface Places {
  readonly own: string;
  readonly dead: string;
}

/** Addresses of this process's own, so that runs beside each other do not meet. */
export function places(): Places {
  const byte = () => 1 + Math.floor(Math.random() * 253);
  const net = `127.${64 + (byte() % 60)}.${byte()}`;
  const host = byte() % 120;
  return { own: `${net}.${1 + host * 2}`, dead: `${net}.${2 + host * 2}` };
}

function restrictions({ profile }: Setting, { dead }: Places) {
  const { events, insockets, outsockets, filesopened } = PROFILES[profile];
  const ports = [28_300, 28_301, 28_302, 28_303, 28_304];
  const rates = ['netsend', 'netrecv', 'loopsend', 'looprecv', 'lograte', 'random', 'filewrite', 'fileread'];
  return parseRestrictions(`
resource cpu 1
resource memory 300000000
resource diskused ${DISK_BYTES}
resource events ${events}
resource insockets ${insockets + 2}
resource outsockets ${outsockets}
resource filesopened ${filesopened}
${rates.map((name) => `resource ${name} 1000000000`).join('\n')}
${ports.map((port) => `resource messport ${port}\nresource connport ${port}`).join('\n')}
destination allow ${dead}/32
destination deny 8.0.0.0/8
`);
}

export interface Logged {
  readonly text: string;
  readonly ending: Ending;
  /** What the process printed beside its log: nothing is right. */
  readonly stderr: string;
}

/** Runs programs one after another in one vessel process. */
export async function runBatch(
  files: RuntimeFiles,
  batch: readonly Program[],
  setting: Setting,
  where: Places,
): Promise<Logged> {
  const programs = batch.map((program) => `[\n${program.map(stepText).join(',\n')}\n]`).join(',\n');
  const pollute = setting.pollution === undefined ? 'undefined' : `(spy) => { ${POLLUTIONS[setting.pollution]} }`;
  const source = `${VALUES}\nconst pollute = ${pollute};\nconst programs = [${programs}];\n${HARNESS}`;
  return await runSource(files, source, setting, where);
}

/** Runs one program's text, with a directory of files of its own. */
export async function runSource(files: RuntimeFiles, source: string, setting: Setting, where: Places): Promise<Logged> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-fuzz-files-'));
  const disk = new Disk({ directory, limitBytes: DISK_BYTES });
  await disk.count();
  const vessel = VesselProcess.spawn(files, setting.walls ? {} : { without: ['bubblewrap'] });
  let text = '';
  let stderr = '';
  vessel.onStderr = (more) => {
    stderr += more;
  };
  vessel.onLog = (more) => {
    text += more;
  };
  const limits = restrictions(setting, where);
  const session = new FileSession(disk, { quantities: limits.quantities, tell: (usage) => vessel.tell(usage) });
  vessel.start({
    services: session.services,
    program: { name: 'fuzz.js', source },
    args: [where.own, where.dead],
    address: where.own,
    restrictions: limits,
  });
  const late = setTimeout(() => {
    vessel.kill({ kind: 'stopped', message: `expected an end within ${BATCH_MS} ms, got none`, exitCode: 1 });
  }, BATCH_MS);
  const ending = await vessel.ended;
  clearTimeout(late);
  await session.stop();
  await rm(directory, { recursive: true });
  return { text, ending, stderr };
}
