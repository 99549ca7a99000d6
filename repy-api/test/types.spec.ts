import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FAILURES } from '../src/index.ts';

const root = join(import.meta.dirname, '../..');
const types = join(root, 'repy-api/repy.d.ts');
const parts = [types, join(root, 'repy-api/repy-more.d.ts'), join(root, 'repy-api/repy-web.d.ts')];

/** The whole text of the types that authors get. */
async function typesText(): Promise<string> {
  return (await Promise.all(parts.map((path) => readFile(path, 'utf8')))).join('\n');
}
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** @returns what the compiler says, nothing when it agrees. */
function check(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '--pretty', 'false', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

async function checkText(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-types-'));
  try {
    const file = join(directory, 'program.ts');
    await writeFile(file, `${text}\nexport {};\n`);
    return check(
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--target',
      'esnext',
      '--lib',
      'esnext',
      '--module',
      'esnext',
      '--types',
      '',
      types,
      file,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('repy.d.ts', () => {
  it('types every example', () => {
    assert.equal(check('-p', 'examples/tsconfig.json'), '');
  });

  it('types every example in its own comments', async () => {
    const text = await typesText();
    const examples = [...text.matchAll(/@example (.*?)(?: \*\/)?$/gm)].map(([, code]) => code ?? '');
    assert.ok(examples.length >= 45);
    const around = `declare const ip: string, port: number, message: string, sock: RepySocket, timer: RepyTimer;
      declare function reply(ip: string, port: number, message: string): void;`;
    const blocks = examples.map(
      (code) => `export async function example${Math.random().toString().slice(2)}() { ${code}\n}`,
    );
    assert.equal(await checkText(`${around}\n${blocks.join('\n')}`), '');
  });

  it('has a documented error class for each failure, with its code', async () => {
    const text = await typesText();
    for (const [name, code] of FAILURES) {
      assert.match(text, new RegExp(`Code \`${code}\`\\. \\*/\\ndeclare class ${name} extends RepyError`));
    }
  });

  it('finds the mistakes of an author', async () => {
    for (const wrong of [
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
    ]) {
      assert.match(await checkText(wrong), /error TS/, wrong);
    }
  });
});
