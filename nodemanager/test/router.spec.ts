import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NodeLimits } from '../src/limits.ts';
import { routerIn } from '../src/router.ts';
import { Mapper, PUBLIC, TestRouter } from './routers.ts';

/** For routers that leave a question unanswered, whatever the time. */
const QUICK = { mappingAnswerMs: 100 };

describe('a hostile router', () => {
  const words = async (more: Partial<TestRouter>, limits: Partial<NodeLimits> = {}): Promise<string> => {
    await using router = await TestRouter.start(more);
    await using mapper = await Mapper.of(router, limits);
    assert.deepEqual([mapper.mapped, mapper.lines.length], [[], 1]);
    return mapper.mapper.words;
  };

  it('is not believed an address that is not on the open network, nor port 0', async () => {
    for (const publicHost of ['192.168.1.1', '10.0.0.1', '127.0.0.1', '100.64.0.1', '0.0.0.0', '169.254.169.254']) {
      assert.match(
        await words({ publicHost }),
        /expected a public address and port of the router, got \["[\d.]+",1224/,
      );
      assert.match(await words({ publicHost, speaks: ['upnp'] }), /expected a public address and port of the router/);
    }
    for (const publicHost of ['', 'router.example', '198.41.0.4/8', '1'.repeat(1000)]) {
      assert.match(await words({ publicHost, speaks: ['upnp'] }), /expected a public address and port of the router/);
    }
    assert.match(await words({ give: () => 0 }), /expected a public address and port/);
    assert.match(await words({ seconds: 0 }), /expected a public address and port/);
  });

  it('gets nowhere with datagrams that are short, long, of another kind or about another port', async () => {
    for (const bad of [
      () => [
        Buffer.alloc(0),
        Buffer.from([0]),
        Buffer.from([0, 128]),
        Buffer.from([0, 128, 0, 0, 1]),
        Buffer.alloc(60_000, 7),
      ],
      (right: Buffer) => [right.fill(1, 0, 1)],
      (right: Buffer) => [right.subarray(0, 11)],
    ]) {
      assert.match(await words({ datagrams: bad }, QUICK), /got no answer in time/);
    }
    assert.match(
      await words({ datagrams: (right) => [right.fill(0, 2, 4).fill(2, 3, 4)] }),
      /refusal: it does not allow it/,
    );
    const other = (right: Buffer): Buffer[] => [right.length > 12 ? right.fill(9, 8, 10) : right];
    assert.match(await words({ datagrams: other }), /expected an answer about port 1224, got one of another/);
    const much = (right: Buffer): Buffer[] => [...Array<Buffer>(50).fill(Buffer.from([0, 200, 0, 0])), right];
    await using router = await TestRouter.start({ datagrams: much });
    await using mapper = await Mapper.of(router);
    assert.deepEqual(mapper.mapped, [`${PUBLIC}:1224`]);
  });

  it('gets nowhere with pages that are no XML, deep, empty, or of other things', async () => {
    for (const body of [
      '',
      'nonsense',
      '<a>'.repeat(60_000),
      '<service/>',
      '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ]) {
      const text = await words({ speaks: ['upnp'], page: () => ({ body }) });
      assert.match(text, /expected the router at .* to map ports, it cannot/);
    }
    const page = (what: string, body: string) => (what === 'AddPortMapping' ? { status: 302, body } : { body });
    assert.match(await words({ speaks: ['upnp'], page }), /got a refusal: HTTP 302/);
  });

  it('mappingAnswerBytes: a page of as many is read, of one more it is not', async () => {
    const pad = (bytes: number) => (what: string, body: string) =>
      what === 'description' ? { body: body + ' '.repeat(bytes - body.length) } : { body };
    const limits = { mappingAnswerBytes: 5000 };
    await using router = await TestRouter.start({ speaks: ['upnp'], page: pad(5000) });
    await using mapper = await Mapper.of(router, limits);
    assert.deepEqual(mapper.mapped, [`${PUBLIC}:1224`]);
    const page = pad(5001);
    assert.match(await words({ speaks: ['upnp'], page }, limits), /expected at most 5000 bytes, got more/);
  });

  it('cannot make the node ask anybody else', async () => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked += 1;
      response.end();
    }).listen(0, '127.0.0.2');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const url of [
      `http://127.0.0.2:${port}/`,
      `https://127.0.0.1:${port}/`,
      'file:///etc/passwd',
      `http://a@127.0.0.1:${port}/`,
    ]) {
      assert.match(
        await words({ speaks: ['upnp'], location: () => url }),
        /expected a page of the router at 127\.0\.0\.1/,
      );
      assert.match(await words({ speaks: ['upnp'], controlUrl: url }), /expected a page of the router at 127\.0\.0\.1/);
    }
    assert.equal(asked, 0);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('the router of the default route', () => {
  it('is that of the least metric; other routes, and those without a router, are none', () => {
    const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
    const row = (gateway: string, metric: number, more: { to?: string; flags?: string } = {}): string =>
      `eth0\t${more.to ?? '00000000'}\t${gateway}\t${more.flags ?? '0003'}\t0\t0\t${metric}\t00000000\t0\t0\t0`;
    assert.equal(routerIn([head, row('010200C0', 100), row('0101A8C0', 50), ''].join('\n')), '192.168.1.1');
    assert.equal(
      routerIn([head, row('010200C0', 0, { to: '000200C0' }), row('00000000', 0, { flags: '0001' })].join('\n')),
      undefined,
    );
    assert.equal(routerIn(''), undefined);
  });
});
