import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Shell } from '@potluck/seash';
import { type Deployed, deploying, FOREVER } from './deployments.ts';

describe('deployments that are watched, and what is not theirs', function () {
  this.timeout(240_000);
  const { place, well, addresses, declare, apply, changesOf, watchUntil, states } = deploying();

  describe('apply --watch', () => {
    it('starts a program again that failed, one that was stopped, and takes in a new declaration', async () => {
      const once =
        "if (!(await listfiles()).includes('ran')) {\n  await (await openfile('ran', true)).close();\n  throw new Error('first');\n}\n";
      await writeFile(join(place.directory, 'worker.js'), `${once}settimer(1e6, () => undefined);\n`);
      await declare({ count: 1, restart: { when: 'on-failure', firstDelay: '10ms' }, rollout: { healthyAfter: '5s' } });
      const told = await watchUntil(async (news) => {
        if (news.at(-1) === 'start' && news.filter((what) => what === 'start').length === 1) {
          const other = new Shell({ directory: place.directory });
          await other.execute('loadkeys alice');
          await other.execute(`contact ${addresses()[0]}`);
          while (!(await other.execute('on state=Started stop')).ok) await other.execute('update');
          await other.stop();
        }
        if (news.at(-1) === 'start' && news.filter((what) => what === 'start').length === 2) {
          await declare({ count: 1, args: ['more'], rollout: { healthyAfter: '10ms' } });
        }
        return news.at(-1) === 'update';
      });
      const changes = told.filter((what) => /^[a-z]+$/.test(what) && what !== 'well');
      assert.deepEqual(changes, ['create', 'start', 'start', 'update'], told.join(' '));
    });

    it('starts no program again and again without end', async () => {
      await writeFile(join(place.directory, 'worker.js'), "throw new Error('always');\n");
      const restart = { when: 'on-failure', atMost: 2, firstDelay: '1ms', longestDelay: '2ms' };
      await declare({ count: 1, restart });
      const told = await watchUntil((news) => /in a row/.test(news.at(-1) ?? ''));
      assert.ok(told.filter((what) => what === 'start').length >= 2, told.join());
      assert.ok(!told.some((what) => what.startsWith('NOT_HEEDED')), told.join());
      assert.match(told.at(-1) ?? '', /^PROGRAM_FAILED .* again after 2 restarts in a row: .*always/);
    });

    it('replaces the vessels of a node that stays away, and empties them when it is back', async () => {
      await declare({ count: 2, replaceAfter: '100ms' });
      let stopping: Promise<void> | undefined;
      let told = await watchUntil(async (news) => {
        if (news.length === 2) stopping = place.nodes[0]?.stop();
        return news.filter((what) => what === 'create').length === 4;
      });
      await stopping;
      await place.nodes[0]?.start();
      const [back] = place.nodes;
      assert.ok(back);
      await declare({ count: 2 });
      told = await watchUntil((news) => news.filter((what) => what === 'remove').length === 2);
      assert.ok(told.length >= 2);
    });
  });

  describe('what is not its own', () => {
    it('is left alone: a program started by hand, and the deployment of another key', async () => {
      await declare({ count: 1 });
      await place.shell.execute(`contact ${addresses()[0]}`);
      await place.shell.execute(`contact ${addresses()[1]}`);
      await writeFile(join(place.directory, 'hand.js'), FOREVER('hand'));
      await well('on %1 run hand.js');
      await place.shell.execute('as bob on %2 apply d.yaml');
      await writeFile(
        join(place.directory, 'b.yaml'),
        'name: work\nprogram: worker.js\nrollout: { healthyAfter: 1ms }\n',
      );
      assert.equal((await place.shell.execute('as bob on %2 apply b.yaml')).ok, true);
      await declare({ count: 4 });
      const result = await apply();
      assert.deepEqual([result.ok, changesOf(result)], [false, ['create', 'create']], JSON.stringify(result));
      assert.deepEqual(
        result.failed.map(({ code }) => code),
        ['NO_VESSELS'],
      );
      assert.match(result.notes.map(({ why }) => why).join('; '), /runs hand\.js.*; belongs to a deployment of key/);
      assert.deepEqual(changesOf((await place.shell.execute('destroy d.yaml')) as Deployed), ['remove', 'remove']);
      assert.deepEqual((await states()).sort(), ['Fresh', 'Fresh', 'Started hand.js', 'Started worker.js']);
    });

    it('is no mark of it: what another user writes in its place is found out and put right', async () => {
      await declare({ count: 2 });
      await apply();
      const first = (await well('list')).vessels.filter(({ state }) => state === 'Started').map(({ id }) => id);
      assert.equal(first.length, 2);
      await well(`as bob on ${first[0]} download deployment.mark stolen`);
      await well(`as bob on ${first[1]} upload stolen deployment.mark`);
      await writeFile(join(place.directory, 'junk'), 'x'.repeat(1000));
      await well(`as bob on ${first[0]} upload junk deployment.mark`);
      const result = await apply();
      assert.deepEqual([result.ok, changesOf(result)], [true, ['create', 'create']], JSON.stringify(result));
      await well(`as bob on ${first[0]} upload junk worker.js`);
      const { changes } = await apply();
      assert.deepEqual(
        changes.map(({ why }) => why),
        ['its file worker.js was changed'],
      );
      assert.deepEqual((await apply()).changes, []);
    });

    it('is what two apply at once: each vessel ends with one of them, and the next apply settles it', async () => {
      await declare();
      await writeFile(join(place.directory, 'other.js'), FOREVER('other'));
      const other = new Shell({ directory: place.directory });
      await other.execute('loadkeys alice');
      const yaml = {
        name: 'work',
        program: 'other.js',
        nodes: addresses(),
        count: 3,
        rollout: { healthyAfter: '1ms' },
      };
      await writeFile(join(place.directory, 'o.yaml'), JSON.stringify(yaml));
      await Promise.all([apply(), other.execute('apply o.yaml')]);
      await other.stop();
      assert.equal((await apply()).ok, true);
      assert.deepEqual((await apply()).changes, []);
      assert.equal((await states()).filter((text) => text === 'Started worker.js').length, 3);
    });
  });
});
