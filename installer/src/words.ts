import type { Installed } from './install.ts';
import type { InstallOptions } from './options.ts';
import { quantitiesOf, vesselPercent } from './share.ts';

/** What was done, for the donor: where, what is given, to whom, and how to take it back. */
export function describeInstalled(installed: Installed, options: InstallOptions): string {
  const { layout, installation, machine, listening } = installed;
  const each = vesselPercent(options.percent);
  const one = quantitiesOf(machine, each);
  const count = installation.vessels;
  const all = (value: number): number => value * count;
  const state = listening
    ? `It runs and listens at ${listening.host} port ${listening.port}.`
    : `It does not run yet: "${layout.control} start" starts it.`;
  return [
    `Installed in ${layout.directory}, and nowhere else.`,
    `You give ${each * count} % of this machine: ${count} ${count === 1 ? 'vessel' : 'vessels'} of ${each} %, together at most`,
    `  ${all(one.cpu).toFixed(2)} of ${machine.cores} cores, ${size(all(one.memory))} of ${size(machine.memoryBytes)} memory, ` +
      `${size(all(one.diskused))} of ${size(machine.freeDiskBytes)} free disk.`,
    `The vessels belong to ${installation.donation.donor} at ${installation.donation.clearinghouse}`,
    `This node is ${installation.node}.`,
    state,
    `Look, stop, start:  ${layout.control} status|stop|start   (it does not start by itself after a reboot)`,
    `Remove all of it:   ${layout.control} uninstall`,
  ].join('\n');
}

/** Bytes in decimal units, as disks and memory are sold. */
function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
