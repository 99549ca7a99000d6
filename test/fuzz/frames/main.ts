import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figures } from './manager.ts';
import { type VolleyReport, volley } from './volley.ts';

const MIB = 2 ** 20;
const PROGRESS_EVERY = 50_000;

/** `npm run fuzz -- --frames N`: prints its seed and what it found. @returns 1 when it found something. */
export async function fuzzFrames(seed: number, frames: number): Promise<number> {
  const state = await mkdtemp(join(tmpdir(), 'potluck-frames-'));
  const from = performance.now();
  const seconds = (): string => ((performance.now() - from) / 1000).toFixed(0);
  console.log(`seed ${seed}, ${frames} frames`);
  const onProgress = (done: number): void => {
    if (done > 0 && done % PROGRESS_EVERY === 0) console.log(`${done} frames in ${seconds()} s`);
  };
  try {
    const report = await volley({ state, seed, frames, onProgress });
    tell(report, seconds());
    return report.findings.length === 0 ? 0 : 1;
  } finally {
    await rm(state, { recursive: true });
  }
}

function tell({ frames, findings, echoes, before, after }: VolleyReport, seconds: string): void {
  const counts = [...echoes].sort(([, a], [, b]) => b - a).map(([what, count]) => `${what} ${count}`);
  console.log(`answers: ${counts.join(', ')}`);
  console.log(`before: ${figuresText(before)}\nafter:  ${figuresText(after)}`);
  console.log(`${frames} frames in ${seconds} s, ${findings.length} findings`);
  for (const finding of findings) console.log(`\n${finding}`);
}

function figuresText({ heapBytes, externalBytes, rssBytes, descriptors }: Figures): string {
  const [heap, external, rss] = [heapBytes, externalBytes, rssBytes].map((bytes) => (bytes / MIB).toFixed(1));
  return `heap ${heap} MiB, buffers ${external} MiB, resident ${rss} MiB, descriptors ${descriptors ?? 'not told'}`;
}
