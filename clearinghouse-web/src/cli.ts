import { access, constants, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Address,
  addressSchema,
  ConfigError,
  describeError,
  describeFindings,
  writeJson,
} from '@potluck/protocol';
import { pino } from 'pino';
import { backupTo, restoreFrom } from './backup/commands.ts';
import { Clearinghouse, type ClearinghouseInit } from './clearinghouse.ts';
import { examine } from './doctor/examine.ts';
import { ServiceError } from './errors.ts';
import { LIMITS, POLICY } from './limits.ts';
import { asOperator, type Place } from './operator.ts';
import { loadPolicy, type Policy } from './policy.ts';
import { isPostgresUrl, withoutPasswords } from './store/postgres.ts';
import type { Role } from './store/schema.ts';

const USAGE = [
  'clearinghouse run --state DIR [--host 127.0.0.1] [--port 8080] [--gateway-host HOST] [--gateway-port 8443] [--public-url URL] [--public-gateway HOST:PORT] [--link-host HOST] [--proxy ADDRESS] [--metrics-port PORT [--metrics-host 127.0.0.1]] [--payload FILE] [--policy FILE] [--database postgres://...] [--keys-database postgres://...] [--new-keys-database]',
  'clearinghouse admin USERNAME --state DIR [--revoke] [--database postgres://...]',
  'clearinghouse check --state DIR [--database postgres://...]',
  'clearinghouse doctor --state DIR [--json] [--database postgres://...] [--keys-database postgres://...]',
  'clearinghouse backup FILE --state DIR [--database postgres://...] [--keys-database postgres://...]',
  'clearinghouse restore FILE --state DIR [--replace] [--moved] [--database postgres://...] [--keys-database postgres://...]',
  'clearinghouse emergency-stop --state DIR [--reason TEXT | --lift] [--database postgres://...]',
].join('" or "');

/** The command `clearinghouse`. @returns the exit code: 0, 1 for a failure, 2 for a wrong command line. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await obey(parsed(args));
  } catch (error) {
    process.stderr.write(`clearinghouse: ${describeError(error)}\n`);
    return error instanceof ConfigError && error.code === 'USAGE' ? 2 : 1;
  }
}

type Parsed = ReturnType<typeof parsed>;

/** @returns the exit code. */
async function obey(command: Parsed): Promise<number> {
  const { values, positionals } = command;
  if (positionals[0] !== 'doctor' || positionals.length > 1) {
    await carryOut(command);
    return 0;
  }
  if (values.state === undefined) throw usage('got no --state');
  const findings = await examine({
    state: resolve(values.state),
    database: databaseOf('--database', values.database),
    keysDatabase: databaseOf('--keys-database', values['keys-database']),
  });
  process.stdout.write(`${values.json ? JSON.stringify(findings) : describeFindings(findings).join('\n')}\n`);
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
}

async function carryOut({ values, positionals }: Parsed): Promise<void> {
  process.umask(0o077);
  const [command, name, ...rest] = positionals;
  if (values.state === undefined) throw usage('got no --state');
  const state = resolve(values.state);
  const database = databaseOf('--database', values.database);
  if (command === 'run' && name === undefined) {
    for (const flag of ['database', 'keys-database'] as const) warnOfPassword(flag, values[flag]);
    return await run({ ...initOf(values, state), policy: await policyAt(values.policy) });
  }
  if (command === 'check' && name === undefined) return await checkLedger({ state, database });
  if (command === 'admin' && name !== undefined && rest.length === 0) {
    return await setRole({ state, database }, name, values.revoke ? 'user' : 'admin');
  }
  const keysDatabase = databaseOf('--keys-database', values['keys-database']);
  const place = { state, database, keysDatabase };
  if (command === 'backup' && name !== undefined && rest.length === 0) return await backupTo(place, name);
  if (command === 'restore' && name !== undefined && rest.length === 0) return await restoreFrom(place, name, values);
  if (command === 'emergency-stop' && name === undefined) {
    if (values.lift && values.reason !== undefined) throw usage('got a --reason to --lift it');
    return await switchStop({ state, database }, values.lift ? undefined : (values.reason ?? 'the operator says so'));
  }
  throw usage(`got "${positionals.join(' ')}"`);
}

async function policyAt(path: string | undefined): Promise<Policy> {
  return path === undefined ? POLICY : await loadPolicy(resolve(path));
}

/** @throws ServiceError LEDGER_BROKEN */
async function checkLedger(place: Place): Promise<void> {
  const faults = await asOperator(place, async (store) => await store.ledger.check());
  for (const { account, message } of faults) process.stderr.write(`clearinghouse: account ${account}: ${message}\n`);
  if (faults.length > 0)
    throw new ServiceError('LEDGER_BROKEN', 'expected a ledger that adds up, got one that does not');
  process.stdout.write('clearinghouse: the ledger adds up\n');
}

/** @param reason undefined to lift it. */
async function switchStop(place: Place, reason: string | undefined): Promise<void> {
  if (reason !== undefined && reason.length > LIMITS.reasonLength) {
    throw usage(`got a --reason of ${reason.length} characters, over ${LIMITS.reasonLength}`);
  }
  const count = await asOperator(place, async ({ emergency }) =>
    reason === undefined ? await emergency.lift('operator') : await emergency.stop('operator', reason),
  );
  const vessels = `${count} ${count === 1 ? 'vessel' : 'vessels'}`;
  const words =
    reason === undefined ? `lifted, ${vessels} are given back` : `nobody can acquire, ${vessels} are being stopped`;
  process.stdout.write(`clearinghouse: ${words}; the backend of a running site does it\n`);
}

async function setRole(place: Place, username: string, role: Role): Promise<void> {
  await asOperator(place, async (store) => await store.administration.setRole('operator', username, role));
  const what = role === 'admin' ? 'is an administrator now' : 'is no administrator any more';
  process.stdout.write(`clearinghouse: ${username} ${what}\n`);
}

function initOf(values: Parsed['values'], state: string): ClearinghouseInit {
  const publicUrl = values['public-url'];
  if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? '')) {
    throw new ConfigError('USAGE', `expected an http or https address for --public-url, got "${publicUrl}"`);
  }
  const metricsPort = values['metrics-port'];
  return {
    state,
    database: databaseOf('--database', values.database),
    keysDatabase: databaseOf('--keys-database', values['keys-database']),
    newKeysDatabase: values['new-keys-database'],
    host: values.host,
    port: portOf('--port', values.port),
    gatewayHost: values['gateway-host'] ?? values.host,
    gatewayPort: portOf('--gateway-port', values['gateway-port']),
    publicUrl,
    publicGateway: addressOf('--public-gateway', values['public-gateway']),
    linkHost: values['link-host'],
    proxies: values.proxy.map(proxyOf),
    metrics:
      metricsPort === undefined
        ? undefined
        : { host: values['metrics-host'], port: portOf('--metrics-port', metricsPort) },
    payload: values.payload === undefined ? undefined : resolve(values.payload),
    logger: pino(
      { name: 'site', base: null, level: process.env.LOG_LEVEL ?? 'info' },
      pino.destination({ fd: 2, sync: true }),
    ),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        state: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '8080' },
        'gateway-host': { type: 'string' },
        'gateway-port': { type: 'string', default: '8443' },
        'public-url': { type: 'string' },
        'public-gateway': { type: 'string' },
        'link-host': { type: 'string' },
        'metrics-port': { type: 'string' },
        'metrics-host': { type: 'string', default: '127.0.0.1' },
        proxy: { type: 'string', multiple: true, default: [] },
        payload: { type: 'string' },
        database: { type: 'string' },
        'keys-database': { type: 'string' },
        'new-keys-database': { type: 'boolean', default: false },
        policy: { type: 'string' },
        json: { type: 'boolean', default: false },
        revoke: { type: 'boolean', default: false },
        replace: { type: 'boolean', default: false },
        moved: { type: 'boolean', default: false },
        lift: { type: 'boolean', default: false },
        reason: { type: 'string' },
      },
    });
  } catch (cause) {
    throw usage(`got: ${describeError(cause)}`);
  }
}

function portOf(flag: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new ConfigError('USAGE', `expected a port of 0 to 65535 for ${flag}, got "${text}"`);
  return port;
}

function proxyOf(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new ConfigError('USAGE', `expected an IP address for --proxy, got "${text}"`);
}

function addressOf(flag: string, text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const address = addressSchema.safeParse({ host, port: Number(port) });
  if (address.success) return address.data;
  throw new ConfigError('USAGE', `expected HOST:PORT for ${flag}, got "${text}"`);
}

/** What stands in a command line, everybody on the machine can read for as long as it runs. */
function warnOfPassword(flag: string, text: string | undefined): void {
  if (text === undefined || withoutPasswords(text) === text) return;
  process.stderr.write(
    `clearinghouse: everybody on this machine can see the password in --${flag} (ps): put it into ~/.pgpass, mode 0600, or into the file that PGPASSFILE names\n`,
  );
}

/** @returns the address of a PostgreSQL; undefined for the file in the state directory. */
function databaseOf(flag: string, text: string | undefined): string | undefined {
  if (text === undefined || isPostgresUrl(text)) return text;
  throw new ConfigError('USAGE', `expected postgres://USER@HOST/DATABASE for ${flag}, got "${withoutPasswords(text)}"`);
}

function usage(got: string): ConfigError {
  return new ConfigError('USAGE', withoutPasswords(`expected "${USAGE}", ${got}`));
}

async function run(init: ClearinghouseInit): Promise<void> {
  const told = new Promise<void>((tell) => {
    process.once('SIGTERM', () => tell());
    process.once('SIGINT', () => tell());
  });
  if (init.payload !== undefined) {
    await access(init.payload, constants.R_OK).catch((cause: unknown) => {
      throw new ServiceError('PAYLOAD_MISSING', `expected a payload at ${init.payload}, got none that can be read`, {
        cause,
      });
    });
  }
  await using clearinghouse = new Clearinghouse(init);
  await clearinghouse.start();
  const { url, gatewayAddress: gateway, listening, metricsAddress: metrics } = clearinghouse;
  const path = join(init.state, 'address.json');
  await writeJson(path, { url, gateway, listening, metrics, proxies: init.proxies, pid: process.pid });
  process.stdout.write(`clearinghouse: portal at ${url}, nodes dial ${gateway.host}:${gateway.port}\n`);
  await told;
  await rm(path, { force: true });
}
