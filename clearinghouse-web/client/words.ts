import type { Ending, VesselInfo, VesselState } from '@potluck/protocol';

/** Of how a program ended, in a list. */
const MOST_SHOWN = 60;

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

/** In a few words, `running hello.js`, and how it ended. */
export function programInWords({ state, program, ending }: VesselInfo): { text: string; more: string } {
  if (state === 'Fresh') return { text: 'nothing yet', more: '' };
  if (state === 'Started') return { text: `running ${program ?? 'a program'}`, more: '' };
  const how = endingInWords(ending);
  const few = how.length > MOST_SHOWN ? `${how.slice(0, MOST_SHOWN - 1)}…` : how;
  return { text: [`${program ?? ''} ${stateInWords(state)}`.trim(), few].filter(Boolean).join(': '), more: how };
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
