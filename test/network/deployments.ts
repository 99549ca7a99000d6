import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeManager } from '@potluck/nodemanager';
import type { KeyId } from '@potluck/protocol';
import { type CommandResult, Shell } from '@potluck/seash';
import { type Bulk, startNode, wordsTo } from './shells.ts';

const RESTRICTIONS = `
resource cpu 0.5
resource memory 50000000
resource diskused 1000000
resource events 10
resource lograte 100000
resource filewrite 100000
resource fileread 100000
resource filesopened 5
`;

export interface Deployed extends CommandResult {
  readonly version: string;
  readonly changes: { change: string; name?: string; why: string }[];
  readonly notes: { name: string; why: string }[];
  readonly failed: Bulk['failed'];
}

export const FOREVER = (word: string): string =>
  `log('${word}', callargs.join(' '), '\\n');\nsettimer(1e6, () => undefined);\n`;

interface Place {
  readonly directory: string;
  readonly shell: Shell;
  readonly nodes: NodeManager[];
}

/**
 * Two nodes of two vessels each for every test of a suite: alice owns them, bob may use them. What it returns works on those
 * of the test that runs.
 */
export function deploying() {
  let directory: string;
  let shell: Shell;
  const nodes: NodeManager[] = [];
  const place: Place = {
    get directory() {
      return directory;
    },
    get shell() {
      return shell;
    },
    nodes,
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-deploy-'));
    shell = new Shell({ directory });
    const alice = (await shell.execute('genkeys alice')).key as KeyId;
    const bob = (await shell.execute('genkeys bob')).key as KeyId;
    for (const index of [0, 1]) {
      const vessels = [1, 2].map((port) => ({
        restrictions: `${RESTRICTIONS}resource messport ${63100 + 2 * index + port}\n`,
        owner: alice,
        users: [bob],
      }));
      nodes.push(await startNode(join(directory, `node${index}`), vessels));
    }
    await writeFile(join(directory, 'worker.js'), FOREVER('one'));
  });
  afterEach(async () => {
    await shell.stop();
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    await rm(directory, { recursive: true });
  });
  return { place, ...wordsOf(place) };
}

function wordsOf(place: Place) {
  const { well } = wordsTo(() => place.shell);
  const addresses = (): string[] => place.nodes.map(({ address }) => `127.0.0.1:${address.port}`);
  const declare = async (more: object = {}): Promise<void> => {
    const nodesOf = { name: 'work', program: 'worker.js', nodes: addresses(), count: 3 };
    const rollout = { atOnce: 1, healthyAfter: '50ms' };
    await writeFile(join(place.directory, 'd.yaml'), JSON.stringify({ ...nodesOf, rollout, every: '50ms', ...more }));
  };
  const apply = async (line = 'apply d.yaml'): Promise<Deployed> => (await place.shell.execute(line)) as Deployed;
  const changesOf = ({ changes }: Deployed): string[] => changes.map(({ change }) => change);
  const states = async (): Promise<string[]> => {
    return (await well('list')).vessels.map(({ state, program }) => `${state} ${program ?? ''}`.trim());
  };
  const watchUntil = async (enough: Enough): Promise<string[]> => await watchedUntil(place, enough);
  const listen = (): string[] => heardBy(place);
  return { well, addresses, declare, apply, changesOf, watchUntil, states, listen };
}

type Enough = (told: string[]) => boolean | Promise<boolean>;

/** Watches until `enough` of what it tells. */
async function watchedUntil(place: Place, enough: Enough): Promise<string[]> {
  const ending = new AbortController();
  const told: string[] = [];
  const onEvent = async (facts: object & { change?: string; failed?: unknown }): Promise<void> => {
    const [failure] = (facts.failed as Bulk['failed'] | undefined) ?? [];
    told.push(failure === undefined ? String(facts.change ?? 'well') : `${failure.code} ${failure.message}`);
    if (await enough(told)) ending.abort();
  };
  const result = await place.shell.execute('apply --watch d.yaml', { signal: ending.signal, onEvent });
  assert.ok(result.error === undefined || result.error.code === 'CANCELLED', JSON.stringify(result));
  return told;
}

/** The names of all requests, in their order. */
function heardBy(place: Place): string[] {
  const heard: string[] = [];
  const { connections } = place.shell.session;
  const call = connections.call.bind(connections);
  connections.call = async (endpoint, request) => {
    heard.push(request.method);
    return await call(endpoint, request);
  };
  return heard;
}
