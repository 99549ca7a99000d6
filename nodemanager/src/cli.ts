import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, describeError, describeFindings } from '@potluck/protocol';
import { examine } from './doctor.ts';
import { StateLock } from './lock.ts';
import { NodeManager } from './manager.ts';
import { becomeOwnUser } from './own-user.ts';
import { statePaths } from './paths.ts';
import { describeStatus, statusOf } from './status.ts';

const NAMES = ['run', 'status', 'doctor'] as const;
const USAGE =
  'nodemanager run --state DIR [--runtime DIR] [--user NAME|NUMBER|root]   or   nodemanager status --state DIR [--json]   or   nodemanager doctor --state DIR [--json]';

interface Command {
  readonly name: (typeof NAMES)[number];
  readonly state: string;
  readonly runtime: string | undefined;
  readonly user: string | undefined;
  readonly json: boolean;
}

/**
 * Runs one command. @returns the exit code: 0, 1 for a failure (of `doctor`: for something wrong), 2 for a wrong command
 * line; never throws.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const command = parse(args);
    if (command.name === 'doctor') return await doctor(command);
    if (command.name === 'status') await status(command);
    else await run(command);
    return 0;
  } catch (error) {
    console.error(`nodemanager: ${describeError(error)}`);
    return error instanceof ConfigError && error.code === 'USAGE' ? 2 : 1;
  }
}

async function run({ state, runtime, user }: Command): Promise<void> {
  process.umask(0o077); // Whatever makes a file here, and whoever started us.
  leaveRoot({ state, runtime, user });
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  await using manager = new NodeManager({ state, runtime });
  let isAsked = false;
  const stop = (): void => {
    // Whoever asks again does not want to wait for programs.
    if (isAsked) void manager.stop();
    isAsked = true;
    resolve();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  await manager.start();
  const { host, port } = manager.address;
  console.log(`node ${manager.id} listens on ${host} port ${port}`);
  await asked;
}

/** What listens to the network is not root: it starts anew as a user of its own, unless it is told not to. */
function leaveRoot({ state, runtime, user }: Pick<Command, 'state' | 'runtime' | 'user'>): void {
  if (process.getuid?.() !== 0 || user === 'root' || StateLock.isHeld(statePaths(state))) return;
  const reason = becomeOwnUser({ state: resolve(state), user, files: runtime === undefined ? [] : [runtime] });
  console.error(`nodemanager: goes on as root, for ${reason}`);
}

async function status({ state, json }: Command): Promise<void> {
  const found = await statusOf(statePaths(state));
  console.log(json ? JSON.stringify(found) : describeStatus(found).join('\n'));
}

async function doctor({ state, json }: Command): Promise<number> {
  const findings = await examine(statePaths(state));
  console.log(json ? JSON.stringify(findings) : describeFindings(findings).join('\n'));
  return findings.some(({ state: found }) => found === 'wrong') ? 1 : 0;
}

function parse(args: readonly string[]): Command {
  const { values, positionals } = parseOptions(args);
  const [name, ...more] = positionals;
  const known = NAMES.find((candidate) => candidate === name);
  if (known === undefined || more.length > 0) {
    throw usage(`got ${name === undefined ? 'no command' : `"${positionals.join(' ')}"`}`);
  }
  if (values.state === undefined) throw usage('got no --state');
  const { state, runtime, user, json = false } = values;
  if (known !== 'run' && runtime !== undefined) throw usage(`got --runtime with ${known}`);
  if (known !== 'run' && user !== undefined) throw usage(`got --user with ${known}`);
  if (known === 'run' && json) throw usage(`got --json with ${known}`);
  return { name: known, state, runtime, user, json };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        state: { type: 'string' },
        runtime: { type: 'string' },
        user: { type: 'string' },
        json: { type: 'boolean' },
      },
      allowPositionals: true,
    });
  } catch (cause) {
    throw usage(describeError(cause));
  }
}

function usage(got: string): ConfigError {
  return new ConfigError('USAGE', `expected ${USAGE}; ${got}`);
}
