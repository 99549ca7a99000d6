import assert from 'node:assert/strict';
import { lookupService } from 'node:dns/promises';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VesselInfo, VesselName } from '@potluck/protocol';
import { COMMANDS } from '../src/commands/table.ts';
import { CommandError } from '../src/errors.ts';
import { Shell } from '../src/index.ts';
import { styleOf } from '../src/style.ts';
import { knowVessel } from './support.ts';

describe('targets', () => {
  const shell = new Shell();
  const { targets } = shell.session;
  const idsOf = (expression: string) => targets.resolve(expression).map(({ id }) => id.slice(1));

  before(() => {
    const put = (number: number, facts: Partial<VesselInfo>) =>
      knowVessel(shell, facts, `10.0.${number % 2}.${number}`);
    put(1, {});
    put(2, { state: 'Started', program: 'hello.js' });
    put(3, { state: 'Terminated', program: 'ping.js', ending: { kind: 'error', message: 'x', exitCode: 1 } });
    put(4, { state: 'Terminated', program: 'hello.js', ending: { kind: 'limit', message: 'x', exitCode: 98 } });
    put(5, { state: 'Started', program: 'ping.js' });
    const about = (host: string, os: string, latencyMs: number) => {
      const { node } = knowVessel(shell, { name: 'v7' as VesselName }, host);
      targets.learn(node, { version: '1.2.3', os, arch: os === 'linux' ? 'x64' : 'arm64', latencyMs });
    };
    about('193.0.0.1', 'linux', 12.5);
    about('2001:db8::7', 'darwin', 50);
    about('41.0.0.1', 'linux', 310);
    targets.setGroup('broken', targets.resolve('%3,%4'));
    targets.setGroup('my-group', targets.resolve('%1'));
    targets.setGroup('none', []);
  });
  after(() => shell.stop());

  const cases: [expression: string, ids: string[]][] = [
    ['%all', ['1', '2', '3', '4', '5', '6', '7', '8']],
    ['%2-%4', ['2', '3', '4']],
    ['%2-4', ['2', '3', '4']],
    ['%5-%5', ['5']],
    ['%4,%1,%1', ['1', '4']],
    ['%1,broken', ['1', '3', '4']],
    ['my-group', ['1']],
    ['10.0.0.4:1224:v1', ['4']],
    ['%all - broken', ['1', '2', '5', '6', '7', '8']],
    ['%all - broken + %3', ['1', '2', '3', '5', '6', '7', '8']],
    ['%all - broken + %3 & %2-%5', ['2', '3', '5']],
    ['broken + none', ['3', '4']],
    ['broken & none', []],
    ['  broken   -   %3  ', ['4']],
    ['state=Started', ['2', '5']],
    ['state=started', ['2', '5']],
    ['state!=Started & %1-%5', ['1', '3', '4']],
    ['program=*.js', ['2', '3', '4', '5']],
    ['program!=hello.js & %1-%5', ['1', '3', '5']],
    ['program=h*', ['2', '4']],
    ['program=h?llo.js', []],
    ['host=10.0.0.*', ['2', '4']],
    ['ending=limit', ['4']],
    ['code>1', ['4']],
    ['code<=1', ['3']],
    ['code>=0', ['3', '4']],
    ['code<98', ['3']],
    ['state=Terminated & program=hello.js', ['4']],
    ['state=Fresh,state=Started', ['1', '2', '5', '6', '7', '8']],
    ['vessel=v2', []],
    ['port=1224', ['1', '2', '3', '4', '5', '6', '7', '8']],
    ['country=nl', ['6']],
    ['country=Netherlands', ['6']],
    ['country=N*', ['6']],
    ['%6-%8 & country!=NL', ['7', '8']],
    ['country=ZA,country=NL', ['6', '8']],
    ['os=linux', ['6', '8']],
    ['os=LIN*', ['6', '8']],
    ['%6-%8 - os=linux', ['7']],
    ['arch=arm64', ['7']],
    ['version=1.*', ['6', '7', '8']],
    ['latency<50', ['6']],
    ['latency<=50', ['6', '7']],
    ['latency=50', ['7']],
    ['latency!=50 & %6-%8', ['6', '8']],
    ['latency>50', ['8']],
    ['latency>=0', ['6', '7', '8']],
    ['country=NL & os=linux & latency<50', ['6']],
  ];
  for (const [expression, ids] of cases) {
    it(`"${expression}" means ${ids.map((id) => `%${id}`).join(' ') || 'none'}`, () => {
      assert.deepEqual(idsOf(expression), ids);
    });
  }

  const refused: [expression: string, expected: RegExp][] = [
    ['%0', /got "%0"/],
    ['%9', /got "%9"/],
    ['%0-%2', /known are %1 to %8\), got "%0-%2"$/],
    ['%4-%9', /got "%4-%9"$/],
    ['%4-%2', /the lower number first/],
    ['%all -', /expected a target on both sides of each sign, got "%all -"$/],
    ['%all broken', /expected "\+", "-" or "&" between two targets, got "broken"$/],
    ['- %1', /got "-"/],
    ['%1,', /on both sides/],
    ['', /on both sides/],
    ['contry=NL', /expected a condition on one of .*, got "contry=NL": did you mean "country"\?$/],
    ['country=XX', /expected a country, such as NL or Netherlands, got "XX"/],
    ['country=Netherland', /did you mean "Netherlands"\?$/],
    ['state=Startd', /expected a state, one of Fresh, .*, got "Startd": did you mean "Started"\?$/],
    ['state<Started', /expected "state=" or "state!=", for it is no number, got "state<Started"$/],
    ['os>linux', /for it is no number/],
    ['latency<fast', /expected a number after "latency<", got "fast"$/],
    ['latency=fast', /expected a number after "latency=", got "fast"$/],
    ['latency<5*', /for it is no number|expected/],
    ['colour=red', /expected a condition on one of state, .*, got "colour=red"$/],
    ['constructor=x', /expected a condition/],
    ['state=', /expected a value after "state=", got none$/],
    ['code>many', /expected a number after "code>", got "many"$/],
    ['brokne', /did you mean "broken"/],
    ['%1,'.repeat(1366), /at most 4096 characters, got one of 4098/],
  ];
  for (const [expression, expected] of refused) {
    it(`"${expression.slice(0, 20)}" is refused`, () => {
      assert.throws(
        () => targets.resolve(expression),
        (error) => error instanceof CommandError && error.code === 'UNKNOWN_TARGET' && expected.test(error.message),
      );
    });
  }

  it('a target of 4096 characters is read', () => {
    assert.deepEqual(idsOf(`${'%1,'.repeat(1364)}%2-4`), ['1', '2', '3', '4']);
  });

  it('of several words stand before a command, as a default and inside of a command', async () => {
    const [plan] = shell.plan('on %all - broken + %3 show files');
    assert.deepEqual([plan?.parsed?.command.name, plan?.parsed?.targetName], ['show files', '%all - broken + %3']);
    assert.deepEqual(await shell.execute('on %all - broken'), {
      command: 'on',
      ok: true,
      target: '%all - broken',
      vessels: 6,
    });
    assert.equal(shell.prompt, '@%all - broken !> ');
    assert.deepEqual((await shell.execute('add to rest')).vessels, ['%1', '%2', '%5', '%6', '%7', '%8']);
    assert.deepEqual((await shell.execute('add %1-%2 & state=Started to one')).vessels, ['%2']);
    assert.deepEqual((await shell.execute('remove state=Started - %5 + %6-%8 from rest')).vessels, ['%1', '%5']);
  });

  it('a quoted sign is a word of the command', () => {
    const [plan] = shell.plan(`on %1 start hello.js '-' x`);
    assert.deepEqual(
      plan?.parsed?.words.map(({ text }) => text),
      ['hello.js', '-', 'x'],
    );
    assert.throws(() => shell.plan(`on %1 '-' %2 list`), { code: 'UNKNOWN_COMMAND' });
    assert.throws(() => shell.plan('on %1 - %2 as bob'), { code: 'USAGE' });
  });

  it('what nodes said of themselves comes back with a state', () => {
    const again = new Shell();
    again.session.targets.restore(targets.snapshot());
    assert.deepEqual(
      again.session.targets.resolve('latency<50 & os=linux').map(({ id }) => id),
      ['%6'],
    );
  });

  it('of some country are asked about in any order of their addresses, and by name', async () => {
    const result = await shell.execute('on %1,%6,%7 show location');
    const rows = (result.vessels as Record<string, unknown>[]).map(({ id, ip, country, countryName }) => [
      id,
      ip,
      country,
      countryName,
    ]);
    assert.deepEqual(rows, [
      ['%1', '10.0.1.1', undefined, undefined],
      ['%6', '193.0.0.1', 'NL', 'Netherlands'],
      ['%7', '2001:db8::7', undefined, undefined],
    ]);
    const text = COMMANDS.find(({ name }) => name === 'show location')?.render({ ...result }, styleOf(false)) ?? '';
    assert.match(
      text,
      /%1 .*not on the map\n%6 .*NL +Netherlands\n[\s\S]*IP Geolocation by DB-IP \(https:\/\/db-ip\.com\)$/,
    );
    const { vessels } = await shell.execute('on %6 show coordinates');
    const [{ latitude, longitude } = {}] = vessels as { latitude?: number; longitude?: number }[];
    assert.ok(Math.abs((latitude ?? 0) - 52) < 1 && Math.abs((longitude ?? 0) - 5.5) < 1);
  });

  it('show ip and show hostname ask no node; the addresses go into a file, each once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'seash-ip-'));
    const local = new Shell({ directory });
    for (const name of ['v1', 'v2']) knowVessel(local, { name: name as VesselName }, '127.0.0.1');
    knowVessel(local, {}, 'localhost');
    const { vessels } = await local.execute('show ip to ips.txt');
    assert.deepEqual(
      (vessels as { ip: string }[]).slice(0, 2).map(({ ip }) => ip),
      ['127.0.0.1', '127.0.0.1'],
    );
    assert.match(await readFile(join(directory, 'ips.txt'), 'utf8'), /^127\.0\.0\.1\n(::1\n)?$/);
    const names = await local.execute('on %1 show hostname');
    assert.deepEqual(
      (names.vessels as { hostname: string }[]).map(({ hostname }) => hostname),
      [(await lookupService('127.0.0.1', 0)).hostname],
    );
    for (const line of ['show ip', 'show ip to again.txt', 'show hostname', 'show location', 'show coordinates']) {
      const { command, ok, ...facts } = await local.execute(line);
      assert.equal(ok, true);
      assert.deepEqual(
        COMMANDS.find(({ name }) => name === command)
          ?.result.strict()
          .parse(facts),
        facts,
      );
    }
    await local.stop();
    await rm(directory, { recursive: true });
  });
});
