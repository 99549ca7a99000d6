import type { Ending, VesselState } from '@potluck/protocol';

const STATES: Readonly<Record<VesselState, string>> = {
  Fresh: 'empty',
  Started: 'running',
  Stopped: 'stopped',
  Terminated: 'ended',
  Stale: 'cut off',
};

export function stateInWords(state: VesselState): string {
  return STATES[state];
}

/** Why a program runs no longer: `the program said exitall()`. */
export function endingInWords(ending: Ending | undefined): string {
  if (ending === undefined) return '';
  return ending.exitCode === 0 ? ending.message : `${ending.message} (exit code ${ending.exitCode})`;
}

/** `12 B`, `3.4 KiB`, `7.5 MiB`. */
export function bytesInWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const step = Math.min(units.length - 1, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}

/** Arguments as people write them: apart by spaces, in quotes when they have some. */
export function argumentsIn(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}
