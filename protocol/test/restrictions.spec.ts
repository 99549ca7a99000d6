import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ConfigError, formatRestrictions, LIMITS, parseRestrictions } from '../src/index.ts';

const MINIMUM = 'resource cpu .1\nresource memory 1e7\nresource diskused 100\n';

function refusal(text: string): ConfigError {
  try {
    parseRestrictions(text, 'demo.resources');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'RESTRICTIONS_BROKEN');
    return error;
  }
  assert.fail(`expected a refusal of ${text}`);
}

describe('a restrictions file', () => {
  it('gives each quantity, the ports and the destinations; what is not named is 0', () => {
    const text = `# a comment\r\n${MINIMUM}resource messport 54321 # seed\r\nresource connport 80\ndestination allow 10.0.0.0/8 80-90\n`;
    const { quantities, messport, connport, destinations } = parseRestrictions(text);
    assert.equal(quantities.cpu, 0.1);
    assert.equal(quantities.memory, 1e7);
    assert.equal(quantities.events, 0);
    assert.deepEqual([...messport], [54321]);
    assert.deepEqual([...connport], [80]);
    assert.deepEqual(destinations, [{ action: 'allow', network: '10.0.0.0/8', ports: { first: 80, last: 90 } }]);
  });

  it('is refused with the file and the line of the fault', () => {
    const faults: [string, RegExp][] = [
      ['resource cpus 1', /expected one of cpu .*got "cpus"/],
      ['resource cpu', /expected "resource NAME VALUE"/],
      ['resource events 1 2', /expected "resource NAME VALUE"/],
      ['resource events many', /expected a number .*got "many"/],
      ['resource events -1', /expected a number/],
      ['resource events 0x10', /expected a number/],
      ['resource events Infinity', /expected a number/],
      ['resource events 1.5', /expected a whole number/],
      ['resource lograte .5', /expected a whole number/],
      ['resource netsend 9007199254740992', /expected at most 9007199254740991 for netsend/],
      ['resource cpu 1', /expected cpu once/],
      ['resource messport 0', /expected a port of 1 to 65535/],
      ['resource messport 65536', /expected a port of 1 to 65535/],
      ['call open allow', /expected "resource" or "destination", got "call"/],
      ['destination open 10.0.0.1', /expected "destination allow\|deny/],
      ['destination allow example.org', /expected an IP address/],
      ['destination allow 10.0.0.1/33', /expected an IP address/],
      ['destination allow fe80::1%lo', /expected an IP address/],
      ['destination allow 10.0.0.1/8/8', /expected an IP address/],
      ['destination allow ::ffff:10.0.0.1/90', /expected a network of IPv4 or of IPv6 addresses/],
      ['destination allow 10.0.0.1 80 90', /expected "destination allow\|deny/],
      ['destination allow', /expected "destination allow\|deny/],
      ['destination allow 10.0.0.1 90-80', /expected PORT or PORT-PORT/],
    ];
    for (const [line, message] of faults) {
      const { message: got } = refusal(`${MINIMUM}${line}\n`);
      assert.match(got, message);
      assert.match(got, /^demo\.resources:4: /);
    }
  });

  it('has one spelling for each network', () => {
    const lines = ['0:0::1', '::ffff:10.0.0.0/104', '2A00::/16', '10.0.0.1'].map(
      (network) => `destination deny ${network}`,
    );
    const { destinations } = parseRestrictions(`${MINIMUM}${lines.join('\r\n')}`);
    assert.deepEqual(
      destinations.map(({ network }) => network),
      ['::1/128', '10.0.0.0/8', '2a00::/16', '10.0.0.1/32'],
    );
  });

  it('keeps cpu in millionths of a core, and the greatest whole number', () => {
    const text = 'resource memory 9007199254740991\nresource diskused 1\nresource cpu 0.3333333333\n';
    const { quantities } = parseRestrictions(text);
    assert.deepEqual([quantities.cpu, quantities.memory], [0.333333, Number.MAX_SAFE_INTEGER]);
  });

  it('is refused when cpu, memory or diskused is missing', () => {
    assert.match(refusal('resource cpu 1\n').message, /missing: memory, diskused/);
  });

  it('may be as long as the limits say, and not longer', () => {
    const comment = '#'.repeat(LIMITS.restrictionsBytes - MINIMUM.length);
    parseRestrictions(MINIMUM + comment);
    refusal(`${MINIMUM + comment}#`);
    const lines = '\n'.repeat(LIMITS.restrictionsLines - 4);
    parseRestrictions(MINIMUM + lines);
    refusal(`${MINIMUM + lines}\n`);
  });

  it('comes back the same from its own text form', () => {
    const port = fc.integer({ min: 1, max: 65535 });
    const arbitrary = fc.record({
      cpu: fc.double({ min: 0, max: 64, noNaN: true }),
      events: fc.nat(),
      messports: fc.uniqueArray(port, { maxLength: 20 }),
      last: port,
    });
    fc.assert(
      fc.property(arbitrary, ({ cpu, events, messports, last }) => {
        const ports = messports.map((value) => `resource messport ${value}\n`).join('');
        const text = `resource cpu ${cpu}\nresource memory 5\nresource diskused 5\nresource events ${events}\n${ports}destination deny fd00::/8 1-${last}\n`;
        const parsed = parseRestrictions(text);
        assert.deepEqual(parseRestrictions(formatRestrictions(parsed)), parsed);
      }),
    );
  });

  it('never fails in another way, whatever the text', () => {
    const word = fc.constantFrom(
      'resource',
      'destination',
      'cpu',
      'messport',
      'allow',
      '1',
      '1e999',
      '::/0',
      '#',
      '\n',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (words) => {
        try {
          parseRestrictions(words.join(' '));
        } catch (error) {
          assert.ok(error instanceof ConfigError);
        }
      }),
    );
  });
});
