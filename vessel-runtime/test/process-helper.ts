import assert from 'node:assert/strict';
import type { Ending } from '@potluck/protocol';
import { parseRestrictions, type Restrictions } from '@potluck/protocol';
import type { Services } from '../src/host/calls.ts';
import type { Disk } from '../src/host/disk.ts';
import { FileSession } from '../src/host/file-session.ts';
import type { Governor } from '../src/host/governor.ts';
import type { NetworkInit } from '../src/host/network.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { collectLog, realRuntime, TEST_RESTRICTIONS } from './helper.ts';

export interface RunOptions {
  readonly args?: readonly string[];
  readonly address?: string;
  /** More of what it is told of the network. */
  readonly network?: Omit<NetworkInit, 'address'>;
  /** Lines of restrictions instead of those of the same resource. */
  readonly restrictions?: string;
  readonly name?: string;
  /** Where its files are; without it, it has none. */
  readonly disk?: Disk;
  /** Holds its CPU and its memory; without it, nothing does. */
  readonly governor?: Governor;
  /** Sources of layers, from the one next to the API; they are called `layer-1.js` and so on. */
  readonly layers?: readonly string[];
}

/** Starts a program in a real vessel process. */
export async function startProgram(source: string, options: RunOptions = {}) {
  const vessel = VesselProcess.spawn(await realRuntime());
  await vessel.ready;
  const log = collectLog(vessel);
  const restrictions = parseRestrictions(merged(options.restrictions ?? ''));
  const { cpu, memory } = restrictions.quantities;
  await options.governor?.watch(vessel, { cpu, memoryBytes: memory });
  vessel.start({
    services: servicesOf(vessel, restrictions, options.disk),
    program: { name: options.name ?? 'program.js', source },
    layers: (options.layers ?? []).map((text, index) => ({ name: `layer-${index + 1}.js`, source: text })),
    args: [...(options.args ?? [])],
    address: options.address ?? '127.0.0.1',
    ...options.network,
    restrictions,
  });
  return { vessel, log };
}

function servicesOf(vessel: VesselProcess, { quantities }: Restrictions, disk: Disk | undefined): Services {
  if (disk === undefined) return {};
  const session = new FileSession(disk, { quantities, tell: (usage) => vessel.tell(usage) });
  void vessel.ended.then(() => session.stop());
  return session.services;
}

/** Runs a program to its end. */
export async function runProgram(source: string, options: RunOptions = {}): Promise<{ log: string; ending: Ending }> {
  const { vessel, log } = await startProgram(source, options);
  const ending = await vessel.ended;
  return { log: log.text(), ending };
}

/** Runs statements that may throw: the log is what they logged, then the error's name and code. */
export async function runCaught(body: string, options: RunOptions = {}): Promise<string> {
  const { log, ending } = await runProgram(
    `try { ${body} } catch (error) { log(error.name, error.code, error.message); }\nexitall();`,
    options,
  );
  assert.equal(ending.kind, 'exitall', ending.message);
  return log;
}

function merged(lines: string): string {
  const own = lines.split('\n').map((line) => line.trim().split(/\s+/)[1] ?? '');
  const kept = TEST_RESTRICTIONS.split('\n').filter((line) => !own.includes(line.trim().split(/\s+/)[1] ?? '-'));
  return `${kept.join('\n')}\n${lines}\n`;
}
