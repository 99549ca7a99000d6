import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '@potluck/repy-api';
import { calls, declarations, type Example, examples } from './declared.ts';
import { newAddress, removeBuilt, run, start } from './vessel.ts';

/** What stands behind 198.51.100.7 in the examples. */
const PEER = `
  recvmess(getmyip(), 54321, (ip, port, bytes) => sendmess(ip, port, bytes, getmyip(), 54321), { encoding: 'binary' });
  await waitforconn(getmyip(), 63100, async (ip, port, sock) => {
    try { for (;;) await sock.send(await sock.recv(65536)); } catch { sock.close(); }
  }, { encoding: 'binary' });
  log('here');`;
const PEER_NAME = /198\.51\.100\.7/g;
/** Timers of an example fire before this one; a listener goes on for ever. */
const LEAVE = '\n;settimer(0.12, exitall);\n';
const AT_ONCE = 4;

type Outcome = Awaited<ReturnType<typeof run>>;

async function runOne({ source }: Example, peer: string): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-example-'));
  try {
    const file = join(directory, 'example.ts');
    await writeFile(file, `${source.replace(PEER_NAME, peer)}${LEAVE}`);
    const outcome = await run((await bundleProgram(file)).source);
    return { ...outcome, log: outcome.log.replaceAll(peer, '198.51.100.7') };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Runs them all, some at once. */
async function runAll(peer: string): Promise<ReadonlyMap<Example, Outcome>> {
  const outcomes = new Map<Example, Outcome>();
  const waiting = [...examples];
  const work = async () => {
    for (let example = waiting.shift(); example !== undefined; example = waiting.shift()) {
      outcomes.set(example, await runOne(example, peer));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

function check({ logs }: Example, { log, ending }: Outcome): void {
  assert.ok(ending.kind === 'exitall' || ending.kind === 'finished', `${ending.message}\n${log}`);
  if (logs === undefined) return;
  const lines = log.split('\n').map((line) => line.trim());
  assert.deepEqual(
    lines.filter((line) => line !== ''),
    logs,
  );
}

describe('the examples of repy.d.ts', () => {
  const address = newAddress();
  let peer: Awaited<ReturnType<typeof start>>;
  let outcomes: ReadonlyMap<Example, Outcome>;
  before(async () => {
    peer = await start(PEER, address);
    await peer.logged('here');
    outcomes = await runAll(address);
  });
  after(async () => {
    peer.vessel.kill({ kind: 'stopped', message: 'end of the test', exitCode: 1 });
    await peer.vessel.ended;
    await removeBuilt();
  });

  it('are there for each call, and call it', () => {
    const without = calls.filter(
      ({ name, doc }) => !doc.examples.some((code) => new RegExp(`\\b${name}\\b`).test(code)),
    );
    assert.deepEqual(
      without.map(({ title }) => title),
      [],
    );
    assert.ok(examples.length >= 60);
  });

  it('and errors are named as they are', () => {
    const names = new Set(['TypeError', ...declarations.map(({ name }) => name)]);
    const docs = declarations.flatMap(({ doc, members }) => [doc, ...members.map((member) => member.doc)]);
    const unknown = docs.flatMap(({ throws }) => throws).filter(({ name }) => !names.has(name));
    assert.deepEqual(unknown, []);
  });

  for (const example of examples) {
    it(`${example.title} runs`, () => {
      const outcome = outcomes.get(example);
      assert.ok(outcome);
      check(example, outcome);
    });
  }
});
