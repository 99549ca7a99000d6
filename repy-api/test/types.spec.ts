import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FAILURES } from '../src/index.ts';

const root = join(import.meta.dirname, '../..');
const types = join(root, 'repy-api/repy.d.ts');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** @returns what the compiler says, nothing when it agrees. */
function check(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '--pretty', 'false', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

/** Checks programs as strictly as our own code. */
async function checkTexts(texts: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-types-'));
  try {
    const compilerOptions = {
      lib: ['esnext'],
      types: [],
      moduleDetection: 'force',
      module: 'esnext',
      moduleResolution: 'bundler',
    };
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'], files: [types] };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    for (const [index, text] of texts.entries()) await writeFile(join(directory, `program-${index}.ts`), text);
    return check('-p', directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The examples in doc comments. */
function examplesOf(text: string): string[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(([comment]) =>
    comment
      .slice(3, -2)
      .replace(/^ *\* ?/gm, '')
      .split(/(?:^|\s)@(?=[a-z]+\b)/)
      .filter((part) => part.startsWith('example'))
      .map((part) => part.slice('example'.length)),
  );
}

describe('repy.d.ts', () => {
  it('types every example', () => {
    assert.equal(check('-p', 'examples/tsconfig.json'), '');
  });

  it('types every example in its own comments', async () => {
    const examples = examplesOf(await readFile(types, 'utf8'));
    assert.ok(examples.length >= 60);
    assert.equal(await checkTexts(examples), '');
  });

  it('has a documented error class for each failure, with its code', async () => {
    const text = await readFile(types, 'utf8');
    for (const [name, code] of FAILURES) {
      assert.match(text, new RegExp(`Code \`${code}\`\\. \\*/\\ndeclare class ${name} extends RepyError`));
    }
  });

  it('finds the mistakes of an author', async () => {
    const wrong = [
      "sendmess('1.2.3.4', '80', 'x');",
      'recvmess(getmyip());',
      'sleep();',
      'canceltimer(1);',
      "setTimeout('log(1)', 1);",
      'clearTimeout(settimer(1, log));',
      "sendmessage('1.2.3.4', 80, 'x');",
      'createthread(1);',
      'crypto.getRandomValues([1]);',
      'log(fetch);',
    ];
    const problems = await checkTexts(wrong);
    for (const [index, text] of wrong.entries()) {
      assert.match(problems, new RegExp(`program-${index}\\.ts.*error TS`), text);
    }
  });
});
