import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { generateIdentity, LIMITS, NodeClient } from '@potluck/protocol';
import { NodeManager, nodeAddressSchema, statePaths } from '../src/index.ts';
import { Daemon, runCli } from './daemon.ts';
import { RESTRICTIONS, TemporaryDirectory } from './support.ts';

const owner = generateIdentity();
const GOOD = {
  listen: { host: '127.0.0.1', port: 0 },
  vessels: [{ owner: owner.id, users: [], restrictions: RESTRICTIONS }],
};

describe('the nodemanager command', () => {
  let directory: TemporaryDirectory;
  const paths = () => statePaths(directory.path);
  const configure = async (config: unknown): Promise<void> =>
    await writeFile(paths().config, typeof config === 'string' ? config : JSON.stringify(config));
  /** @returns the one sentence. */
  const fails = async (args: string[], code = 1): Promise<string> => {
    const result = await runCli(args);
    assert.equal(result.code, code, result.stderr);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /^nodemanager: expected [^\n]+\n$/);
    return result.stderr;
  };
  /** As root it would say besides when its own user cannot reach this clone. */
  const asWhoWeAre = process.getuid?.() === 0 ? ['--user', 'root'] : [];
  const run = (): string[] => ['run', '--state', directory.path, ...asWhoWeAre];
  beforeEach(async () => {
    directory = await TemporaryDirectory.make();
  });
  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  it('says what it expected when the command line is wrong, with exit code 2', async () => {
    const wrong = [['walk'], ['run', '--speed', '9'], ['status', '--runtime', 'x', '--state', 'x']];
    for (const args of wrong) assert.match(await fails(args, 2), /expected nodemanager run --state DIR/);
  });

  it('names the file and each key that is wrong in its configuration', async () => {
    const vessel = GOOD.vessels[0];
    const broken: [unknown, RegExp][] = [
      ['{ "listen": ', /nodemanager\.json, got: .*JSON/],
      [[], /the whole: /],
      [{ ...GOOD, listen: { host: '127.0.0.1', port: 70_000 } }, /listen\.port: /],
      [{ ...GOOD, listen: [GOOD.listen, { host: '::1', port: -1 }] }, /listen\[1\]\.port: /],
      [{ ...GOOD, listen: Array(LIMITS.advertisedAddresses + 1).fill(GOOD.listen) }, /listen: .*8/],
      [{ ...GOOD, listen: [] }, /listen\[0\]: /],
      [{ ...GOOD, listen: { host: '127.0.0.1', port: 0 }, color: 'red' }, /color/],
      [{ ...GOOD, vessels: [{ ...vessel, owner: 'me' }] }, /vessels\[0\]\.owner: expected a key id/],
      [
        { ...GOOD, vessels: [vessel, { ...vessel, restrictions: 'resource cpu much' }] },
        /vessels\[1\]\.restrictions: .*:1: /,
      ],
      [{ ...GOOD, gateway: { host: 'x', port: 1 } }, /gateway\.key: /],
      [{ ...GOOD, listen: { host: '0.0.0.0', port: 0 } }, /advertise: expected an address/],
      [{ ...GOOD, listen: { host: '192.0.2.1', port: 0 } }, /listen, got 192\.0\.2\.1/],
    ];
    await configure({ ...GOOD, color: 'red' });
    assert.match(await fails(run()), /color/);
    for (const [config, expected] of broken) {
      await configure(config);
      await assert.rejects(new NodeManager({ state: directory.path }).start(), {
        code: 'CONFIG_BROKEN',
        message: expected,
      });
    }
  });

  it('says line and column of each fault in its configuration, and of what is no JSON', async () => {
    const text = (listen: string, more = '') =>
      `{\n  "listen": ${listen},\n  "vessels": [\n    {"owner": "${owner.id}", "users": []${more}}\n  ]\n}\n`;
    const listen = '{ "host": "127.0.0.1",\n    "port": 0 }';
    const rules = JSON.stringify(RESTRICTIONS);
    const places: [string, string[]][] = [
      [text(listen.replace('0 }', '70000 }'), `, "restrictions": ${rules}`), ['line 3 column 5: listen.port: ']],
      [text('{\n    "port": 0 }', `, "restrictions": ${rules}`), ['line 2 column 3: listen.host: ']],
      [text(listen), ['line 5 column 5: vessels[0].restrictions: ']],
      [text(listen, `,\n "color": 1, "restrictions": ${rules}`), ['line 6 column 2: vessels[0]: ', '"color"']],
      [
        text(listen.replace('0 }', '"" }'), ',\n "restrictions": "resource cpu much"'),
        ['line 3 column 5: listen.port: ', 'line 6 column 2: vessels[0].restrictions: '],
      ],
      ['[]', ['line 1 column 1: the whole: ']],
      [text(listen).replace(',\n  "vessels"', '\n  "vessels"'), ['line 4 column 3: not JSON']],
      ['{\n  "listen": {},\n}', ['line 3 column 1: not JSON']],
      ['{\n  "listen": ', ['line 2 column 12: not JSON']],
      ['', ['line 1 column 1: not JSON']],
      ['{\n "listen": tru\n}', ['line 2 column 12: not JSON (Unexpected token']],
      ['{\n "listen": 1 2}', ['line 2 column 14: not JSON']],
      ['{}\n x', ['line 2 column 2: not JSON']],
      ['{"listen": "a\nb"}', ['line 1 column 14: not JSON']],
      [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, ['the whole: ']],
      [JSON.stringify({ ...GOOD, vessels: Array.from({ length: 60 }, () => 1) }), ['vessels[9]: ', '; and 50 more']],
    ];
    for (const [config, expected] of places) {
      await configure(config);
      await assert.rejects(new NodeManager({ state: directory.path }).start(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CONFIG_BROKEN');
        assert.ok(error.message.includes(paths().config) && !error.message.includes('\n'), error.message);
        for (const part of expected) assert.ok(error.message.includes(part), `${part} | ${error.message}`);
        return true;
      });
    }
  });

  it('says that its configuration is missing', async () => {
    const message = /nodemanager\.json, got: ENOENT/;
    await assert.rejects(new NodeManager({ state: directory.path }).start(), { code: 'CONFIG_BROKEN', message });
  });

  it('says what is wrong with its key file', async () => {
    await configure(GOOD);
    await writeFile(paths().identity, '{"kty":"RSA"}', { mode: 0o600 });
    assert.match(await fails(run()), /expected an Ed25519 key as JWK in .*node\.jwk/);
    await writeFile(paths().identity, JSON.stringify(generateIdentity().privateJwk));
    await chmod(paths().identity, 0o644);
    assert.match(await fails(run()), /expected mode 0600 .* got 0644/);
  });

  it('says that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await configure({ ...GOOD, listen: { host: '127.0.0.1', port } });
    assert.match(await fails(run()), new RegExp(`expected port ${port} of 127\\.0\\.0\\.1 to be free`));
    other.close();
    await assert.rejects(access(paths().address), { code: 'ENOENT' });
  });

  it('says that the state directory cannot be one, or a runtime is missing', async () => {
    await writeFile(join(directory.path, 'file'), '');
    await fails(['run', '--state', join(directory.path, 'file')]);
    await configure(GOOD);
    await mkdir(join(directory.path, 'empty'));
    assert.match(await fails([...run(), '--runtime', join(directory.path, 'empty')]), /vessel\.mjs/);
  });

  it('prints one line when it listens, and says where in address.json until it is stopped', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await configure(GOOD);
      await using daemon = await Daemon.start(directory.path);
      const address = nodeAddressSchema.parse(JSON.parse(await readFile(paths().address, 'utf8')));
      assert.equal(address.pid, daemon.pid);
      assert.equal(daemon.firstLine, `node ${address.node} listens on 127.0.0.1 port ${address.port}`);
      await using client = await NodeClient.connect({ address, node: address.node, identity: owner });
      await client.call('GetVessels', {});
      const closed = client.call('GetVessels', {}).catch(() => undefined);
      assert.deepEqual(await daemon.end(signal), { code: 0, signal: null });
      await closed;
      await assert.rejects(access(paths().address), { code: 'ENOENT' });
      await assert.rejects(access(paths().pid), { code: 'ENOENT' });
    }
  });

  it('refuses a second node manager on the same directory, and starts again after a SIGKILL', async () => {
    await configure(GOOD);
    await using daemon = await Daemon.start(directory.path);
    assert.match(await fails(run()), new RegExp(`expected no node manager on .*, got process ${daemon.pid}`));
    await daemon.end('SIGKILL');
    await using again = await Daemon.start(directory.path);
    assert.notEqual(again.pid, daemon.pid);
  });

  it('tells in plain words what runs there, and that nothing does', async () => {
    await configure(GOOD);
    const status = ['status', '--state', directory.path];
    assert.match(await fails(status), /expected a node manager on .*, got none that runs/);
    await using daemon = await Daemon.start(directory.path);
    const { code, stdout } = await runCli(status);
    assert.equal(code, 0);
    assert.match(
      stdout,
      new RegExp(`^Node .{43} runs as process ${daemon.pid} and listens on 127\\.0\\.0\\.1 port \\d+\\.`),
    );
    assert.match(stdout, /Walls that are up: .*\n/);
    assert.match(stdout, /Vessel v1: Fresh since .*, 0 users\.\n/);
    await daemon.end('SIGKILL');
    assert.match(await fails(status), /got none that runs/);
  });
});
