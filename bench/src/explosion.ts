import { readFileSync } from 'node:fs';
import { type Ending, parseRestrictions } from '@potluck/protocol';
import { type Governor, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import type { Bomb } from './bombs.ts';
import { restrictionsFor } from './vessel.ts';

const LOOK_MS = 2;

export interface Explosion {
  readonly ending: Ending;
  /** Bytes, the most that the process had in memory at once beyond what it took before its program, as the kernel counts. */
  readonly peakBytes: number;
  readonly ms: number;
}

/** Runs a bomb in a vessel of `memoryBytes` to its end. */
export async function explode(
  files: RuntimeFiles,
  governor: Governor,
  { bomb, memoryBytes }: { bomb: Bomb; memoryBytes: number },
): Promise<Explosion> {
  await using vessel = VesselProcess.spawn(files, { memoryBytes });
  await vessel.ready;
  await governor.watch(vessel, { cpu: 1, memoryBytes });
  const { pid } = vessel;
  const idle = anonymousBytes(pid);
  let peak = idle;
  const look = () => {
    peak = Math.max(peak, anonymousBytes(pid));
  };
  const timer = setInterval(look, LOOK_MS);
  const begin = performance.now();
  const restrictions = parseRestrictions(restrictionsFor({ port: 54321, memoryBytes }));
  vessel.start({ program: { name: 'bomb.js', source: bomb.source }, args: [], address: '127.0.0.1', restrictions });
  const ending = await vessel.ended;
  clearInterval(timer);
  return { ending, peakBytes: Math.max(peak - idle, ending.limit?.used ?? 0), ms: performance.now() - begin };
}

/** @returns bytes of memory of its own; 0 when the process is gone. */
function anonymousBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
