import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '@potluck/protocol';
import { runtimeFiles } from '@potluck/vessel-runtime';
import { acquire } from '../rows/acquire.ts';
import { bigProgram } from '../rows/big-program.ts';
import { calls } from '../rows/calls.ts';
import { classBehindRouters, classroom } from '../rows/class.ts';
import { compute } from '../rows/compute.ts';
import { fileRow } from '../rows/files.ts';
import { fleet } from '../rows/fleet.ts';
import { gateways } from '../rows/gateway.ts';
import { governor } from '../rows/governor.ts';
import { idleMemory } from '../rows/idle-memory.ts';
import { idleVessels } from '../rows/idle-vessels.ts';
import { memory } from '../rows/memory.ts';
import { pages } from '../rows/pages.ts';
import { signedRequest } from '../rows/signed-request.ts';
import { start } from '../rows/start.ts';
import { tcp } from '../rows/tcp.ts';
import { hundred, thousand } from '../rows/thousand.ts';
import { udpEcho } from '../rows/udp-echo.ts';
import { BenchError } from './errors.ts';
import type { Result, Row } from './row.ts';
import { formatTable } from './table.ts';

const ROWS: readonly Row[] = [
  start,
  bigProgram,
  udpEcho,
  tcp,
  fileRow,
  calls,
  compute,
  idleMemory,
  signedRequest,
  fleet,
  pages,
  acquire,
  ...gateways,
  classroom,
  classBehindRouters,
  idleVessels,
  memory,
  governor,
  hundred,
  thousand,
];
const USAGE = `usage: npm run bench -- [--json] [ROW...], where ROW is one of ${ROWS.map(({ name }) => name).join(' ')}`;

/** @returns the exit code: 2 for a wrong command line, 1 when a figure could not be measured. */
export async function bench(argv: string[]): Promise<number> {
  try {
    const { json, rows } = parse(argv);
    const results = await measure(rows);
    const machine = `${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
    process.stdout.write(json ? `${JSON.stringify({ machine, results })}\n` : `${machine}\n${formatTable(results)}`);
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${describeError(error)}\n`);
    return error instanceof BenchError && error.fault === 'caller' ? 2 : 1;
  }
}

function parse(argv: string[]): { json: boolean; rows: readonly Row[] } {
  const { values, positionals } = parseStrictly(argv);
  const rows = positionals.map((wanted) => {
    const row = ROWS.find(({ name }) => name === wanted);
    if (row === undefined) throw new BenchError('NO_SUCH_ROW', `expected a known row, got "${wanted}"\n${USAGE}`);
    return row;
  });
  return { json: values.json ?? false, rows: rows.length > 0 ? rows : ROWS.filter(({ onlyNamed }) => !onlyNamed) };
}

function parseStrictly(args: string[]) {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    throw new BenchError('USAGE', `${describeError(error).split('. ')[0]}\n${USAGE}`);
  }
}

async function measure(rows: readonly Row[]): Promise<Result[]> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-'));
  try {
    const files = await runtimeFiles(directory);
    const results: Result[] = [];
    for (const row of rows) {
      process.stderr.write(`measuring ${row.name} ...\n`);
      results.push(...(await row.run(files)));
    }
    return results;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
