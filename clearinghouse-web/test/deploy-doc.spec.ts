import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Machine } from './support/machine.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NEEDED = [
  '/usr/sbin/nginx',
  '/usr/lib/nginx/modules/ngx_stream_module.so',
  '/usr/lib/postgresql/15',
  '/usr/bin/systemd-analyze',
  '/usr/bin/pgrep',
  '/usr/bin/npm',
  join(ROOT, '.git'),
];
const UNIT = '/etc/systemd/system/potluck.service';
const STATE = '/var/lib/potluck/state';
const CERTIFICATES = '/etc/letsencrypt/live/potluck.example';

/** What the page has in its order: a file with its name, or commands. */
interface Piece {
  readonly section: string;
  readonly file: string | undefined;
  readonly text: string;
}

function piecesOf(page: string): Piece[] {
  return page.split(/^## /m).flatMap((part) => {
    const [section = ''] = part.split('\n');
    const found = part.matchAll(/(?:^`(\/[^`]+)`( \(`ExecStart`\))?\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm);
    return [...found].map(([, file, only = '', , text = '']) => ({ section, file: file && file + only, text }));
  });
}

const PIECES = piecesOf(readFileSync(join(ROOT, 'docs', 'DEPLOY.md'), 'utf8'));

/** What is not as on a machine of an operator's: see the beginning of the page. */
const STAND_INS: Readonly<Record<string, string>> = {
  certbot: `nginx -t || nginx
mkdir -p ${CERTIFICATES}
cd ${CERTIFICATES}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=potluck.example \\
  -addext subjectAltName=DNS:potluck.example -keyout privkey.pem -out fullchain.pem 2> /dev/null`,
  systemctl: `for unit; do :; done
stop() { if [ -f /run/potluck.pid ]; then kill "$(cat /run/potluck.pid)"; while [ -f /run/potluck.pid ]; do sleep 0.05; done; fi; }
case "$* " in
*nginx*) pgrep -x nginx > /dev/null && exec nginx -s reload || exec nginx ;;
*postgresql*) exec pg_ctlcluster 15 main restart ;;
stop*) stop; exit ;;
esac
stop
systemd-analyze verify --man=no ${UNIT}
command="$(sed -n '/^ExecStart=/,/[^\\\\]$/p' ${UNIT} | sed 's/^ExecStart=//; s/\\\\$//' | tr '\\n' ' ')"
user="$(sed -n 's/^User=//p' ${UNIT})"
home="$(getent passwd "$user" | cut -d : -f 6)"
rm -f /run/potluck.out
touch /run/potluck.pid
(setsid setpriv --reuid "$user" --regid "$user" --init-groups env HOME="$home" $command > /run/potluck.out 2> /run/potluck.err < /dev/null & echo $! > /run/potluck.pid
wait; rm -f /run/potluck.pid) > /dev/null 2>&1 &
while ! grep -q portal /run/potluck.out 2> /dev/null; do sleep 0.05; [ -f /run/potluck.pid ] || { cat /run/potluck.err >&2; exit 1; }; done`,
  // The packages that it would fetch are there.
  npm: `mkdir -p node_modules
mountpoint -q node_modules || mount --bind /srv/node_modules node_modules
printf '%s linux x64' "$(sha256sum package-lock.json | cut -d ' ' -f 1)" > node_modules/.potluck-setup
exec /usr/bin/npm "$@"`,
};

describe('docs/DEPLOY.md, as written', function () {
  this.timeout(400_000);
  let stack: AsyncDisposableStack;

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
  });
  afterEach(async () => await stack.disposeAsync());

  /** A new machine that knows where the names of the page lead. */
  async function machine(names: string): Promise<Machine> {
    const made = stack.use((await Machine.start()) ?? assert.fail('expected a machine to try the page on'));
    for (const [name, script] of Object.entries(STAND_INS)) {
      made.write(`/usr/local/sbin/${name}`, `#!/bin/sh -e\n${script}\n`, '755');
    }
    made.write('/etc/hosts', `127.0.0.1 localhost\n${names} potluck.example\n`);
    made.run(`git config --global url.file:///srv/origin.insteadOf https://git.example/potluck
git config --global --add safe.directory '*'`);
    return made;
  }

  before(async function () {
    const missing = NEEDED.find((path) => !existsSync(path));
    await using tried = missing === undefined ? await Machine.start() : undefined;
    if (tried !== undefined) return;
    process.stdout.write(`docs/DEPLOY.md is not tried: ${missing ?? 'namespaces for root'} is not to be had here.\n`);
    this.skip();
  });

  /** Of one section; `''` is what stands before all. */
  const inSection = (name: string): Piece[] => PIECES.filter(({ section }) => section.startsWith(name));
  const fileIn = (name: string, file: string): string =>
    inSection(name).find((piece) => piece.file === file)?.text ?? assert.fail(`expected ${file} in ${name}`);
  const commandsIn = (name: string, words: string): string =>
    inSection(name).find(({ file, text }) => file === undefined && text.includes(words))?.text ??
    assert.fail(`expected commands with ${words} in ${name}`);
  const [FIRST, ONE, WATCH, TWO] = ['# Run', 'One machine', 'Watching', 'Two with'] as const;

  function visit(on: Machine, ...words: string[]): string {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const trust = `NODE_EXTRA_CA_CERTS=${CERTIFICATES}/fullchain.pem`;
    const node = '/srv/node_modules/.bin/node /srv/origin/clearinghouse-web/test/support/visitor.ts';
    return on.run(`for turn in 1 2 3 4 5 6; do ${trust} ${node} ${quoted} && exit 0; sleep 0.2; done; exit 1`);
  }
  const portal = 'https://potluck.example';
  const gatewayOf = (on: Machine): string => JSON.stringify(JSON.parse(on.read(`${STATE}/address.json`)).gateway);

  it('one machine behind a TLS proxy: set up, watched, backed up, upgraded, restored on another', async () => {
    const one = await machine('127.0.0.1');
    for (const { file, text } of [...inSection(FIRST), ...inSection(ONE)]) {
      if (text.includes('newest.backup')) continue; // On another machine.
      if (text.includes('admin YOU')) visit(one, 'register', portal, 'YOU');
      if (file === undefined) one.run(text);
      else one.write(file, text);
    }
    assert.match(visit(one, 'ask', portal), /^200 __Host-potluck=[^;]+;.*Secure/);
    visit(one, 'join', gatewayOf(one));
    const trusting = `export NODE_EXTRA_CA_CERTS=${CERTIFICATES}/fullchain.pem\n`;
    const said = one.run(`${trusting}${commandsIn(WATCH, 'doctor')}`);
    for (const what of ['site', 'backend', 'portal', 'websockets', 'certificate', 'gateway', 'backup', 'ledger']) {
      assert.match(said, new RegExp(`^well +${what}: `, 'm'), said);
    }
    const backup = one.run('cd /var/backups/potluck; ls | tail -1').trim();
    assert.equal(one.run(`stat -c '%a %U' /var/backups/potluck/${backup}`), '600 potluck\n');

    const other = await machine('127.0.0.1');
    for (const { text } of inSection(FIRST)) other.run(text);
    other.write(UNIT, fileIn(ONE, UNIT));
    other.write('/root/newest.backup', Buffer.from(one.run(`base64 /var/backups/potluck/${backup}`), 'base64'));
    other.run(commandsIn(ONE, 'newest.backup'));
    assert.equal(gatewayOf(other), gatewayOf(one));
    visit(other, 'join', gatewayOf(other));
  });

  it('two with PostgreSQL: the databases, the units, the balancer; one restarts, and one may die', async () => {
    const machines = [await machine('10.0.0.10'), await machine('10.0.0.10'), await machine('10.0.0.10')] as const;
    const [front, ...sites] = machines;
    Machine.connect(machines, ['10.0.0.10', '10.0.0.11', '10.0.0.12']);
    front.write('/root/potluck.sql', fileIn(TWO, '/root/potluck.sql'));
    const settings = '/etc/postgresql/15/main/conf.d/potluck.conf';
    front.write(settings, fileIn(TWO, settings));
    // As Debian's package leaves it.
    front.run('install -d -o postgres -g postgres /run/postgresql; pg_ctlcluster 15 main start');
    front.run(commandsIn(TWO, 'psql'));
    const execStart = fileIn(TWO, `${UNIT} (\`ExecStart\`)`);
    for (const [index, site] of sites.entries()) {
      for (const { text } of inSection(FIRST)) site.run(text);
      site.write('/var/lib/potluck/.pgpass', fileIn(TWO, '/var/lib/potluck/.pgpass'));
      site.run(commandsIn(TWO, '.pgpass'));
      const own = execStart.replaceAll('10.0.0.11', `10.0.0.1${index + 1}`);
      site.write(UNIT, fileIn(ONE, UNIT).replace(/^ExecStart=(?:.*\\\n)*.*\n/m, own));
      if (index === 1) {
        site.write('/usr/local/sbin/scp', '#!/bin/sh -e\ncp -p /root/gateway.jwk "$3"\n', '755');
        site.write('/root/gateway.jwk', sites[0]?.read(`${STATE}/gateway.jwk`) ?? '', '600');
        site.run(commandsIn(TWO, 'scp'));
      }
      site.run('systemctl enable --now potluck');
    }
    front.run(commandsIn(ONE, 'certbot'));
    const [http, stream] = ['/etc/nginx/conf.d/sites.conf', '/etc/nginx/modules-enabled/90-potluck.conf'];
    for (const path of [http, stream]) front.write(path, fileIn(TWO, path));
    const conf = '/etc/nginx/conf.d/potluck.conf';
    front.write(conf, fileIn(ONE, conf).replace('http://127.0.0.1:8080', 'http://sites'));
    front.run('systemctl restart nginx');
    const [first, second] = sites;
    assert.ok(first && second);
    const gateway = gatewayOf(second);
    const served = (): void => {
      visit(front, 'ask', portal);
      visit(front, 'join', gateway);
    };
    served();
    for (const site of sites) {
      site.run('systemctl restart potluck');
      served();
    }
    const options =
      '--database postgres://potluck@10.0.0.10/potluck --keys-database postgres://potluck_keys@10.0.0.10/potluck_keys';
    const [cron, on] = ['/etc/cron.daily/potluck', `--state ${STATE}`];
    first.write(cron, fileIn(ONE, cron).replace(on, `${on} ${options}`), '755');
    first.run(cron);
    assert.match(first.run('ls /var/backups/potluck'), /\.backup$/m);
    // The site with its backend, as when its machine goes.
    first.run('kill -9 "-$(cat /run/potluck.pid)"');
    for (let index = 0; index < 2; index += 1) served();
  });
});
