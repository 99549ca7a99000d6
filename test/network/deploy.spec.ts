import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMANDS, Shell } from '@potluck/seash';
import { type Deployed, deploying, FOREVER } from './deployments.ts';

describe('deployments on real node managers', function () {
  this.timeout(240_000);
  const { place, well, addresses, declare, apply, changesOf, states, listen } = deploying();

  it('apply starts as many as are declared, and a second apply asks, and changes nothing', async () => {
    await declare({ args: ['{{index}}', 'of', '{{count}}'], files: [] });
    const planned = (await place.shell.execute('diff d.yaml')) as Deployed;
    assert.deepEqual(changesOf(planned), ['create', 'create', 'create']);
    assert.deepEqual(await states(), ['Fresh', 'Fresh', 'Fresh', 'Fresh']);
    const first = await apply();
    assert.deepEqual([first.ok, changesOf(first)], [true, ['create', 'create', 'create']], JSON.stringify(first));
    assert.deepEqual((await states()).sort(), ['Fresh', ...Array(3).fill('Started worker.js')]);
    const logs = (await well('on state=Started show log')).vessels.map(({ text }) => String(text).split('\n')[0]);
    assert.ok(
      logs.some((line) => line?.includes('one 2 of 3')),
      JSON.stringify(logs),
    );
    const heard = listen();
    const second = await apply();
    assert.deepEqual([second.ok, second.changes, second.failed], [true, [], []]);
    assert.deepEqual(
      [...new Set(heard)].filter((name) => !/^(Get|List|Read|Retrieve)/.test(name)),
      [],
    );
    assert.deepEqual(((await place.shell.execute('diff d.yaml')) as Deployed).changes, []);
    const row = COMMANDS.find(({ name }) => name === 'apply');
    const { command: _, ok: __, ...facts } = first;
    assert.deepEqual(row?.result.strict().parse(facts), JSON.parse(JSON.stringify(facts)));
  });

  describe('a new version', () => {
    beforeEach(async () => {
      await declare();
      assert.equal((await apply()).ok, true);
    });

    it('reaches one vessel after the other, and takes along what it has no more', async () => {
      await writeFile(join(place.directory, 'data.txt'), 'data');
      await declare({ files: ['data.txt'] });
      assert.equal(changesOf(await apply()).length, 3);
      await writeFile(join(place.directory, 'worker.js'), FOREVER('two'));
      await declare();
      const heard = listen();
      const result = await apply();
      assert.deepEqual([result.ok, changesOf(result)], [true, ['update', 'update', 'update']], JSON.stringify(result));
      const order = heard.filter((name) => name === 'StopVessel' || name === 'StartVessel');
      assert.deepEqual(order, Array(3).fill(['StopVessel', 'StartVessel']).flat());
      const files = (await well('on state=Started show files')).vessels.map((vessel) => {
        return (vessel.files as { name: string }[]).map(({ name }) => name);
      });
      assert.deepEqual(files, Array(3).fill(['deployment.mark', 'worker.js']));
      assert.match(String((await well('on state=Started show log')).vessels[0]?.text), /two/);
    });

    it('stops at the first vessel where it fails, also the next time, and the old one heals it', async () => {
      await writeFile(join(place.directory, 'worker.js'), "throw new Error('bad version');\n");
      const bad = await apply();
      assert.deepEqual([bad.ok, changesOf(bad)], [false, ['update']], JSON.stringify(bad));
      const failure = bad.failed.find(({ code }) => code === 'ROLLOUT_FAILED') ?? assert.fail(JSON.stringify(bad));
      assert.match(failure.message, /bad version/);
      assert.equal(failure.affected.length, 1);
      const count = async (state: string) => (await states()).filter((text) => text.startsWith(state)).length;
      assert.deepEqual([await count('Terminated'), await count('Started')], [1, 2]);
      await declare({ restart: 'never' });
      const again = await apply();
      assert.deepEqual([again.ok, changesOf(again)], [false, []]);
      await writeFile(join(place.directory, 'worker.js'), FOREVER('one'));
      await declare();
      const healed = await apply();
      assert.deepEqual([healed.ok, changesOf(healed)], [true, ['update']]);
      assert.equal(await count('Started'), 3);
    });

    it('is a smaller number, too: the others are emptied; destroy leaves nothing of it, and nothing else', async () => {
      const [by] = addresses();
      await place.shell.execute(`contact ${by}`);
      await declare({ count: 1 });
      assert.deepEqual(changesOf(await apply()), ['remove', 'remove']);
      const [free] = place.shell.session.targets.resolve('state!=Started');
      await well('update');
      await well(`on ${free?.id} upload worker.js by-hand.js`);
      const destroyed = (await place.shell.execute('destroy d.yaml')) as Deployed;
      assert.deepEqual([destroyed.ok, changesOf(destroyed)], [true, ['remove']]);
      assert.deepEqual(await states(), Array(4).fill('Fresh'));
      const left = (await well('show files')).vessels.flatMap(({ files }) =>
        (files as { name: string }[]).map(({ name }) => name),
      );
      assert.deepEqual(left, ['by-hand.js']);
      assert.deepEqual(((await place.shell.execute('destroy d.yaml')) as Deployed).changes, []);
    });
  });

  it('files that were changed are put right, except seeds, which are the program’s', async () => {
    await writeFile(join(place.directory, 'data.txt'), 'data');
    await declare({ files: ['data.txt', { from: 'data.txt', as: 'seed.txt', seed: true }] });
    await apply();
    await well('on state=Started upload worker.js seed.txt');
    assert.deepEqual((await apply()).changes, []);
    await well('on %1 upload d.yaml data.txt');
    await well('on %2 delete data.txt');
    const { changes, ok } = await apply();
    assert.equal(ok, true);
    assert.deepEqual(changes.map(({ why }) => why).sort(), [
      'its file data.txt is missing',
      'its file data.txt was changed',
    ]);
    assert.deepEqual((await apply()).changes, []);
  });

  it('{{peers}} are the addresses of all members, and who joins makes the others start again with it', async () => {
    await declare({ count: 2, args: ['{{peers}}'], nodes: addresses().slice(0, 1) });
    await apply();
    const peersOf = async (): Promise<string[]> => {
      return (await well('on state=Started show log')).vessels.map(
        ({ text }) => String(text).trim().split('\n').at(-1) ?? '',
      );
    };
    assert.deepEqual(new Set(await peersOf()), new Set(['one 127.0.0.1:63101 127.0.0.1:63102']));
    await declare({ count: 3, args: ['{{peers}}'] });
    const { changes } = await apply();
    assert.deepEqual(changes.map(({ change }) => change).sort(), ['create', 'update', 'update']);
    assert.match((await peersOf())[0] ?? '', /^one 127.0.0.1:63101 127.0.0.1:63102 127.0.0.1:6310[34]$/);
  });

  it('an apply that is cut off at any request leaves what the next one completes', async () => {
    await declare({ count: 1, nodes: addresses().slice(0, 1) });
    let cut = true;
    for (let at = 1; cut; at += 1) {
      const victim = new Shell({ directory: place.directory });
      await victim.execute('loadkeys alice');
      const { connections } = victim.session;
      const call = connections.call.bind(connections);
      let calls = 0;
      cut = false;
      const ending = new AbortController();
      connections.call = async (endpoint, request) => {
        calls += 1;
        if (calls > at) ending.abort();
        cut ||= calls > at;
        return await call(endpoint, request);
      };
      await writeFile(join(place.directory, 'worker.js'), FOREVER(`version ${at}`));
      await victim.execute('apply d.yaml', { signal: ending.signal });
      await victim.stop();
      const result = await apply();
      assert.equal(result.ok, true, `${at}: ${JSON.stringify(result)}`);
      assert.deepEqual((await apply()).changes, [], String(at));
      const logs = (await well('on state=Started show log')).vessels.map(({ text }) => String(text));
      assert.ok(logs.length === 1 && logs.every((log) => log.includes(`version ${at} `)), logs.join());
    }
  });

  it('a node that lies is told from one that does as it was told', async () => {
    await declare({ count: 4 });
    const liar = place.nodes[0]?.id;
    const { connections } = place.shell.session;
    const call = connections.call.bind(connections);
    connections.call = async (endpoint, request) => {
      const answer = await call(endpoint, request);
      if (endpoint.node !== liar || request.method !== 'GetVessels') return answer;
      const { vessels } = answer.result as { vessels: object[] };
      const lies = vessels.map((vessel) => ({ ...vessel, state: 'Fresh', since: 1, ending: undefined }));
      return { ...answer, result: { ...answer.result, vessels: lies } };
    };
    const result = await apply();
    assert.equal(result.ok, false);
    assert.deepEqual(
      result.failed.map(({ code, affected }) => [code, affected.length]),
      [['BAD_STATE', 2]],
      JSON.stringify(result),
    );
    assert.ok((await well('list')).vessels.filter(({ state }) => state === 'Started').length >= 2);
  });
});
