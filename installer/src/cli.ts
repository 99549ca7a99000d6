import { describeError } from '@potluck/protocol';
import { start, status, stop, uninstall } from './control.ts';
import { InstallError } from './errors.ts';
import { install } from './install.ts';
import { INSTALL_USAGE, parseInstallOptions } from './options.ts';
import { describeInstalled } from './words.ts';

const USAGE = 'usage: potluck start|stop|status|uninstall [--yes]';

/**
 * The command on the donor's machine: `install` from an extracted archive, the others in an installation.
 * @param root the top folder of the archive, or the installation's directory
 * @returns the exit code: 2 for a wrong command line, 1 for any other failure
 */
export async function controlMain(root: string, args: readonly string[]): Promise<number> {
  const [command = '', ...rest] = args;
  try {
    console.log(await run(root, command, rest));
    return 0;
  } catch (error) {
    console.error(`${command === 'install' ? 'install.sh' : 'potluck'}: ${describeError(error)}`);
    return error instanceof InstallError && error.code === 'USAGE' ? 2 : 1;
  }
}

async function run(root: string, command: string, rest: readonly string[]): Promise<string> {
  if (command === 'install') return await runInstall(root, rest);
  if (command === '--help' || command === '-h') return USAGE;
  const yes = command === 'uninstall' && rest[0] === '--yes';
  if (rest.length > (yes ? 1 : 0)) throw usage([command, ...rest].join(' '));
  if (command === 'start') return await start(root);
  if (command === 'stop') return await stop(root);
  if (command === 'status') return await status(root);
  if (command === 'uninstall') return await uninstall(root, { yes });
  throw usage(command);
}

function usage(got: string): InstallError {
  return new InstallError('USAGE', `expected start, stop, status or uninstall [--yes], got "${got}"; ${USAGE}`);
}

async function runInstall(root: string, args: readonly string[]): Promise<string> {
  if (args.includes('--help') || args.includes('-h')) return INSTALL_USAGE;
  const options = parseInstallOptions(args);
  return describeInstalled(await install(root, options), options);
}
