import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InstallError } from '../src/errors.ts';
import { parseInstallOptions } from '../src/options.ts';

function refusal(...args: string[]): string {
  try {
    parseInstallOptions(args);
  } catch (error) {
    assert.ok(error instanceof InstallError);
    assert.equal(error.code, 'USAGE');
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail(`expected ${args.join(' ')} to be refused`);
}

describe('the options of install.sh', () => {
  it('are 10 percent, ~/.potluck, port 1224 and vessel ports from 63100 on, unless said otherwise', () => {
    const { address, ...rest } = parseInstallOptions([]);
    assert.notEqual(isIP(address), 0);
    assert.deepEqual(rest, {
      percent: 10,
      directory: process.getuid?.() === 0 ? '/opt/potluck' : join(homedir(), '.potluck'),
      port: 1224,
      portBase: 63100,
      destinations: [],
      denied: [],
      start: true,
    });
  });

  for (const percent of ['0', '51', '-1', '1e1', '10%', '', '7.5', '0x10']) {
    it(`refuse ${percent === '' ? 'an empty' : percent} --percent and state the range`, () => {
      assert.equal(
        refusal(`--percent=${percent}`),
        `expected --percent to be a whole number of 1 to 50, got "${percent}"`,
      );
    });
  }

  it('take 1 and 50 percent', () => {
    assert.equal(parseInstallOptions(['--percent', '1']).percent, 1);
    assert.equal(parseInstallOptions(['--percent', '50']).percent, 50);
  });

  it('refuse vessel ports that would not fit below 65536', () => {
    assert.equal(parseInstallOptions(['--port-base', '65486']).portBase, 65486);
    assert.match(refusal('--port-base', '65487'), /of 1024 to 65486, got "65487"/);
    assert.match(refusal('--port-base', '1023'), /of 1024 to/);
  });

  it('refuse a port or an address that is none', () => {
    assert.match(refusal('--port', '65536'), /--port to be a whole number of 0 to 65535/);
    assert.match(refusal('--address', 'localhost'), /--address to be an IP address of this machine, got "localhost"/);
  });

  it('take parts of the own network as destinations, in the words of a restrictions file', () => {
    const { destinations } = parseInstallOptions([
      '--allow-destination',
      '127.0.0.0/8 63100-63179',
      '--allow-destination',
      '10.0.0.7',
    ]);
    assert.deepEqual(destinations, [
      { action: 'allow', network: '127.0.0.0/8', ports: { first: 63100, last: 63179 } },
      { action: 'allow', network: '10.0.0.7/32', ports: { first: 1, last: 65535 } },
    ]);
  });

  for (const text of ['everything', '10.0.0.0/33', '10.0.0.1 0', '10.0.0.1\nresource cpu 9', '10.0.0.1 # all']) {
    it(`refuse the destination ${JSON.stringify(text)}`, () => {
      const message = `expected --allow-destination "ADDRESS[/N] [PORT[-PORT]]", got ${JSON.stringify(text)}`;
      assert.equal(refusal('--allow-destination', text), message);
    });
  }

  it('refuse what is no option, by name', () => {
    assert.match(refusal('--percentage', '5'), /'--percentage'/);
    assert.match(refusal('now'), /'now'/);
    assert.match(refusal('--percent'), /--percent/);
  });

  it('take destinations that no program may reach', () => {
    const { denied } = parseInstallOptions(['--deny-destination=203.0.113.0/24', '--deny-destination', '0:0::1 22']);
    assert.deepEqual(denied, ['deny 203.0.113.0/24', 'deny ::1/128 22-22']);
    assert.match(refusal('--deny-destination', 'nothing'), /expected --deny-destination "ADDRESS/);
  });

  it('refuse more destinations than the limit', () => {
    const most = Array.from({ length: 64 }, () => '--allow-destination=10.0.0.1');
    assert.equal(parseInstallOptions(most).destinations.length, 64);
    assert.match(refusal(...most, '--allow-destination=10.0.0.1'), /at most 64 times, got it 65 times/);
  });
});
