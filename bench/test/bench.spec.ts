import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { figuresOf, median } from '../src/row.ts';
import { formatTable } from '../src/table.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

async function run(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('bench', () => {
  it('measures a row and its floor, and says what was counted', async () => {
    const { code, stdout, stderr } = await run(['--json', 'calls']);
    assert.equal(code, 0, stderr);
    const { results } = JSON.parse(stdout);
    assert.equal(results.length, 2);
    assert.ok(results[0].potluck > 0 && results[0].floor > 0);
    assert.match(results[0].counted, /median of \d+/);
  }).timeout(180_000);

  it('refuses an unknown row and an unknown option, naming what it knows', async () => {
    for (const args of [['no-such-row'], ['--no-such-option']]) {
      const { code, stderr } = await run(args);
      assert.equal(code, 2);
      assert.match(stderr, /start big-program udp-echo tcp files calls compute idle-memory signed-request fleet/);
    }
  });

  it('prints one line for each row: the ratio, its spread, the goal and whether it was missed', () => {
    const more = { potluck: 1234, floor: 2468, unit: 'x/s', better: 'more', counted: 'c' } as const;
    const less = { potluck: 1.5, floor: 3, unit: 'ms', better: 'less', counted: 'd' } as const;
    const text = formatTable([
      { row: 'r', ...more },
      { row: 's', ...more, ratio: 0.52, spread: [0.4, 0.61], goal: { least: 0.6 } },
      { row: 't', ...more, goal: { least: 0.5 } },
      { row: 'u', ...less, goal: { most: 0.4 } },
      { row: 'v', ...less, goal: { mostBeyond: 1 } },
      { row: 'w', ...less, goal: { atMost: 1.4 } },
    ]);
    const [table = ''] = text.split('\n\n');
    assert.deepEqual(
      table.split('\n').map((line) => line.split(/ {2,}/)),
      [
        ['row', 'potluck', 'floor', 'ratio', 'spread', 'goal', 'unit', 'what is counted'],
        ['r', '1,234', '2,468', '0.50', '-', '-', 'x/s, more is better', 'c'],
        ['s', '1,234', '2,468', '0.52', '0.40-0.61', 'at least 0.6, missed', 'x/s, more is better', 'c'],
        ['t', '1,234', '2,468', '0.50', '-', 'at least 0.5', 'x/s, more is better', 'c'],
        ['u', '1.50', '3.00', '0.50', '-', 'at most 0.4, missed', 'ms, less is better', 'd'],
        ['v', '1.50', '3.00', '0.50', '-', 'at most 1 ms more', 'ms, less is better', 'd'],
        ['w', '1.50', '3.00', '0.50', '-', 'at most 1.4 ms, missed', 'ms, less is better', 'd'],
      ],
    );
  });

  it('takes the middle of the pairs, so that a slow moment falls on both sides of one pair', () => {
    const figures = figuresOf([
      [1, 2],
      [10, 20],
      [3, 2],
      [5, 10],
      [6, 10],
    ]);
    assert.deepEqual(figures, { potluck: 5, floor: 10, ratio: 0.5, spread: [0.5, 0.6] });
  });

  it('takes the middle of what was measured', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
  });
});
