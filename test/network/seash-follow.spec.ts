import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { NodeManager } from '@potluck/nodemanager';
import type { KeyId } from '@potluck/protocol';
import { COMMANDS, Shell } from '@potluck/seash';
import { startNode, wordsTo } from './shells.ts';

const BIN = fileURLToPath(new URL('../../seash/bin/seash.ts', import.meta.url));
const RESTRICTIONS = `
resource cpu 0.5
resource memory 50000000
resource diskused 1000000
resource events 10
resource lograte 1000000
`;
const FOREVER = "log('on\\n'); settimer(100000, () => {});";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe('seash that follows logs of real nodes', function () {
  this.timeout(120_000);
  let directory: string;
  let shell: Shell;
  const nodes: NodeManager[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-follow-'));
    shell = new Shell({ directory });
    const alice = (await shell.execute('genkeys alice')).key as KeyId;
    for (const name of ['one', 'two']) {
      nodes.push(await startNode(join(directory, name), [{ restrictions: RESTRICTIONS, owner: alice, users: [] }]));
    }
    for (const { address } of nodes) await shell.execute(`contact ${address.host}:${address.port}`);
  });
  after(async () => {
    await shell.stop();
    for (const node of nodes) await node.stop();
    await rm(directory, { recursive: true });
  });
  afterEach(async () => {
    await shell.execute('on %all reset');
  });

  const { well } = wordsTo(() => shell);
  const file = async (name: string, source: string): Promise<void> => await writeFile(join(directory, name), source);
  const spawned = (commands: string, options: string[] = []): ChildProcess => {
    const contacts = nodes.map(({ address }) => `contact ${address.host}:${address.port}`).join('; ');
    return spawn(process.execPath, [BIN, ...options, '-c', `loadkeys alice; ${contacts}; ${commands}`], {
      cwd: directory,
      env: { ...process.env, XDG_CONFIG_HOME: join(directory, 'config') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  };
  const seash = async (commands: string, options: string[] = []): Promise<Ended> => {
    const child = spawned(commands, options);
    const closed = once(child, 'close');
    assert.ok(child.stdout !== null && child.stderr !== null);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await closed;
    return { code, out, err };
  };
  const nameOf = (index: number): string => `127.0.0.1:${nodes[index]?.address.port}:v1`;

  it("run --follow shows each vessel's whole lines with its name, and ends with the programs", async () => {
    await file(
      'count.js',
      "for (let n = 0; n < 20; n += 1) { log('line '); log(n + '\\n'); await sleep(0.001); } log('end');",
    );
    const { code, out, err } = await seash('on %all run --follow count.js');
    assert.equal(code, 0, err);
    for (const index of [0, 1]) {
      const own = out.split('\n').filter((line) => line.startsWith(`${nameOf(index)} `));
      const lines = own.map((line) => line.slice(nameOf(index).length + 1));
      assert.deepEqual(lines.slice(0, -1), [...Array.from({ length: 20 }, (_, n) => `line ${n}`), 'end']);
      assert.match(lines.at(-1) ?? '', /^\(Terminated: /);
    }
    assert.ok(!out.includes('\u001b'), 'no colour without a terminal');
  });

  it("run --follow ends with the programs' exit code, the highest of all", async () => {
    await file('fail.js', "log('before\\n'); throw new Error('boom');");
    const { code, out } = await seash('on %all run --follow fail.js; list');
    const { ending } = (await well('list')).vessels[0] as { ending: { exitCode: number } };
    assert.equal(code, ending.exitCode);
    assert.notEqual(code, 0);
    assert.match(out, /before/);
    assert.match(out, /boom/);
    assert.ok(!out.includes('Why it ended'), 'the script stops there');
  });

  it('start --follow begins with the lines of its own run', async () => {
    await file('once.js', "log('run ' + callargs[0] + '\\n');");
    await seash('on %1 run --follow once.js first');
    const { code, out } = await seash('on %1 start --follow once.js second');
    assert.equal(code, 0);
    assert.ok(out.includes('run second') && !out.includes('run first'), out);
  });

  it('an option after the name of the program is its own', async () => {
    await file('args.js', "log(callargs.join(',') + '\\n');");
    const { out } = await seash('on %1 run --follow args.js --follow --no-check');
    assert.match(out, /--follow,--no-check\n/);
  });

  it('show log --follow --json prints one object a line, and its shapes are those of the table', async () => {
    await file('talk.js', "log('hello\\n'); log('\\u001b[31mred');");
    await seash('on %all run --follow talk.js');
    const { code, out } = await seash('show log --follow', ['--json']);
    assert.equal(code, 0, out);
    const objects = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ command }) => command === 'show log');
    const events = objects.filter(({ event }) => event !== undefined);
    assert.deepEqual(
      events.filter(({ id }) => id === '%1').map(({ event, line }) => [event, line]),
      [
        ['line', 'hello'],
        ['line', '\u001b[31mred'],
        ['ended', undefined],
      ],
    );
    const { command, ok, ...facts } = objects.at(-1) ?? {};
    assert.equal(ok, true);
    assert.deepEqual(
      COMMANDS.find(({ name }) => name === command)
        ?.result.strict()
        .parse(facts),
      facts,
    );
  });

  it('show log --follow says where bytes are gone', async () => {
    await file('long.js', "for (let n = 0; n < 40; n += 1) log('x'.repeat(9999) + '\\n');");
    await seash('on %1 run --follow long.js');
    const { out } = await seash('on %1 show log --follow');
    const [, dropped] = /\((\d+) bytes are gone here\)/.exec(out) ?? [];
    assert.ok(Number(dropped) > 200_000, out.slice(0, 200));
    assert.match((await seash('on %1 show log')).out, /\(\d+ bytes before this are gone\)/);
  });

  it('Ctrl-C leaves the programs running, and says so', async () => {
    await file('forever.js', FOREVER);
    const child = spawned('on %all run --follow forever.js');
    const closed = once(child, 'close');
    let seen = 0;
    let out = '';
    assert.ok(child.stdout !== null);
    for await (const line of createInterface({ input: child.stdout })) {
      out += `${line}\n`;
      if (!line.endsWith(' on')) continue;
      seen += 1;
      if (seen === 2) child.kill('SIGINT');
    }
    assert.equal((await closed)[0], 130);
    assert.match(out, /the programs go on: say "stop" to end them/);
    const { vessels } = await well('list');
    assert.deepEqual(
      vessels.map(({ state }) => state),
      ['Started', 'Started'],
    );
  });

  it('goes on where it was when a node was away for a moment', async () => {
    await file('forever.js', FOREVER);
    const child = spawned('on %1 run --follow forever.js');
    assert.ok(child.stdout !== null);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line.slice(nameOf(0).length + 1));
      if (lines.at(-1) !== 'on') continue;
      // On the same port, as after an update of the node.
      const port = nodes[0]?.address.port;
      await nodes[0]?.stop();
      const config = { listen: { host: '127.0.0.1', port }, vessels: [] };
      await writeFile(join(directory, 'one', 'nodemanager.json'), JSON.stringify(config));
      await nodes[0]?.start();
    }
    assert.equal(lines.filter((line) => line === 'on').length, 1);
    assert.match(lines.at(-2) ?? lines.join('\n'), /^\(Stale: the node manager was stopped while it ran\)|^$/);
  });

  it('run shows errors of types before anything is uploaded, without a compiler of the author, and --no-check runs it all the same', async () => {
    await file('typed.ts', "const port: number = 'many';\nlog('got ' + port + '\\n');\n");
    const refused = await seash('on %1 run --follow typed.ts');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /typed\.ts:1:7: error: TS2322/);
    assert.match(refused.err, /1 \| const port: number/);
    assert.match(refused.err, /1 problem in typed\.ts: mend them, or say "run --no-check"/);
    assert.deepEqual((await well('on %1 show files')).vessels[0]?.files, []);
    const { code, out } = await seash('on %1 run --no-check --follow typed.ts');
    assert.equal(code, 0);
    assert.match(out, /got many/);
  });
});
