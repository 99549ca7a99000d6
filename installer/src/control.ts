import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { findDaemon, startDaemon, stopDaemon } from './daemon.ts';
import { fileError, InstallError } from './errors.ts';
import { requireInstallation } from './layout.ts';

/** Starts the node manager of an installation. @returns what to tell the donor */
export async function start(directory: string): Promise<string> {
  const { layout, installation } = await requireInstallation(directory);
  const running = await findDaemon(layout);
  if (running !== undefined) return `Potluck runs already, as process ${running.mark.pid}.`;
  const { host, port, pid } = await startDaemon(layout);
  return `Potluck runs: node ${installation.node} listens at ${host} port ${port}, process ${pid}.`;
}

export async function stop(directory: string): Promise<string> {
  const { layout } = await requireInstallation(directory);
  const ran = await stopDaemon(layout);
  return ran ? 'Potluck has stopped, and every program in it.' : 'Potluck does not run.';
}

export async function status(directory: string): Promise<string> {
  const { layout, installation } = await requireInstallation(directory);
  const running = await findDaemon(layout);
  const { vessels, percent, donation, node } = installation;
  const where = running?.listening ? `, at ${running.listening.host} port ${running.listening.port}` : '';
  return [
    running === undefined ? 'Potluck does not run.' : `Potluck runs as process ${running.mark.pid}${where}.`,
    `It gives ${vessels} ${vessels === 1 ? 'vessel' : 'vessels'}, ${percent} % of this machine at most, to ${donation.donor} at ${donation.clearinghouse}`,
    `Node ${node}, installed in ${layout.directory} at ${installation.installedAt}.`,
  ].join('\n');
}

/**
 * Stops the node manager and removes the whole directory, the vessels' files with it.
 * @throws InstallError NOT_AN_INSTALLATION, NOT_CONFIRMED, STOP_FAILED, NO_PERMISSION
 */
export async function uninstall(directory: string, options: { yes: boolean }): Promise<string> {
  const { layout } = await requireInstallation(directory);
  if (!options.yes) await confirm(`Stop Potluck and remove ${directory} with everything in it? [y/N] `);
  await stopDaemon(layout);
  await rm(directory, { recursive: true, force: true }).catch((error: unknown) => {
    throw fileError(error, directory);
  });
  return `Potluck is gone: ${directory} was removed, and nothing else was ever written.`;
}

async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new InstallError('NOT_CONFIRMED', 'expected --yes where nobody can be asked, got "uninstall" alone');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(question);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new InstallError('NOT_CONFIRMED', 'expected "y" to remove it, got another answer: nothing was changed');
}
