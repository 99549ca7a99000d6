import { parseArgs } from 'node:util';
import { ConfigError, describeError } from '@potluck/protocol';
import { NodeManager } from './manager.ts';
import { statePaths } from './paths.ts';
import { describeNode } from './status.ts';

const USAGE = 'nodemanager run --state DIR [--runtime DIR]   or   nodemanager status --state DIR';

interface Command {
  readonly name: 'run' | 'status';
  readonly state: string;
  readonly runtime: string | undefined;
}

/** Runs one command. @returns the exit code: 0, 1 for a failure, 2 for a wrong command line; never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const command = parse(args);
    if (command.name === 'status') console.log((await describeNode(statePaths(command.state))).join('\n'));
    else await run(command);
    return 0;
  } catch (error) {
    console.error(`nodemanager: ${describeError(error)}`);
    return error instanceof ConfigError && error.code === 'USAGE' ? 2 : 1;
  }
}

async function run({ state, runtime }: Command): Promise<void> {
  const { promise: asked, resolve: stop } = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop());
  await using manager = new NodeManager({ state, runtime });
  await manager.start();
  const { host, port } = manager.address;
  console.log(`node ${manager.id} listens on ${host} port ${port}`);
  await asked;
}

function parse(args: readonly string[]): Command {
  const { values, positionals } = parseOptions(args);
  const [name, ...more] = positionals;
  if ((name !== 'run' && name !== 'status') || more.length > 0) {
    throw usage(`got ${name === undefined ? 'no command' : `"${positionals.join(' ')}"`}`);
  }
  if (values.state === undefined) throw usage('got no --state');
  if (name === 'status' && values.runtime !== undefined) throw usage('got --runtime with status');
  return { name, state: values.state, runtime: values.runtime };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { state: { type: 'string' }, runtime: { type: 'string' } },
      allowPositionals: true,
    });
  } catch (cause) {
    throw usage(describeError(cause));
  }
}

function usage(got: string): ConfigError {
  return new ConfigError('USAGE', `expected ${USAGE}; ${got}`);
}
