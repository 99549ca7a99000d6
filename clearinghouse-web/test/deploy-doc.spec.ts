import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { GatewayNode } from './support/gateway-node.ts';
import { PostgresServer } from './support/postgres.ts';
import { eventually, temporaryDirectory } from './support/site.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DOCUMENT = readFileSync(join(ROOT, 'docs', 'DEPLOY.md'), 'utf8');
const NGINX = '/usr/sbin/nginx';
const STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** The file that the document shows under this name. */
function fileOf(name: string): string {
  const [, after] = DOCUMENT.split(`\n\`${name}\n`);
  const [, text] = /^\n```\w*\n([\s\S]*?)```\n/.exec(after ?? '') ?? [];
  return text ?? assert.fail(`expected docs/DEPLOY.md to show ${name}`);
}

/** What the document's names and places are here. */
function put(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((result, [from, to]) => result.replaceAll(from, to), text);
}

function commandOf(unit: string): string[] {
  const [, line = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
  return line.replaceAll('\\\n', ' ').trim().split(/\s+/);
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

describe('docs/DEPLOY.md, as written', function () {
  this.timeout(120_000);
  let stack: AsyncDisposableStack;
  let directory: string;

  before(function () {
    if (existsSync(NGINX) && existsSync(STREAM)) return;
    process.stdout.write(
      "docs/DEPLOY.md is not tried: no nginx here (Debian's nginx-light and libnginx-mod-stream).\n",
    );
    this.skip();
  });
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    directory = stack.use(await temporaryDirectory()).path;
    writeFileSync(join(directory, 'payload.tgz'), gzipSync(''));
    const subject = ['-subj', '/CN=potluck.example', '-days', '2'];
    const files = ['-keyout', join(directory, 'privkey.pem'), '-out', join(directory, 'fullchain.pem')];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...files], { stdio: 'ignore' });
  });
  afterEach(async () => await stack.disposeAsync());

  /** Ends with the test. */
  async function run(
    command: readonly string[],
    isUp: (child: ChildProcess) => Promise<unknown>,
  ): Promise<ChildProcess> {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    child.stderr.on('data', (data) => {
      words = `${words}${data}`.slice(-5000);
    });
    const exit = once(child, 'exit');
    stack.defer(async () => {
      child.kill();
      await exit;
    });
    await Promise.race([isUp(child), exit.then(() => assert.fail(`expected it to run, got: ${words}`))]);
    return child;
  }
  const firstLine = async ({ stdout }: ChildProcess) => await once(createInterface(stdout ?? assert.fail()), 'line');

  async function nginx(http: string, outside: string, port: string): Promise<void> {
    const places = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const temporary = places.map((name) => {
      const what = name === 'body' ? 'client_body' : name;
      return `${what}_temp_path ${join(directory, name)};`;
    });
    const path = join(directory, 'nginx.conf');
    const log = join(directory, 'error.log');
    const text = `load_module ${STREAM};\ndaemon off;\npid ${join(directory, 'nginx.pid')};\nerror_log ${log};\nevents {}\n${outside}\nhttp {\naccess_log off;\n${temporary.join('\n')}\n${http}\n}\n`;
    writeFileSync(path, text);
    await run([NGINX, '-e', log, '-c', path], async () => {
      await eventually(async () => await ask(port, '/').catch(() => undefined));
    });
  }

  /** By https, as a browser that trusts the certificate. */
  async function ask(port: string, path: string) {
    const headers = { host: 'potluck.example', accept: 'application/json' };
    const asked = request({ host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false });
    asked.end();
    const [response] = await once(asked, 'response');
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode as number, headers: response.headers, text };
  }

  const common = async () => ({
    '/opt/potluck/potluck-linux-x64.tgz': join(directory, 'payload.tgz'),
    '/opt/potluck': ROOT,
    '/etc/letsencrypt/live/potluck.example': directory,
    ':8080': `:${await freePort()}`,
    'listen 443 ssl': `listen 127.0.0.1:${await freePort()} ssl`,
    'listen 80;': `listen 127.0.0.1:${await freePort()};`,
  });
  const portIn = (text: string | undefined): string => /\d+(?!.*\d)/.exec(text ?? '')?.[0] ?? assert.fail();

  it('one machine behind a TLS proxy: the unit, the proxy, the backup', async () => {
    const state = join(directory, 'state');
    const places: Record<string, string> = {
      ...(await common()),
      '/var/lib/potluck/state': state,
      '/var/backups/potluck': join(directory, 'backups'),
      '--gateway-port 8443': `--gateway-port ${await freePort()}`,
      'install -d -o potluck -g potluck': 'install -d',
      'runuser -u potluck -- ': '',
    };
    places['--port 8080'] = `--port ${portIn(places[':8080'])}`;
    await run(commandOf(put(fileOf('/etc/systemd/system/potluck.service`'), places)), firstLine);
    const port = portIn(places['listen 443 ssl']);
    await nginx(put(fileOf('/etc/nginx/conf.d/potluck.conf`'), places), '', port);
    const session = await ask(port, '/session');
    assert.equal(session.status, 200);
    assert.match(String(session.headers['set-cookie']), /^__Host-potluck=[^;]+;.*Secure/);
    const plain = await fetch(`http://127.0.0.1:${portIn(places['listen 80;'])}/x`, {
      redirect: 'manual',
      headers: { host: 'potluck.example' },
    });
    assert.equal(plain.status, 301);
    const { gateway } = JSON.parse(readFileSync(join(state, 'address.json'), 'utf8'));
    assert.equal(gateway.host, 'potluck.example');
    await joins({ ...gateway, host: '127.0.0.1' });
    execFileSync('sh', ['-c', put(fileOf('/etc/cron.daily/potluck`'), places)], { stdio: 'pipe' });
    const [backup = assert.fail()] = readdirSync(join(directory, 'backups'));
    assert.equal(statSync(join(directory, 'backups', backup)).mode & 0o777, 0o600);
  });

  it('two with PostgreSQL: the databases, the units, the balancer; and one may die', async function () {
    const server = await PostgresServer.start({ auth: 'scram-sha-256' });
    if (server === undefined) this.skip();
    stack.use(server);
    // The name of the server's own superuser is taken.
    const statements = fileOf('/root/potluck.sql`').replace(/\bpotluck\b/g, 'deployed');
    for (const statement of statements.trim().split('\n')) await server.run(statement);
    const at = `host=${encodeURIComponent(server.directory)}`;
    const gatewayPort = await freePort();
    const places: Record<string, string> = {
      ...(await common()),
      'potluck@10.0.0.10/potluck ': `deployed:choose-one@/deployed?${at} `,
      'potluck_keys@10.0.0.10/potluck_keys': `potluck_keys:choose-another@/potluck_keys?${at}`,
      // What comes from this machine's nginx has this address.
      '--proxy 10.0.0.10': '--proxy 127.0.0.1',
      '10.0.0.': '127.0.0.',
      ':8443;': `:${await freePort()};`,
      'listen 8443;': `listen 127.0.0.1:${gatewayPort};`,
      'http://127.0.0.1:8080': 'http://sites',
    };
    places['--port 8080'] = `--port ${portIn(places[':8080'])}`;
    places['--gateway-port 8443'] = `--gateway-port ${portIn(places[':8443;'])}`;
    const unit = fileOf('/etc/systemd/system/potluck.service` (`ExecStart`)');
    const sites: ChildProcess[] = [];
    for (const [name, host] of [
      ['first', '10.0.0.11'],
      ['second', '10.0.0.12'],
    ] as const) {
      const state = join(directory, name);
      mkdirSync(state, { mode: 0o700 });
      if (name === 'second') copyFileSync(join(directory, 'first', 'gateway.jwk'), join(state, 'gateway.jwk'));
      const own = unit.replaceAll('10.0.0.11', host).replace('/var/lib/potluck/state', state);
      sites.push(await run(commandOf(put(own, places)), firstLine));
    }
    const port = portIn(places['listen 443 ssl']);
    const { 'http://127.0.0.1:8080': upstream = '', ...others } = places;
    const portal = fileOf('/etc/nginx/conf.d/potluck.conf`').replace('http://127.0.0.1:8080', upstream);
    const http = put(`${fileOf('/etc/nginx/conf.d/sites.conf`')}${portal}`, others);
    await nginx(http, put(fileOf('/etc/nginx/modules-enabled/90-potluck.conf`'), others), port);
    const { gateway } = JSON.parse(readFileSync(join(directory, 'second', 'address.json'), 'utf8'));
    assert.deepEqual([gateway.host, gateway.port], ['potluck.example', 8443]);
    const behind = { host: '127.0.0.1', port: Number(gatewayPort), key: gateway.key };
    for (let index = 0; index < 4; index += 1) await joins(behind);
    sites[0]?.kill('SIGKILL');
    for (let index = 0; index < 4; index += 1) {
      assert.equal((await ask(port, '/session')).status, 200);
      await joins(behind);
    }
  });

  /** A node dials the gateway there, and is taken in. */
  async function joins(gateway: { host: string; port: number; key: GatewayKey }): Promise<void> {
    const node = await eventually(async () => await new GatewayNode().dial(gateway).catch(() => undefined));
    node.hangUp();
  }
});

type GatewayKey = Parameters<GatewayNode['dial']>[0]['key'];
