import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Shell } from '@potluck/seash';
import { donate, emptyPayload, offered } from '../browser/donor.ts';
import { World } from '../browser/world.ts';
import { PortalClient } from '../demo/portal-client.ts';
import { binOf } from '../demo/programs.ts';
import { FILES, SCENES } from './scenes.ts';

const COLUMNS = 110;
const ROWS = 30;
/** Nobody wants to watch a machine wait. */
const PAUSE_S = 1;
/** The live line, once the result is there. */
const ERASED = new RegExp(`[^\\n]*\\r${'\u001b'}\\[K`, 'g');

export interface Recording {
  /** asciicast v2. */
  readonly cast: string;
  /** What each scene has shown, as plain text. */
  readonly shown: readonly string[];
}

/** Plays all scenes at a real terminal, on a clearinghouse and three nodes of their own. */
export async function record(): Promise<Recording> {
  await using world = await World.create();
  const { url } = await world.clearinghouse('--payload', await emptyPayload(world.directory));
  for (const name of ['one', 'two', 'three']) await donate(world, url, { name, vessels: 2 });
  const directory = join(world.directory, 'ulla');
  await mkdir(directory);
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(directory, name), text);
  await symlink(join(import.meta.dirname, '..', '..', 'node_modules'), join(directory, 'node_modules'));
  await register(directory, url);
  await offered(url, 6);
  return await play(directory, url);
}

async function register(directory: string, url: string): Promise<void> {
  await using shell = new Shell({ directory });
  await shell.execute('genkeys ulla');
  const portal = new PortalClient(url, new AbortController().signal);
  await portal.register({ username: 'ulla', password: 'secret of ulla' }, shell.session.identity('ulla'));
}

async function play(directory: string, url: string): Promise<Recording> {
  const seash = `${process.execPath} ${binOf('seash', 'seash')} --no-history --clearinghouse ${url}`;
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec ${seash}`;
  const env = { ...process.env, TERM: 'xterm-256color', NO_COLOR: '', XDG_CONFIG_HOME: join(directory, 'config') };
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: directory, env });
  const closed = once(child, 'close');
  const events: string[] = [];
  const shown: string[] = [];
  let [atS, lastMs, raw, typedAt] = [0, performance.now(), '', -1];
  const waiting = SCENES.flatMap(({ typed, answer }) => [typed, ...(answer === undefined ? [] : [answer])]);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const nowMs = performance.now();
    atS += Math.min(PAUSE_S, (nowMs - lastMs) / 1000);
    lastMs = nowMs;
    events.push(JSON.stringify([Number(atS.toFixed(3)), 'o', chunk]));
    raw += chunk;
    // The shell draws its prompt anew while it takes what was typed: until the line has ended, that is not the next one.
    if (typedAt >= 0 && !raw.slice(typedAt).includes('\n')) return;
    const text = stripVTControlCharacters(raw.replaceAll(ERASED, ''));
    if (!/(!> |\[y\/N\] )$/.test(text)) return;
    if (text.endsWith('!> ')) {
      shown.push(text);
      raw = '';
    }
    const next = waiting.shift();
    if (next === undefined) return;
    typedAt = raw.length;
    child.stdin.write(`${next}\r`);
  });
  await closed;
  shown.push(stripVTControlCharacters(raw));
  const header = { version: 2, width: COLUMNS, height: ROWS, title: 'The first ten minutes with seash' };
  return {
    cast: [JSON.stringify(header), ...events, ''].join('\n'),
    shown: shown.slice(1).map((each) => textOf(each)),
  };
}

/** Without what was overwritten, the echo and the next prompt. */
function textOf(shown: string): string {
  const lines = shown.split('\n').map((line) => line.replace(/\r+$/, '').replace(/^.*\r/, '').trimEnd());
  return lines
    .slice(1)
    .filter((line) => !line.endsWith('!>'))
    .join('\n')
    .trim();
}
