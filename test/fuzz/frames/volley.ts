import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { statePaths } from '@potluck/nodemanager';
import { type FileName, generateIdentity, NodeClient, type VesselName } from '@potluck/protocol';
import { Dice } from './dice.ts';
import { type Echo, Line, type Node } from './lines.ts';
import type { Figures } from './manager.ts';
import { type Shot, shoot } from './shots.ts';
import { makeSigners, type World } from './world.ts';

export interface VolleyInit {
  /** Of the node manager; empty. */
  readonly state: string;
  readonly seed: number;
  readonly frames: number;
  readonly onProgress?: (done: number) => void;
}

export interface VolleyReport {
  frames: number;
  readonly findings: string[];
  /** How often each answer came: `BAD_MESSAGE`, `ok`, `closed 4400`. */
  readonly echoes: Map<string, number>;
  readonly before: Figures;
  readonly after: Figures;
}

const LINES = 8;
/** Frames until all code was run and compiled, after which the memory is measured first. */
const WARM_FRAMES = 3000;
const WITNESS_EVERY = 500;
const MOST_FINDINGS = 20;
/** Farewells that are meant: of WebSocket (RFC 6455), and our own for what is no message. */
const FAREWELLS = new Set([0, 1002, 1003, 1007, 1009, 4400]);
const V1 = 'v1' as VesselName;
const KEPT = 'kept.txt' as FileName;
const RESTRICTIONS = 'resource cpu .1\nresource memory 50000000\nresource diskused 5000000\nresource events 50\n';

/** Frames at a real node manager in a process of its own; each follows from the seed and its number alone. */
export async function volley(init: VolleyInit): Promise<VolleyReport> {
  await using stack = new AsyncDisposableStack();
  const witness = generateIdentity();
  const signers = makeSigners();
  const vessels = [
    { owner: witness.id, users: [], restrictions: RESTRICTIONS },
    ...[2, 3, 4].map(() => ({
      owner: signers[0]?.id,
      users: [signers[1]?.id],
      restrictions: RESTRICTIONS,
    })),
  ];
  const config = { listen: { host: '127.0.0.1', port: 0 }, vessels };
  await writeFile(statePaths(init.state).config, JSON.stringify(config), { mode: 0o600 });
  const manager = await startManager(init.state);
  stack.defer(manager.stop);
  const client = await NodeClient.connect({ ...manager.node, identity: witness });
  await client.call('AddFileToVessel', { vessel: V1, name: KEPT }, { attachment: Buffer.from('kept') });
  stack.defer(() => client.close());
  const findings: string[] = [];
  const echoes = new Map<string, number>();
  const part = { init, node: manager.node, world: { node: manager.node.node, signers }, client, findings, echoes };
  const warm = Math.min(WARM_FRAMES, Math.floor(init.frames / 2));
  await fireAll(part, 0, warm);
  const before = await manager.measure();
  await fireAll(part, warm, init.frames);
  const after = await manager.measure();
  if (manager.stderr() !== '') findings.push(`expected nothing on stderr, got ${manager.stderr()}`);
  await client.close();
  findings.push(...(await faultsIn(init.state)));
  return { frames: init.frames, findings, echoes, before, after };
}

interface Part {
  readonly init: VolleyInit;
  readonly node: Node;
  readonly world: World;
  readonly client: NodeClient;
  readonly findings: string[];
  readonly echoes: Map<string, number>;
}

async function fireAll(part: Part, from: number, to: number): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    await using line = new Line(part.node);
    while (next < to && part.findings.length < MOST_FINDINGS) {
      const number = next;
      next += 1;
      await fireOne(part, line, number);
      if (number % WITNESS_EVERY === 0) await look(part, number);
    }
  };
  await Promise.all(Array.from({ length: LINES }, worker));
}

async function fireOne({ init, world, findings, echoes }: Part, line: Line, number: number): Promise<void> {
  const shot = shoot(new Dice(init.seed + Math.imul(number, 0x9e3779b1)), world);
  const echo = await line.fire(shot).catch((error: unknown) => `expected a reply that can be read: ${String(error)}`);
  const what = wrongIn(echo);
  if (what !== undefined) findings.push(`${what}\n${describe(shot, init.seed, number)}`);
  const key = typeof echo === 'string' ? 'wrong' : 'reply' in echo ? echo.reply : `closed ${echo.closed}`;
  echoes.set(key, (echoes.get(key) ?? 0) + 1);
  init.onProgress?.(number);
}

/** @returns what is wrong with an answer, if anything is. */
export function wrongIn(echo: Echo | string): string | undefined {
  if (typeof echo === 'string') return echo;
  if ('reply' in echo) return echo.reply === 'INTERNAL' ? 'expected a refusal with a reason, got INTERNAL' : undefined;
  return FAREWELLS.has(echo.closed) ? undefined : `expected a farewell, got close code ${echo.closed}`;
}

function describe({ kind, as, bytes }: Shot, seed: number, number: number): string {
  return `seed ${seed}, frame ${number} (${kind}, ${as}, ${bytes.length} bytes): ${bytes.toString('base64').slice(0, 2000)}`;
}

/** Somebody else's vessel is as it was, and its owner is answered. */
async function look({ client, findings }: Part, number: number): Promise<void> {
  try {
    const { result } = await client.call('GetVessels', {}, { timeoutMs: 60_000 });
    const { attachment } = await client.call(
      'RetrieveFileFromVessel',
      { vessel: V1, name: KEPT },
      { timeoutMs: 60_000 },
    );
    const v1 = result.vessels.find(({ name }) => name === V1);
    if (v1?.state === 'Fresh' && v1.users.length === 0 && attachment.toString() === 'kept') return;
    findings.push(`expected v1 as it was, got ${JSON.stringify(v1)} at frame ${number}`);
  } catch (error) {
    findings.push(`expected an answer for somebody else, got ${String(error)} at frame ${number}`);
  }
}

/** Lines of its log that say that something failed unexpectedly. */
async function faultsIn(state: string): Promise<string[]> {
  const lines = (await readFile(statePaths(state).log, 'utf8')).split('\n').filter(Boolean);
  return lines
    .filter((line) => JSON.parse(line).level >= 50)
    .map((line) => `expected no fault in its log, got ${line}`);
}

interface Manager {
  readonly node: Node;
  measure(): Promise<Figures>;
  stderr(): string;
  stop(): Promise<void>;
}

async function startManager(state: string): Promise<Manager> {
  const child = fork(join(import.meta.dirname, 'manager.ts'), [state], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'exit');
  const word = async (): Promise<unknown> => {
    const ending = ended.then(() => Promise.reject(new RangeError(`the node manager ended: ${stderr}`)));
    const [message] = (await Promise.race([once(child, 'message'), ending])) as [unknown];
    return message;
  };
  const node = (await word()) as Node;
  return {
    node,
    measure: async () => {
      child.send('measure');
      return (await word()) as Figures;
    },
    stderr: () => stderr,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.send('stop');
      await ended;
    },
  };
}
