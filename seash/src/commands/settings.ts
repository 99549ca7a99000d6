import { z } from 'zod';
import { type Command, command } from '../command.ts';
import { CommandError } from '../errors.ts';
import type { Session } from '../session.ts';

/** What `set timeout` and `set uploadrate` take. */
export const SETTING_LIMITS = {
  timeoutLeastSeconds: 1,
  timeoutMostSeconds: 3600,
  uploadrateLeastBytes: 1,
  uploadrateMostBytes: 1_000_000_000,
} as const;

/** How one setting that is a number is kept, and its bounds. */
interface Figure {
  readonly name: 'timeout' | 'uploadrate';
  readonly unit: 's' | 'B/s';
  readonly summary: string;
  readonly example: string;
  readonly least: number;
  readonly most: number;
  get(session: Session): number;
  set(session: Session, value: number): void;
}

const FIGURES: readonly Figure[] = [
  {
    name: 'timeout',
    unit: 's',
    summary: 'how long a node may take to answer, in seconds; to connect it has 10 at most',
    example: 'set timeout 60',
    least: SETTING_LIMITS.timeoutLeastSeconds,
    most: SETTING_LIMITS.timeoutMostSeconds,
    get: ({ connections }) => connections.replyTimeoutMs / 1000,
    set: ({ connections }, value) => {
      connections.replyTimeoutMs = value * 1000;
    },
  },
  {
    name: 'uploadrate',
    unit: 'B/s',
    summary: 'how fast a file goes up at least, in bytes a second: a large one may take longer than the timeout',
    example: 'set uploadrate 5120',
    least: SETTING_LIMITS.uploadrateLeastBytes,
    most: SETTING_LIMITS.uploadrateMostBytes,
    get: ({ connections }) => connections.uploadBytesPerSecond,
    set: ({ connections }, value) => {
      connections.uploadBytesPerSecond = value;
    },
  },
];

const SWITCHES = {
  autosave: 'Keep the state after each command, sealed for the identity; "loadstate" alone loads it',
  showparse: 'Show with each result how its line was understood',
} as const;

export const settingCommands: readonly Command[] = [
  ...FIGURES.flatMap((figure) => [showFigure(figure), setFigure(figure)]),
  setSwitch('autosave'),
  setSwitch('showparse'),
];

function showFigure({ name, unit, summary, get }: Figure): Command {
  return command({
    name: `show ${name}`,
    summary: `Show ${summary}.`,
    slots: [],
    example: `show ${name}`,
    result: z.object({ value: z.number(), unit: z.literal(unit) }),
    run: async ({ session }) => ({ value: get(session), unit }),
    render: ({ value }) => `${value} ${unit}`,
  });
}

function setFigure({ name, unit, summary, example, least, most, set }: Figure): Command {
  return command({
    name: `set ${name}`,
    summary: `Say ${summary}.`,
    slots: [{ name: 'NUMBER', kind: 'text' }],
    example,
    result: z.object({ value: z.number(), unit: z.literal(unit) }),
    run: async ({ session }, { NUMBER }) => {
      const value = /^\d{1,10}(\.\d{1,3})?$/.test(NUMBER) ? Number(NUMBER) : Number.NaN;
      if (!(value >= least && value <= most)) {
        throw new CommandError(
          'BAD_ARGUMENTS',
          `expected a number from ${least} to ${most} (${unit}), got "${NUMBER}"`,
        );
      }
      set(session, value);
      return { value, unit };
    },
    render: () => '',
  });
}

function setSwitch(name: keyof typeof SWITCHES): Command {
  return command({
    name: `set ${name}`,
    summary: `${SWITCHES[name]}: on or off.`,
    slots: [{ name: 'ON|OFF', kind: 'text' }],
    example: `set ${name} on`,
    result: z.object({ on: z.boolean() }),
    run: async ({ session }, { 'ON|OFF': word }) => {
      const on = onOrOff(word);
      if (on && name === 'autosave' && session.home === undefined) {
        throw new CommandError('BAD_ARGUMENTS', 'expected a shell with a home to keep states in, got one without');
      }
      session[name] = on;
      return { on };
    },
    render: () => '',
  });
}

/** @throws CommandError BAD_ARGUMENTS */
export function onOrOff(word: string): boolean {
  if (word === 'on' || word === 'off') return word === 'on';
  throw new CommandError('BAD_ARGUMENTS', `expected "on" or "off", got "${word}"`);
}
