import { Agent, get } from 'node:http';
import { addCrowd } from '../../test/browser/crowd.ts';
import { enter, type Visitor } from '../../test/browser/visitors.ts';
import { World } from '../../test/browser/world.ts';
import { plainServer } from '../src/child.ts';
import { BenchError } from '../src/errors.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { freePort } from '../src/vessel.ts';

const ROUNDS = 7;
/** In one measurement, one after the other; the requests of an account are counted, and each page has its own. */
const REQUESTS = 25;
const PUBLIC = ['/map', '/status', '/login'] as const;
const OWN = ['/', '/vessels', '/donations', '/account'] as const;
/** What a visitor's first page loads, and a member's. */
const FIRST = ['/', '/vessels'] as const;
/** The issue's: KB of script, compressed, without the editor. */
const MOST_SCRIPT_KB = 150;
const MACHINES = 40;
const HELD = 10;

interface Loaded {
  readonly bytes: Buffer;
  readonly ms: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Without decompressing: what came over the wire. */
async function load(url: string, headers: Record<string, string> = {}): Promise<Loaded> {
  const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
  const before = performance.now();
  get(url, { agent, headers: { accept: 'text/html,*/*', ...headers } }, (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('end', () => {
      if (response.statusCode === 200) return resolve({ bytes: Buffer.concat(parts), ms: performance.now() - before });
      reject(new BenchError('CHILD_FAILED', `expected ${url} to answer with 200, got ${response.statusCode}`));
    });
  }).on('error', reject);
  return await promise;
}

async function meanOf(url: string, headers: Record<string, string>): Promise<number> {
  let total = 0;
  for (let request = 0; request < REQUESTS; request += 1) total += (await load(url, headers)).ms;
  return total / REQUESTS;
}

async function timeOf(url: string, path: string, visitor?: Visitor): Promise<Result> {
  const headers = { cookie: visitor?.cookie ?? '' };
  const { bytes } = await load(url + path, headers);
  const port = await freePort();
  await using _floor = await plainServer('static-server.ts', [port, bytes.length]);
  const floor = `http://127.0.0.1:${port}/${bytes.length}`;
  await load(floor);
  const figures = await interleave(
    ROUNDS,
    async () => await meanOf(url + path, headers),
    async () => await meanOf(floor, {}),
  );
  return {
    row: `page ${path}, ${visitor === undefined ? 'anybody' : `a user with ${HELD} vessels and ${MACHINES} machines`}`,
    ...figures,
    unit: 'ms',
    better: 'less',
    counted: `request to last byte, ${(bytes.length / 1000).toFixed(1)} KB / as many bytes from express; means of ${REQUESTS}, median of ${ROUNDS}`,
  };
}

/** What a browser that has nothing yet loads with a page: itself, its style and its scripts with what they import. */
async function firstLoad(url: string, path: string, visitor?: Visitor): Promise<Result> {
  const headers = { cookie: visitor?.cookie ?? '' };
  const page = (await load(url + path, headers)).bytes;
  const links = [...page.toString().matchAll(/<(link|script|img)[^>]* (?:href|src)="(\/assets\/[^"]+)"/g)];
  let [all, script] = [page.length, 0];
  const seen = new Set<string>();
  const add = async (kind: string, asset: URL): Promise<void> => {
    if (seen.has(asset.href)) return;
    seen.add(asset.href);
    const bytes = (await load(asset.href, { 'accept-encoding': 'br' })).bytes.length;
    all += bytes;
    if (kind !== 'script') return;
    script += bytes;
    const text = (await load(asset.href)).bytes.toString();
    for (const [, name = ''] of text.matchAll(/(?:from|^import|;import)\s*["'](\.[^"']+)["']/g))
      await add(kind, new URL(name, asset));
  };
  for (const [, kind = '', href = ''] of links) await add(kind, new URL(href, url));
  return {
    row: `first load of ${path}, script`,
    potluck: script / 1000,
    floor: all / 1000,
    unit: 'KB',
    better: 'less',
    goal: { atMost: MOST_SCRIPT_KB },
    counted:
      'compressed by brotli / with it the page itself, which is not compressed, its style and pictures; counted once',
  };
}

export const pages: Row = {
  name: 'pages',
  run: async () => {
    await using world = await World.create();
    const { url, state } = await world.clearinghouse();
    const results: Result[] = [];
    for (const path of PUBLIC) results.push(await timeOf(url, path));
    for (const [index, path] of OWN.entries()) {
      const visitor = await enter(url, `user_${index}`);
      await addCrowd({ state, donor: visitor.username, holder: visitor.username, nodes: MACHINES, held: HELD });
      results.push(await timeOf(url, path, visitor));
    }
    results.push(await firstLoad(url, FIRST[0]));
    results.push(await firstLoad(url, FIRST[1], await enter(url, 'newcomer')));
    agent.destroy();
    return results;
  },
};
