import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyIdOf, loadPublicKey } from '@potluck/protocol';
import fc from 'fast-check';
import { SETTING_LIMITS } from '../src/commands/settings.ts';
import { COMMANDS } from '../src/commands/table.ts';
import { Shell } from '../src/index.ts';
import { knowVessel } from './support.ts';

describe('commands', () => {
  let directory: string;
  let shell: Shell;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-'));
    shell = new Shell({ directory });
  });
  afterEach(async () => {
    await shell.stop();
    await rm(directory, { recursive: true });
  });

  const errorOf = async (line: string): Promise<string> => {
    const { ok, error } = await shell.execute(line);
    assert.equal(ok, false);
    assert.ok(error !== undefined && !error.message.includes('\n'), 'expected one sentence');
    return `${error.code} ${error.message}`;
  };

  describe('are refused with one sentence', () => {
    const cases: [line: string, expected: RegExp][] = [
      ['', /^USAGE expected one command, got none$/],
      ['help; help', /^USAGE expected one command, got 2$/],
      ['lsit', /^UNKNOWN_COMMAND expected a command, got "lsit": did you mean "list"\?$/],
      ['frobnicate', /^UNKNOWN_COMMAND expected a command, got "frobnicate"$/],
      ['show', /^UNKNOWN_COMMAND expected "show" and one of .*targets, .*, got nothing$/],
      ['show lgo', /^UNKNOWN_COMMAND .* got "lgo": did you mean "log"\?$/],
      ['help lits', /^UNKNOWN_COMMAND .*did you mean "list"/],
      ['list all', /^USAGE expected "list", got "all" after its end$/],
      ['upload', /^USAGE expected "upload LOCAL \[REMOTE\]", got no LOCAL$/],
      ['genkeys', /^USAGE .* got no FILE$/],
      ['genkeys a as', /^USAGE .* got no NAME$/],
      ['as', /^USAGE .* got no NAME$/],
      ['on', /^USAGE .* got no TARGET$/],
      ['on %1 as bob', /^USAGE expected a command after "on %1 as bob", got its end$/],
      ['on %1 list', /^UNKNOWN_TARGET expected %all, .* got "%1"$/],
      ['on %1', /^UNKNOWN_TARGET/],
      ['as nobody list', /^UNKNOWN_IDENTITY .* got "nobody"$/],
      ['as nobody', /^UNKNOWN_IDENTITY/],
      ['list', /^NO_IDENTITY/],
      ['browse', /^NO_IDENTITY/],
      ['stop', /^NO_TARGET expected a target, got none/],
      ['on %all stop', /^NO_TARGET expected at least one vessel in %all, got none: say "browse"/],
      ['show log', /^NO_TARGET/],
      ['add %all mygroup', /^USAGE expected "add \[TARGET\] \[to GROUP\]", got "mygroup" after its end$/],
      ['add', /^USAGE expected "add \[TARGET\] \[to GROUP\]", got neither$/],
      ['add %all', /^NO_TARGET expected a group to be named by "on", got none/],
      ['move %all to x', /^NO_TARGET expected a group/],
      ['on %all move %all to x', /^NO_TARGET expected a group .* got "%all"/],
      [`add %all 'to' mygroup`, /^USAGE/],
      ['add %all to %1', /^BAD_NAME expected a group name/],
      ['add %all to a:b', /^BAD_NAME/],
      ['remove %all from mygroup', /^UNKNOWN_TARGET expected a group, got "mygroup"$/],
      ['loadkeys nobody', /^KEY_FILE_MISSING/],
      ['loadkeys broken', /^KEY_FILE_BROKEN/],
      ['loadkeys nowhere/bob', /^KEY_FILE_MISSING/],
      ['genkeys nowhere/bob', /^ENOENT/],
      [`genkeys ''`, /^BAD_NAME/],
      [`genkeys 'a b'`, /^BAD_NAME/],
      ['on %all run nowhere.js', /^NO_TARGET/],
      ["upload 'x", /^BAD_QUOTING/],
    ];
    for (const [line, expected] of cases) {
      it(line === '' ? 'an empty line' : line, async () => {
        await writeFile(join(directory, 'broken.private.jwk'), '{}');
        assert.match(await errorOf(line), expected);
      });
    }

    const addresses = [
      '10.0.0.7',
      '10.0.0.7:',
      ':1224',
      '10.0.0.7:0',
      '10.0.0.7:65536',
      'a:1:2',
      'a:1:v0',
      '[::1',
      '::1:7',
    ];
    for (const address of addresses) {
      it(`contact ${address}`, async () => {
        await shell.execute('genkeys alice');
        assert.match(await errorOf(`contact ${address}`), /^BAD_ADDRESS expected HOST:PORT/);
      });
    }
  });

  it('throw nothing, whatever the line', async () => {
    const names = COMMANDS.flatMap(({ name }) => name.split(' ')).filter((name) => name !== 'genkeys');
    const word = fc.oneof(fc.constantFrom(...names, '%all', '%1', 'to', 'as', "'", '"'), fc.string());
    const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
    await fc.assert(
      fc.asyncProperty(line, async (source) => {
        const result = await shell.execute(source);
        assert.ok(result.ok || result.error !== undefined, source);
        assert.notEqual(result.error?.code, 'INTERNAL', source);
      }),
      { numRuns: 500 },
    );
  });

  it('have an example in the table that they understand, and a usage that names each argument once', () => {
    for (const { name, example, slots, summary } of COMMANDS) {
      const [plan] = shell.plan(example);
      assert.ok(plan !== undefined && example.split(' ').includes(name.split(' ')[0] ?? ''), name);
      assert.equal(new Set(slots.map((slot) => slot.name)).size, slots.length);
      assert.match(summary, /^[A-Z].*\.$/);
    }
  });

  describe('genkeys and loadkeys', () => {
    it('write a pair, the private part for its user alone, and load it as the default', async () => {
      const result = await shell.execute('genkeys alice');
      assert.equal(result.ok, true);
      assert.equal((await stat(join(directory, 'alice.private.jwk'))).mode & 0o777, 0o600);
      assert.equal(keyIdOf(await loadPublicKey(join(directory, 'alice.public.jwk'))), result.key);
      assert.equal(shell.prompt, 'alice@ !> ');
      const again = await new Shell({ directory }).execute('loadkeys alice as a2');
      assert.deepEqual([again.identity, again.key, again.isDefault], ['a2', result.key, true]);
    });

    it('keep the first default until "as"', async () => {
      await shell.execute('genkeys alice');
      assert.equal((await shell.execute('genkeys bob')).isDefault, false);
      assert.equal(shell.prompt, 'alice@ !> ');
      await shell.execute('as bob');
      assert.equal(shell.prompt, 'bob@ !> ');
    });

    it('never overwrite a key, and leave nothing half-written', async () => {
      await writeFile(join(directory, 'bob.public.jwk'), 'mine');
      assert.match(await errorOf('genkeys bob'), /^KEY_FILE_EXISTS/);
      assert.equal(await readFile(join(directory, 'bob.public.jwk'), 'utf8'), 'mine');
      await assert.rejects(stat(join(directory, 'bob.private.jwk')), { code: 'ENOENT' });
    });

    it('refuse two parts that do not belong together, and a private part that others can read', async () => {
      await shell.execute('genkeys alice');
      await shell.execute('genkeys bob');
      await writeFile(join(directory, 'alice.public.jwk'), await readFile(join(directory, 'bob.public.jwk')));
      assert.match(await errorOf('loadkeys alice'), /^KEY_FILE_BROKEN .*alice\.public\.jwk/);
      await chmod(join(directory, 'bob.private.jwk'), 0o644);
      assert.match(await errorOf('loadkeys bob'), /^KEY_FILE_EXPOSED/);
    });
  });

  describe('loadpub and loadpriv', () => {
    it('load one part of a pair: with the public one a key is named, but nothing signed', async () => {
      const { key } = await shell.execute('genkeys bob as first');
      assert.equal((await shell.execute('loadpub bob')).key, key);
      assert.match(
        await errorOf('as bob browse'),
        /^UNKNOWN_IDENTITY .* only the public key is loaded: say "loadpriv bob"$/,
      );
      const { keys } = (await shell.execute('show keys')) as unknown as { keys: Record<string, unknown>[] };
      assert.deepEqual(
        keys.map((row) => [row.name, row.key, row.private]),
        [
          ['first', key, true],
          ['bob', key, false],
        ],
      );
      await rm(join(directory, 'bob.public.jwk'));
      assert.equal((await shell.execute('loadpriv bob')).key, key);
      assert.equal((await shell.execute('as bob')).ok, true);
    });

    it('refuse the part of another pair', async () => {
      await shell.execute('genkeys alice');
      await shell.execute('genkeys bob');
      assert.match(await errorOf('loadpub bob as alice'), /^BAD_KEY expected the other part of alice, key /);
      assert.equal((await shell.execute('loadpub bob as carol')).ok, true);
      assert.match(await errorOf('loadpriv alice as carol'), /^BAD_KEY/);
    });
  });

  describe('add, remove and move', () => {
    const idsOf = async (line: string): Promise<unknown> => {
      const { ok, vessels } = await shell.execute(line);
      assert.equal(ok, true, line);
      return vessels;
    };
    beforeEach(() => {
      for (const number of [1, 2, 3]) knowVessel(shell, {}, `10.0.0.${number}`);
    });

    it('work on the group that "on" names where none is said', async () => {
      assert.deepEqual(await idsOf('add %1-%2 to lab'), ['%1', '%2']);
      assert.deepEqual(await idsOf('on lab add %3'), ['%1', '%2', '%3']);
      assert.deepEqual(await idsOf('on lab remove %1'), ['%2', '%3']);
    });

    it('move takes vessels out of one group into another, all or none', async () => {
      await idsOf('add %1-%2 to lab');
      const { vessels, from, left } = await shell.execute('on lab move %1 to broken');
      assert.deepEqual([vessels, from, left], [['%1'], 'lab', ['%2']]);
      assert.match(
        await errorOf('on lab move %2-%3 to broken'),
        /^UNKNOWN_TARGET expected vessels of lab, got %3 besides$/,
      );
      assert.match(await errorOf('on lab move %2 to a:b'), /^BAD_NAME/);
      assert.deepEqual(await idsOf('on lab move %2 to lab'), ['%2']);
    });
  });

  describe('timeout and uploadrate', () => {
    const bounds = [
      ['timeout', SETTING_LIMITS.timeoutLeastSeconds, SETTING_LIMITS.timeoutMostSeconds],
      ['uploadrate', SETTING_LIMITS.uploadrateLeastBytes, SETTING_LIMITS.uploadrateMostBytes],
    ] as const;
    for (const [name, least, most] of bounds) {
      it(`${name} is set from ${least} to ${most}, and shown`, async () => {
        for (const value of [least, most]) {
          assert.equal((await shell.execute(`set ${name} ${value}`)).ok, true);
          assert.equal((await shell.execute(`show ${name}`)).value, value);
        }
        for (const value of [least - 0.001, most + 1, '-1', 'x', '1e3', '']) {
          assert.match(await errorOf(`set ${name} '${value}'`), /^BAD_ARGUMENTS expected a number from /);
        }
        assert.equal((await shell.execute(`show ${name}`)).value, most);
      });
    }

    it('a node that takes a connection and stays silent is waited for as long as was said', async () => {
      await shell.execute('genkeys alice');
      await shell.execute('set timeout 1');
      const server = createServer((socket) => void socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      assert.match(await errorOf(`contact 127.0.0.1:${port}`), /^TIMEOUT/);
      await new Promise((resolve) => server.close(resolve));
    });
  });

  it('show and help give the shapes that the table declares', async () => {
    await shell.execute('genkeys alice');
    for (const line of [
      'show targets',
      'show groups',
      'show identities',
      'show keys',
      'loadpub alice',
      'loadpriv alice',
      'add %all to lab',
      'on lab move lab to other',
      'set timeout 5',
      'show timeout',
      'set uploadrate 5120',
      'show uploadrate',
      'set autosave off',
      'set showparse off',
      'help',
      'help show',
      'on %all',
      'as alice',
      'exit',
    ]) {
      const { command, ok, ...facts } = await shell.execute(line);
      assert.equal(ok, true, line);
      const row = COMMANDS.find(({ name }) => name === command);
      assert.deepEqual(row?.result.strict().parse(facts), facts);
    }
  });

  it('contact says in one sentence that nobody is there, or somebody else', async () => {
    await shell.execute('genkeys alice');
    const server = createServer(
      (socket) =>
        void socket
          .on('error', () => undefined)
          .resume()
          .end('hello\n'),
    ).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    assert.match(await errorOf(`contact 127.0.0.1:${port}`), /^UNREACHABLE/);
    await new Promise((resolve) => server.close(resolve));
    assert.match(await errorOf(`contact 127.0.0.1:${port}`), /^UNREACHABLE nobody can be reached at 127\.0\.0\.1:/);
  });

  it('a command that is cancelled before it begins does nothing', async () => {
    await shell.execute('genkeys alice');
    const { error } = await shell.execute('contact 127.0.0.1:9', { signal: AbortSignal.abort() });
    assert.equal(error?.code, 'CANCELLED');
  });
});
