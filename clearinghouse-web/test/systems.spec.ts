import assert from 'node:assert/strict';
import { SYSTEMS, type System, systemOf } from '../src/site/systems.ts';
import type { Api } from './support/api.ts';
import { Site } from './support/site.ts';

const AGENTS: Readonly<Record<System, string>> = {
  'Linux (x64)': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Linux (ARM)': 'Mozilla/5.0 (X11; Linux aarch64; rv:140.0) Gecko/20100101 Firefox/140.0',
  macOS:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  Windows:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Android:
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  'iPhone or iPad': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)',
};
const asking = (headers: Record<string, string>) => ({ get: (name: string) => headers[name] }) as never;

describe('the system of who wants to donate', () => {
  for (const system of SYSTEMS) {
    it(`is told by the name of the browser: ${system}`, () => {
      assert.equal(systemOf(asking({ 'user-agent': AGENTS[system] })), system);
    });
  }

  it('is told by client hints before all else', () => {
    const headers = { 'user-agent': AGENTS['Linux (x64)'], 'sec-ch-ua-platform': '"Linux"', 'sec-ch-ua-arch': '"arm"' };
    assert.equal(systemOf(asking(headers)), 'Linux (ARM)');
    assert.equal(systemOf(asking({ ...headers, 'sec-ch-ua-platform': '"Windows"' })), 'Windows');
  });

  it('is not guessed', () => {
    assert.equal(systemOf(asking({ 'user-agent': 'curl/8.5.0' })), undefined);
    assert.equal(systemOf(asking({})), undefined);
  });
});

describe('the page behind the personal link', () => {
  let site: Site;
  let donor: Api;
  let page: string;
  before(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
    page = new URL((await donor.get('/donations')).body.downloadUrl).href.replace(/\/[^/]+$/, '');
  });
  after(async () => await site[Symbol.asyncDispose]());

  it('says to who cannot run the archive what to do instead', async () => {
    const read = async (agent: string) => await (await fetch(page, { headers: { 'user-agent': agent } })).text();
    assert.match(await read(AGENTS.Windows), /This looks like Windows[\s\S]*WSL 2/);
    assert.doesNotMatch(await read(AGENTS['Linux (x64)']), /This looks like/);
  });

  it('asks the browser for what its name does not say', async () => {
    assert.match((await fetch(page)).headers.get('accept-ch') ?? '', /Sec-CH-UA-Arch/);
  });
});

describe('what a donor is shown', () => {
  let site: Site;
  let donor: Api;
  before(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
  });
  after(async () => await site[Symbol.asyncDispose]());

  const pageOf = async (path: string): Promise<string> =>
    (await donor.get(path, { accept: 'text/html' })).text.replace(/\s+/g, ' ');

  it('is at first what to do', async () => {
    assert.match(await pageOf('/'), /Your first steps/);
    assert.match(await pageOf('/donations'), /No machine yet/);
  });

  it('is then each machine with its state and what it offers', async () => {
    await site.peer(donor, 'donor', 2);
    assert.match(await pageOf('/donations'), /1 machine<[\s\S]*active<[\s\S]*memory/);
    assert.match(await pageOf('/'), /Your machines<[\s\S]*active</);
  });
});
