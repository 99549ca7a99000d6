import assert from 'node:assert/strict';
import { canonicalAddress, DestinationPolicy, innerAddresses, interfacesOf, parseDestination } from '../src/index.ts';

const OWN = '192.168.1.7';
const PORTS = new Set([5001]);

interface Given {
  readonly node?: readonly string[];
  readonly vessel?: readonly string[];
  readonly interfaces?: readonly string[];
}

function policyOf({
  node = [],
  vessel = [],
  interfaces = [],
}: Given = {}): (address: string, port?: number) => boolean {
  const policy = new DestinationPolicy({
    addresses: [OWN, '2a00:1::7'],
    interfaces: ['127.0.0.1/8', '192.168.1.7/24', '2a00:1::7/64', '8.8.9.7/24', ...interfaces],
    rules: [node.map(parseDestination), vessel.map(parseDestination)],
  });
  return (address, port = 80) => policy.allows(address, port, PORTS);
}

describe('an address', () => {
  it('has one spelling', () => {
    for (const [given, spelled] of [
      ['8.8.4.4', '8.8.4.4'],
      ['0:0:0:0:0:0:0:1', '::1'],
      ['2A00:0001:0:0::7', '2a00:1::7'],
      ['::ffff:127.0.0.1', '127.0.0.1'],
      ['::FFFF:7f00:1', '127.0.0.1'],
      ['0:0:0:0:0:ffff:8.8.4.4', '8.8.4.4'],
      ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1'],
    ] as const) {
      assert.equal(canonicalAddress(given), spelled, given);
    }
  });

  it('is nothing else that some system takes for one', () => {
    for (const text of [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '2130706433',
      '127.0.0.01',
      ' 127.0.0.1',
      'fe80::1%eth0',
      '[::1]',
      '::1/128',
    ])
      assert.equal(canonicalAddress(text), undefined, text);
  });

  it('of IPv6 may hold others of IPv4, to which gateways would take a packet', () => {
    assert.deepEqual(innerAddresses('64:ff9b::a00:1'), ['10.0.0.1']);
    assert.deepEqual(innerAddresses('2002:a00:1::'), ['10.0.0.1']);
    // A server of 8.8.4.4 and a client of 10.0.0.1, turned.
    assert.deepEqual(innerAddresses('2001:0:808:404::f5ff:fffe'), ['8.8.4.4', '10.0.0.1']);
    assert.deepEqual(innerAddresses('2a00:1::7'), []);
    assert.deepEqual(innerAddresses('10.0.0.1'), []);
  });
});

describe('the destinations of a vessel', () => {
  it('are the open network, IPv4 and IPv6, also through a translation to IPv4', () => {
    for (const address of ['8.8.4.4', '223.255.255.254', '2a00:2::1', '2606:4700::1111', '64:ff9b::808:404'])
      assert.ok(policyOf()(address), address);
  });

  it('are nothing of the donor, nor what is no place', () => {
    const closed =
      '0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 192.0.0.192 192.168.1.1 192.168.1.7 ' +
      '192.88.99.1 198.18.0.1 203.0.113.5 224.0.0.1 239.255.255.250 255.255.255.255 100.100.100.200 8.8.9.1 8.8.9.255 ' +
      ':: ::1 ::2 ::7f00:1 ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::c0a8:101 64:ff9b:1::808:404 2001:0:808:404::f5ff:fffe ' +
      '2002:808:404:: 2002:a00:1:: 2a00:1::7 2a00:1::8 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fec0::1 ff02::1 2001:db8::1';
    for (const address of closed.split(' ')) assert.ok(!policyOf()(address), address);
  });

  it('are on its own machine its own ports and no others, at loopback and at the addresses it may listen at', () => {
    for (const address of ['127.0.0.1', '::1', OWN, '2a00:1::7']) {
      assert.ok(policyOf()(address, 5001), address);
      assert.ok(!policyOf()(address, 5002), address);
    }
    for (const address of ['127.0.0.2', '8.8.9.7']) assert.ok(!policyOf()(address, 5001), address);
    assert.ok(policyOf()('64:ff9b::7f00:1', 5001), 'a detour to an open port is an open port');
  });

  it('are opened and closed by the first rule that matches, with its ports', () => {
    const allows = policyOf({
      vessel: ['allow 10.0.0.7 5000-5999', 'deny 10.0.0.0/8', 'deny 8.8.4.4', 'allow fd00::/16'],
    });
    assert.deepEqual(
      [4999, 5000, 5999, 6000].map((port) => allows('10.0.0.7', port)).concat(allows('10.0.0.8', 5000)),
      [false, true, true, false, false],
    );
    assert.deepEqual([allows('8.8.4.4'), allows('8.8.4.5'), allows('fd00:1::1')], [false, true, true]);
  });

  it('of two lists are what one opens and none closes: a deny of the node or the vessel wins', () => {
    const rules = ['allow 10.0.0.0/8', 'deny 10.0.0.0/8'] as const;
    for (const node of [[], ...rules.map((rule) => [rule])]) {
      for (const vessel of [[], ...rules.map((rule) => [rule])]) {
        const both = [...node, ...vessel];
        const expected = both.includes(rules[0]) && !both.includes(rules[1]);
        assert.equal(policyOf({ node, vessel })('10.1.2.3'), expected, JSON.stringify({ node, vessel }));
      }
    }
    assert.ok(!policyOf({ node: ['deny 127.0.0.1 5001'] })('127.0.0.1', 5001));
  });

  it('are never this machine, nor a metadata service, by a rule for a whole network', () => {
    const wide = policyOf({ node: ['allow 0.0.0.0/0', 'allow ::/0'] });
    for (const address of [
      '127.0.0.1',
      '127.0.0.2',
      OWN,
      '8.8.9.7',
      '::1',
      '2a00:1::7',
      '169.254.169.254',
      '100.100.100.200',
      'fd00:ec2::254',
      '0.0.0.0',
      '::',
      '::7f00:1',
      '64:ff9b::7f00:1',
      '2002:a9fe:a9fe::',
    ])
      assert.ok(!wide(address), address);
    for (const address of ['192.168.1.8', '8.8.9.8', '2a00:1::8', 'fd00::9', '169.254.1.1', '64:ff9b::a00:1'])
      assert.ok(wide(address), address);
    const named = policyOf({ node: [`allow ${OWN} 22`, 'allow 127.0.0.0/16', 'allow 169.254.169.254'] });
    for (const address of [OWN, '127.0.0.1', '127.0.3.4', '169.254.169.254']) assert.ok(named(address, 22), address);
    assert.ok(!named(OWN, 23));
  });

  it('inside an IPv6 address are judged as what they are', () => {
    const allows = policyOf({ node: ['deny 8.8.4.4', 'allow 64:ff9b::/96', 'allow 10.0.0.1', 'allow 2002::/16'] });
    assert.deepEqual(
      ['64:ff9b::808:404', '64:ff9b::a00:1', '64:ff9b::a00:2', '2002:a00:1::', '2002:a00:2::'].map((at) => allows(at)),
      [false, true, false, true, false],
    );
  });

  it('are known by name only where some port may be reached', () => {
    const policy = new DestinationPolicy({
      addresses: [OWN],
      interfaces: [],
      rules: [
        [parseDestination('deny 8.8.4.4'), parseDestination('deny 8.8.4.5 1-1023')],
        [parseDestination('allow 10.0.0.1 700')],
      ],
    });
    const opens = (address: string, ports = PORTS) => policy.opens(address, ports);
    assert.deepEqual(
      ['8.8.8.8', '8.8.4.4', '8.8.4.5', '10.0.0.1', '10.0.0.2', '127.0.0.1', '127.0.0.2'].map((address) =>
        opens(address),
      ),
      [true, false, true, true, false, true, false],
    );
    assert.equal(opens('127.0.0.1', new Set()), false);
  });

  it('are known by name exactly where a port may be reached', () => {
    // On both sides of whatever these rules and ports bound.
    const probes = [1, 399, 400, 449, 450, 451, 452, 500, 501, 5000, 5001, 5002, 65534, 65535];
    const lists: readonly (readonly string[])[] = [
      ['deny 0.0.0.0/0 1-65534'],
      ['allow 10.0.0.0/8 400-500', 'deny 0.0.0.0/0'],
      ['deny 10.0.0.0/8 1-449', 'allow 10.0.0.1 1-450', 'deny 0.0.0.0/0'],
      ['deny 0.0.0.0/0 1-450', 'deny 8.8.0.0/16 452-65535'],
      ['allow 64:ff9b::/96 451', 'deny ::/0'],
    ];
    for (const node of lists) {
      for (const vessel of lists) {
        const rules = [node.map(parseDestination), vessel.map(parseDestination)] as const;
        const policy = new DestinationPolicy({ addresses: [OWN], interfaces: [], rules });
        for (const address of ['8.8.4.4', '10.0.0.1', '10.0.0.2', OWN, '127.0.0.2', '64:ff9b::a00:1', '0.0.0.0']) {
          const open = probes.some((port) => policy.allows(address, port, PORTS));
          assert.equal(policy.opens(address, PORTS), open, `${address} by ${node} and ${vessel}`);
        }
      }
    }
  });
});

describe('the addresses of a machine', () => {
  it('are told with the networks they are on', () => {
    const found = {
      lo: [{ cidr: '127.0.0.1/8' }, { cidr: '::1/128' }],
      eth0: [{ cidr: null }, { cidr: '2A00:1:0::7/64' }],
      none: undefined,
    };
    assert.deepEqual(interfacesOf(found), ['127.0.0.1/8', '::1/128', '2a00:1::7/64']);
  });
});
