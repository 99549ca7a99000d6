import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from '@potluck/protocol';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { DEPLOY_LIMITS } from '../src/deploy/limits.ts';
import { type Mark, openMark, sealMark } from '../src/deploy/mark.ts';
import type { Deployment } from '../src/deploy/schema.ts';
import { expand } from '../src/deploy/template.ts';
import { parseDeployment, readDeployment } from '../src/deploy/yaml.ts';

const MINIMAL = { name: 'a', program: 'x.js' };

/** Every sentence of the refusal. */
function faultsOf(source: string | object): string[] {
  const text = typeof source === 'string' ? source : stringify({ ...MINIMAL, ...source });
  try {
    parseDeployment(text, 'd.yaml');
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'DEPLOYMENT_BROKEN', String(error));
    return error.message.split('; ');
  }
  return [];
}

const parsed = (more: object): Deployment => parseDeployment(stringify({ ...MINIMAL, ...more }), 'd.yaml');

describe('a deployment’s declaration', () => {
  it('needs a name and a program, and says what it takes for the rest', () => {
    const { args, files, nodes, renew, restart, replaceAfter, every, rollout } = parsed({});
    assert.deepEqual([args, files, nodes, renew, replaceAfter, every], [[], [], [], 7_200_000, 120_000, 10_000]);
    assert.deepEqual(restart, { when: 'on-failure', atMost: 5, firstDelay: 1000, longestDelay: 300_000 });
    assert.deepEqual(rollout, { atOnce: 1, healthyAfter: 5000 });
  });

  it('takes short forms: numbers as arguments, a file by its name, a rule by its word', () => {
    const { args, files, restart } = parsed({ args: [63100, true, 'x'], files: ['a.txt'], restart: 'always' });
    assert.deepEqual([args, restart.when], [['63100', 'true', 'x'], 'always']);
    assert.deepEqual(files, [{ from: 'a.txt', seed: false }]);
  });

  describe('is refused with the line and the column of each fault', () => {
    const cases: [what: string, source: string | object, expected: RegExp[]][] = [
      [
        'a mistyped word',
        'name: a\nprogam: x.js\n',
        [/^d\.yaml:1:1: "program": .*got nothing$/, /^d\.yaml:2:1: .*got "progam": did you mean "program"\?$/],
      ],
      [
        'a mistyped word further in',
        'name: a\nprogram: x\nrollout:\n  atonce: 2\n',
        [/^d\.yaml:4:3: expected one of atOnce, healthyAfter, got "atonce": did you mean "atOnce"\?$/],
      ],
      ['a word twice', 'name: a\nname: b\n', [/^d\.yaml:2:1: /]],
      ['no YAML', 'name: [', [/^d\.yaml:1:8: /]],
      ['a list', '- a', [/^d\.yaml:1:1: expected the words of a deployment/]],
      ['nothing', '', [/^d\.yaml:1:1: expected the words of a deployment/]],
      ['an alias within itself', 'name: &a [*a]\nprogram: x\n', [/^d\.yaml:\d+:\d+: /]],
      [
        'a wrong rule',
        { restart: 'sometimes' },
        [/^d\.yaml:3:10: "restart\.when": expected never, on-failure or always$/],
      ],
      [
        'a placeholder that is none',
        { args: ['{{peer}}'] },
        [/"args\.0": expected a placeholder of .*did you mean "peers"\?$/],
      ],
      ['a name that is none', { name: 'a b' }, [/^d\.yaml:1:7: "name": expected a name/]],
      ['a time without a unit', { renew: '30' }, [/"renew": expected a time such as/]],
      ['a clearinghouse’s vessels without a number', { where: {} }, [/"where": expected "count" beside it/]],
      [
        'vessels of two places',
        { where: {}, count: 1, targets: '%all' },
        [/"targets": expected either "where" or "targets"/],
      ],
      [
        'a file’s name with a way out',
        { files: [{ from: 'x', as: '../x' }] },
        [/"files\.0\.as": expected a file name/],
      ],
      ['a key of every object', '{"name": "a", "program": "x", "__proto__": {"count": 3}}', [/got "__proto__"/]],
    ];
    for (const [what, source, expected] of cases) {
      it(what, () => {
        const faults = faultsOf(source);
        assert.equal(faults.length, expected.length, faults.join('\n'));
        for (const [index, pattern] of expected.entries()) assert.match(faults[index] ?? '', pattern);
      });
    }

    it('whatever it is', () => {
      const words = fc.constantFrom('name', 'program', 'count', 'restart', 'rollout', 'files', 'args', 'where', 'x');
      const value = fc.dictionary(words, fc.jsonValue());
      const source = fc.oneof(
        fc.string(),
        fc.jsonValue().map((json) => stringify(json)),
        value.map((json) => stringify(json)),
      );
      fc.assert(
        fc.property(source, (text) => {
          for (const fault of faultsOf(text)) assert.doesNotMatch(fault, /\n/);
        }),
      );
    });
  });

  describe('has limits, at which it is taken and past which it is not', () => {
    const cases: [name: keyof typeof DEPLOY_LIMITS, more: (size: number) => object, expected: RegExp][] = [
      ['vessels', (count) => ({ count }), /at most 1000 vessels/],
      ['files', (length) => ({ files: Array.from({ length }, (_, index) => `${index}.txt`) }), /at most 64 files/],
      ['nodes', (length) => ({ nodes: Array.from({ length }, () => 'h:1') }), /at most 1000 nodes/],
      ['longestMs', (ms) => ({ every: `${ms / 1000}s` }), /of at most 30d/],
    ];
    for (const [name, more, expected] of cases) {
      it(name, () => {
        assert.deepEqual(faultsOf(more(DEPLOY_LIMITS[name])), []);
        assert.match(faultsOf(more(DEPLOY_LIMITS[name] + 1)).join(), expected);
      });
    }

    it('yamlBytes', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'seash-deployment-'));
      const path = join(directory, 'd.yaml');
      const text = (bytes: number): string => `${stringify(MINIMAL)}#`.padEnd(bytes, 'x');
      await writeFile(path, text(DEPLOY_LIMITS.yamlBytes));
      assert.equal((await readDeployment(path, 'd.yaml')).name, 'a');
      await writeFile(path, text(DEPLOY_LIMITS.yamlBytes + 1));
      await assert.rejects(readDeployment(path, 'd.yaml'), { code: 'FILE_TOO_LARGE' });
      await rm(directory, { recursive: true });
    });
  });
});

describe('the mark of a deployment', () => {
  const identity = generateIdentity();
  const facts = {
    deployment: 'a',
    node: identity.id,
    vessel: 'v1',
    version: 'x',
    index: 0,
    program: 'x.js',
    files: [],
  };
  const markOf = (length: number): Mark =>
    ({ ...facts, args: ['x'.repeat(length)], restarts: 0, after: 1 }) as unknown as Mark;

  it('is read by the identity that made it, and by nobody else', async () => {
    const bytes = await sealMark(identity, markOf(10));
    assert.deepEqual(await openMark(identity, bytes), markOf(10));
    assert.equal(await openMark(generateIdentity(), bytes), identity.id);
    for (const cut of [0, 10, bytes.length - 1]) {
      assert.equal(typeof (await openMark(identity, bytes.subarray(0, cut))), 'undefined');
    }
    const changed = Buffer.from(bytes);
    changed[changed.length - 30] = changed.at(-30) === 65 ? 66 : 65;
    assert.equal(await openMark(identity, changed), undefined);
  });

  it('takes at most markBytes', async () => {
    const empty = (await sealMark(identity, markOf(0))).byteLength;
    let length = Math.floor(((DEPLOY_LIMITS.markBytes - empty) * 3) / 4) + 4;
    const sizeOf = async () => (await sealMark(identity, markOf(length)).catch(() => undefined))?.byteLength;
    let size = await sizeOf();
    for (; size === undefined; size = await sizeOf()) length -= 1;
    assert.ok(size > DEPLOY_LIMITS.markBytes - 4, String(size));
    await assert.rejects(sealMark(identity, markOf(length + 4)), { code: 'BAD_ARGUMENTS' });
  });
});

describe('arguments of a deployment', () => {
  const places = [
    { index: 0, ip: '10.0.0.7', port: 63100 },
    { index: 1, ip: 'fd00::8', port: 63101 },
  ];

  it('say which vessel it is, where it is, and who the others are', () => {
    const own = places[1] ?? assert.fail();
    const args = ['{{index}}/{{ count }}', '{{ip}}', '{{port}}', '{{first}}', '{{peers}}', 'all={{peers}}'];
    const [a, b] = ['10.0.0.7:63100', '[fd00::8]:63101'];
    assert.deepEqual(expand(args, own, places), ['1/2', 'fd00::8', '63101', a, a, b, `all=${a},${b}`]);
  });

  it('stay as they are without a placeholder', () => {
    const own = places[0] ?? assert.fail();
    fc.assert(
      fc.property(fc.array(fc.string().filter((text) => !text.includes('{{'))), (args) => {
        assert.deepEqual(expand(args, own, places), args);
      }),
    );
  });
});
