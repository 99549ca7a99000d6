// Runs on whatever Node >= 20 is there: installs what is missing, so that everything after it runs on the pinned Node.
// With --tests it also finds or installs what only the tests need: a Chromium, and on Linux bubblewrap, PostgreSQL and nginx.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampPath = join(root, 'node_modules', '.potluck-setup');

/** @returns {never} */
function fail(/** @type {string} */ sentence) {
  console.error(`setup: ${sentence}`);
  process.exit(1);
}

function run(/** @type {string} */ command, /** @type {string[]} */ args, /** @type {object} */ options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options }).status === 0;
}

function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = `${lock} ${process.platform} ${process.arch}`;
  const pinned = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(pinned) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  const startedAt = Date.now();
  console.log('setup: installing the locked packages, the pinned Node included ...');
  // npm 10 knows no "allowScripts" and would compile what comes ready-made: so no script runs but the pinned Node's.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const done =
    run('npm', ['ci', '--ignore-scripts', ...quiet]) &&
    run('npm', ['rebuild', 'node', '--ignore-scripts=false', ...quiet]);
  if (!done) fail('expected npm to install the locked packages, it failed: its words are above');
  if (!existsSync(pinned))
    fail('expected the package "node" to bring the pinned Node: check that npm may run its install script');
  writeFileSync(stampPath, stamp);
  console.log(`setup: installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

const CHROMIUM_PATHS = [
  process.env.POTLUCK_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

function findChromium() {
  return CHROMIUM_PATHS.find((path) => path !== undefined && existsSync(path));
}

const canUseApt = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

function aptInstall(/** @type {string} */ name) {
  console.log(`setup: installing Debian's ${name} for the tests ...`);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const quiet = ['-qq', '-o', 'Dpkg::Use-Pty=0'];
  return run('apt-get', ['update', ...quiet], options) && run('apt-get', ['install', '-y', ...quiet, name], options);
}

/** Leaves the path of a browser in .potluck/chromium, or nothing there when Playwright has its own. */
function installBrowser() {
  let found = findChromium();
  if (found === undefined && canUseApt && aptInstall('chromium')) found = findChromium();
  mkdirSync(join(root, '.potluck'), { recursive: true });
  if (found === undefined) {
    console.log("setup: no Chromium found, trying Playwright's own download ...");
    if (!run(join(root, 'node_modules/.bin/playwright'), ['install', 'chromium-headless-shell'])) {
      fail('expected a Chromium for the browser tests: install one and name it in POTLUCK_CHROMIUM');
    }
  }
  writeFileSync(join(root, '.potluck', 'chromium'), found ?? '');
}

/** Without it the tests of that wall show what stands in its place; the rest runs all the same. */
function installBubblewrap() {
  if (process.platform !== 'linux' || existsSync('/usr/bin/bwrap')) return;
  if (canUseApt && aptInstall('bubblewrap')) return;
  console.log('setup: no bubblewrap here, so the outer wall of vessels is tested without it');
}

/** Without it the tests on PostgreSQL are pending; those on SQLite run all the same. */
function installPostgres() {
  if (process.platform !== 'linux' || existsSync('/usr/lib/postgresql') || existsSync('/usr/bin/initdb')) return;
  if (canUseApt && aptInstall('postgresql')) return;
  console.log('setup: no PostgreSQL here, so the clearinghouse is tested on SQLite only');
}

/** Without it docs/DEPLOY.md is not tried. Where something would start it as a service at once, nobody asked for that. */
function installNginx() {
  if (process.platform !== 'linux' || existsSync('/usr/sbin/nginx')) return;
  const wouldStart = existsSync('/run/systemd/system');
  if (canUseApt && !wouldStart && aptInstall('nginx-light') && aptInstall('libnginx-mod-stream')) return;
  console.log('setup: no nginx here, so docs/DEPLOY.md is not tried as it is written');
}

installPackages();
if (process.argv.includes('--tests')) {
  installBrowser();
  installBubblewrap();
  installPostgres();
  installNginx();
}
