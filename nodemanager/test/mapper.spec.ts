import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { addressText, verifyAdvertisement } from '@potluck/protocol';
import { examine } from '../src/doctor.ts';
import { describeStatus, statusOf } from '../src/status.ts';
import { fault, HERE, Mapper, PUBLIC, TestRouter } from './routers.ts';
import { TestNode } from './support.ts';

describe('port mapping', () => {
  it('opens each port on the router by NAT-PMP, and closes it at the end', async () => {
    await using router = await TestRouter.start();
    const mapper = await Mapper.of(router, {}, [HERE, { host: '0.0.0.0', port: 1225 }, { host: '::1', port: 1226 }]);
    assert.deepEqual(mapper.mapped, [`${PUBLIC}:1224`, `${PUBLIC}:1225`]);
    assert.deepEqual([...router.open.keys()], [1224, 1225]);
    assert.match(mapper.mapper.words, /^NAT-PMP of the router: others come in by 198\.41\.0\.4:1224, /);
    await mapper.mapper.stop();
    assert.deepEqual([router.open.size, mapper.lines.length], [0, 1]);
    assert.ok(!router.asked.some(({ what }) => what === 'search'), 'UPnP is for routers without NAT-PMP');
  });

  it('opens it by UPnP where NAT-PMP is not allowed, and closes it at the end', async () => {
    await using router = await TestRouter.start({ speaks: ['upnp'] });
    const mapper = await Mapper.of(router);
    assert.deepEqual([mapper.mapped, [...router.open]], [[`${PUBLIC}:1224`], [[1224, 1224]]]);
    const added = router.asked.find(({ what }) => what === 'AddPortMapping')?.text ?? '';
    assert.match(added, /<NewProtocol>TCP<.*<NewInternalClient>127\.0\.0\.1<.*<NewLeaseDuration>1800</s);
    await mapper.mapper.stop();
    assert.deepEqual([router.open.size, router.asked.at(-1)?.what], [0, 'DeletePortMapping']);
  });

  it('takes another port where the router has given that one away, and keeps it', async () => {
    let refused = 0;
    const page = (what: string, body: string) => {
      if (what !== 'AddPortMapping' || refused === 2) return { body };
      refused += 1;
      return fault('718');
    };
    await using router = await TestRouter.start({ speaks: ['upnp'], page });
    await using mapper = await Mapper.of(router, { mappingLeastMs: 1, mappingSeconds: 1 });
    const [text = ''] = mapper.mapped;
    const port = Number(text.split(':')[1]);
    assert.ok(port >= 49_152, text);
    const count = router.asked.length;
    while (router.asked.slice(count).filter(({ what }) => what === 'AddPortMapping').length < 2) {
      await once(router.events, 'asked');
    }
    assert.match(router.asked.findLast(({ what }) => what === 'AddPortMapping')?.text ?? '', new RegExp(`>${port}<`));
    assert.deepEqual(mapper.mapped, [text]);
  });

  it('asks for no end where the router knows none, and gives up a router that refuses everything', async () => {
    const page = (what: string, body: string) =>
      what === 'AddPortMapping' && !router.asked.at(-1)?.text.includes('Duration>0<') ? fault('725') : { body };
    await using router = await TestRouter.start({ speaks: ['upnp'], page });
    await using mapper = await Mapper.of(router);
    assert.deepEqual(mapper.mapped, [`${PUBLIC}:1224`]);
    await using strict = await TestRouter.start({ speaks: ['upnp'], page: () => fault('718'), give: () => 1 });
    strict.page = (what, body) => (what === 'AddPortMapping' ? fault('718') : { body });
    await using none = await Mapper.of(strict);
    assert.match(none.mapper.words, /expected UPnP of .* to do AddPortMapping, got a refusal: 718/);
    assert.equal(strict.asked.filter(({ what }) => what === 'AddPortMapping').length, 4);
  });

  it('asks again before the router forgets, and follows when its port or address changes', async () => {
    await using router = await TestRouter.start({ seconds: 1 });
    await using mapper = await Mapper.of(router, { mappingLeastMs: 1 });
    const changed = mapper.next();
    router.give = () => 2000;
    await changed;
    assert.deepEqual(mapper.mapped, [`${PUBLIC}:2000`]);
    const gone = mapper.next();
    router.speaks = ['upnp'];
    router.page = () => fault('501');
    await gone;
    assert.deepEqual(mapper.mapped, [], 'what is not confirmed is not advertised');
  });

  it('mappingLeastMs: a router that forgets at once is not asked at once', async () => {
    await using router = await TestRouter.start({ seconds: 1 });
    await using patient = await Mapper.of(router, { mappingLeastMs: 3_600_000 });
    await using _ = await Mapper.of(router, { mappingLeastMs: 1 }, [{ host: '127.0.0.1', port: 1225 }]);
    const asked = (port: number): number =>
      router.asked.filter(({ what, text }) => what === 'map' && Number.parseInt(text.slice(8, 12), 16) === port).length;
    while (asked(1225) < 3) await once(router.events, 'asked');
    assert.deepEqual([asked(1224), patient.lines.length], [1, 1]);
  });

  it('mappingRetryMs, mappingAnswerMs: a router that is silent is asked again later, and costs one line', async () => {
    await using router = await TestRouter.start({ speaks: [] });
    await using mapper = await Mapper.of(router, { mappingRetryMs: 1, mappingAnswerMs: 50 });
    assert.match(mapper.mapper.words, /expected NAT-PMP of 127\.0\.0\.1, got no answer in time; expected UPnP of/);
    const searches = (): number => router.asked.filter(({ what }) => what === 'search').length;
    while (searches() < 5) await once(router.events, 'asked');
    assert.equal(mapper.lines.length, 1);
    router.speaks = ['pmp'];
    while (mapper.mapped.length === 0) await mapper.next();
    assert.deepEqual(mapper.mapped, [`${PUBLIC}:1224`]);
  });

  it('mappingFarewellMs: a router that has gone does not hold up the end', async () => {
    await using router = await TestRouter.start();
    const mapper = await Mapper.of(router, { mappingFarewellMs: 20 });
    router.speaks = [];
    await mapper.mapper.stop();
    assert.match(mapper.lines.at(-1) ?? '', /still lets others through, until it forgets/);
  });

  it('is not asked for when the node listens where no router comes', async () => {
    await using router = await TestRouter.start();
    await using mapper = await Mapper.of(router, {}, [{ host: '::1', port: 1224 }]);
    assert.match(mapper.mapper.words, /expected the node to listen on 127\.0\.0\.1, where the router can reach it/);
    assert.deepEqual(router.asked, []);
  });

  it('ends at once while the router is being asked', async () => {
    await using router = await TestRouter.start({ speaks: [] });
    const mapper = new Mapper(router, { mappingAnswerMs: 3_600_000 });
    const asked = once(router.events, 'asked');
    mapper.mapper.start([HERE]);
    await asked;
    await mapper.mapper.stop();
    assert.deepEqual([mapper.mapped, mapper.lines], [[], []]);
  });
});

describe('a node with "portMapping"', () => {
  it('advertises what the router has opened, says so to its operator, and takes it back when it stops', async () => {
    await using router = await TestRouter.start({ give: () => 4321 });
    const off = await TestNode.start({ router: router.place });
    await off[Symbol.asyncDispose]();
    assert.deepEqual(router.asked, [], 'off unless the operator says so');
    await using node = await TestNode.start({ config: { portMapping: true }, router: router.place });
    const client = await node.client(node.stranger);
    const here = addressText(node.address);
    for (;;) {
      const { attachment } = await client.call('LookUp', { key: node.id });
      const { advertisement } = await verifyAdvertisement(Buffer.from(attachment).toString());
      if (advertisement.addresses.length < 2) continue;
      assert.deepEqual(advertisement.addresses.map(addressText), [`${PUBLIC}:4321`, here]);
      break;
    }
    const line = `Others are told to come to ${PUBLIC}:4321, ${here}.`;
    while (!describeStatus(await statusOf(node.paths)).includes(line));
    const found = (await examine(node.paths)).filter(({ what }) => what === 'reach').map(({ text }) => text);
    assert.deepEqual(found, [
      line,
      'No relay takes others to this node.',
      `Port mapping: NAT-PMP of the router: others come in by ${PUBLIC}:4321.`,
    ]);
    await node.manager.stop();
    assert.equal(router.open.size, 0);
    await assert.rejects(stat(node.paths.reach), { code: 'ENOENT' });
  });
});
