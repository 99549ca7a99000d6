import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FileName, VesselName } from '@potluck/protocol';
import { loadConfig, type NodeConfig } from '../src/config.ts';
import { NODE_LIMITS } from '../src/limits.ts';
import { networkOf } from '../src/network.ts';
import { RESTRICTIONS, TemporaryDirectory, TestNode } from './support.ts';

const vessel = 'v1' as VesselName;
const NETWORK = fileURLToPath(new URL('../src/network.ts', import.meta.url));
const RATES = ['netsend', 'netrecv', 'loopsend', 'looprecv'].map((name) => `resource ${name} 1000000`);

/** Runs a program in a vessel of a node to its end. @returns its log */
async function runOn(node: TestNode, source: string): Promise<string> {
  const client = await node.client(node.user);
  const program = 'program.js' as FileName;
  await client.call('AddFileToVessel', { vessel, name: program }, { attachment: Buffer.from(source) });
  await client.call('StartVessel', { vessel, program, args: [] });
  // Only a request can tell; this is how a shell waits.
  while ((await client.call('GetVessels', {})).result.vessels[0]?.state === 'Started') await delay(10);
  return Buffer.from((await client.call('ReadVesselLog', { vessel })).attachment).toString();
}

describe('the network of a node', () => {
  it('is what its owner opens, and never what its owner closes, whatever a vessel was given', async () => {
    await using node = await TestNode.start({
      config: { destinations: ['deny 127.0.5.2', 'allow 127.0.5.0/24 7000-7001', 'deny 8.8.4.0/24'] },
      restrictions: [
        RESTRICTIONS,
        ...RATES,
        'destination allow 127.0.5.2',
        'destination deny 127.0.5.3',
        'destination allow 127.0.5.4',
      ].join('\n'),
    });
    const source = `for (const [ip, port] of [['127.0.5.1', 7000], ['127.0.5.1', 7002], ['127.0.5.2', 7000], ['127.0.5.3', 7000], ['127.0.5.4', 7002], ['8.8.4.4', 7000]])
      await sendmess(ip, port, 'x').then(() => log('ok '), (error) => log(error.code + ' '));`;
    const no = 'RESOURCE_FORBIDDEN';
    assert.equal(await runOn(node, source), `ok ${no} ${no} ${no} ok ${no} `);
  });

  it('has the name servers of its configuration', async () => {
    await using server = createSocket('udp4');
    let asked = 0;
    server.on('message', (query, from) => {
      asked += 1;
      // There is no such name.
      query.writeUInt16BE(0x8183, 2);
      server.send(query, from.port, from.address);
    });
    server.bind(0, '127.0.5.9');
    await once(server, 'listening');
    await using node = await TestNode.start({
      config: { nameServers: [`127.0.5.9:${server.address().port}`] },
      restrictions: [RESTRICTIONS, ...RATES, 'resource messport 5001'].join('\n'),
    });
    const source =
      "log(await gethostbyname('localhost') + ' '); await gethostbyname('a.example.org').catch((error) => log(error.code));";
    assert.equal(await runOn(node, source), '127.0.0.1 NETWORK_ADDRESS');
    assert.equal(asked, 2);
  });

  it('is refused in a configuration that is wrong, with the place', async () => {
    await using directory = await TemporaryDirectory.make();
    const path = `${directory.path}/nodemanager.json`;
    const base = { listen: { host: '127.0.0.1', port: 0 }, vessels: [] };
    const rule = 'deny 203.0.113.0/24 1-80';
    const right = {
      destinations: Array<string>(NODE_LIMITS.destinations).fill(rule),
      nameServers: Array<string>(NODE_LIMITS.nameServers).fill('[::1]:5353'),
    };
    for (const [network, expected] of [
      [right, undefined],
      [{ destinations: [rule, 'open 10.0.0.1'] }, /destinations\[1\]: expected "destination allow\|deny/],
      [{ destinations: ['allow example.org'] }, /destinations\[0\]: expected an IP address/],
      [{ destinations: ['deny 10.0.0.1\ndeny 10.0.0.2'] }, /destinations\[0\]: expected/],
      [{ destinations: [...right.destinations, rule] }, /destinations: .*256/],
      [{ nameServers: ['dns.example.org'] }, /nameServers\[0\]: expected the IP address of a name server/],
      [{ nameServers: [] }, /nameServers: /],
      [{ nameServers: [...right.nameServers, '::1'] }, /nameServers: .*8/],
    ] as const) {
      await writeFile(path, JSON.stringify({ ...base, ...network }));
      if (expected === undefined) await loadConfig(path);
      else await assert.rejects(loadConfig(path), expected);
    }
  });
});

describe('the addresses of a node', () => {
  const addressesOf = async (config: Pick<NodeConfig, 'listen' | 'advertise'>) => {
    const { address, addresses, elsewhere } = await networkOf(config)();
    return { address, addresses, elsewhere };
  };
  const all = { host: '0.0.0.0', port: 1224 };

  it('are the one that it listens on', async () => {
    for (const [host, address] of [
      ['127.0.5.1', '127.0.5.1'],
      ['0:0::1', '::1'],
      ['localhost', '127.0.0.1'],
    ] as const)
      assert.deepEqual(await addressesOf({ listen: [{ host, port: 1224 }] }), {
        address,
        addresses: [address],
        elsewhere: [],
      });
  });

  it('are those that it advertises and has; of a router in front of it, programs have none', async () => {
    const advertise = ['203.0.113.9', 'node.example.org', '127.0.0.1'].map((host) => ({ host, port: 1224 }));
    const { address, addresses, elsewhere } = await addressesOf({ listen: [all], advertise });
    assert.deepEqual([address, addresses?.includes('203.0.113.9'), elsewhere], ['127.0.0.1', false, ['203.0.113.9']]);
  });

  /** What `networkOf` says in a network of its own, after some commands. */
  const within = (commands: string, interfaces?: object): { address: string; addresses: string[] } => {
    const script = `import { networkOf } from ${JSON.stringify(NETWORK)};
      console.log(JSON.stringify(await networkOf({ listen: [{ host: '::', port: 1224 }], advertise: [{ host: 'node.example.org', port: 1 }] }${interfaces === undefined ? '' : `, () => (${JSON.stringify(interfaces)})`})()));`;
    const shell = `ip link set lo up\n${commands}\nexec "$@"`;
    const node = [process.execPath, '--input-type=module', '-e', script];
    const { status, stdout, stderr } = spawnSync('unshare', ['-rn', 'sh', '-ec', shell, 'sh', ...node]);
    assert.equal(status, 0, String(stderr));
    const { address, addresses } = JSON.parse(String(stdout));
    return { address, addresses };
  };

  describe('in a network of its own', () => {
    before(function () {
      if (spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).status !== 0) this.skip();
    });

    it('are none without any but loopback', () => {
      assert.deepEqual(within(''), { address: '', addresses: [] });
    });

    it('are of IPv6 on a machine that has no IPv4', () => {
      const commands = 'ip addr add 2a00:1::7/64 nodad dev lo\nip -6 route add default dev lo';
      assert.deepEqual(within(commands), { address: '2a00:1::7', addresses: ['2a00:1::7'] });
    });

    it('are of several those on the way to the Internet, IPv4 first', () => {
      const commands = `ip addr add 10.7.0.1/24 dev lo\nip addr add 10.8.0.1/24 dev lo\nip addr add 2a00:1::7/64 nodad dev lo
        ip route add default dev lo src 10.8.0.1\nip -6 route add default dev lo`;
      assert.deepEqual(within(commands), { address: '10.8.0.1', addresses: ['10.8.0.1', '2a00:1::7'] });
    });

    it('are those of the local network without a way out of it', () => {
      const lan = ['fe80::9/64', '2a00:1::7/64', '169.254.0.9/16', '10.7.0.1/24'].map((cidr) => ({
        cidr,
        address: cidr.split('/')[0],
        internal: false,
      }));
      assert.deepEqual(within('', { lan }), { address: '10.7.0.1', addresses: ['10.7.0.1', '2a00:1::7'] });
    });
  });
});
