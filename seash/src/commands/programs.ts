import { type FileName, LIMITS, PeerError, RequestError, type Result, vesselStateSchema } from '@potluck/protocol';
import { z } from 'zod';
import { ask, askMeanwhile, type Bulk, bulkSchema, nodeFacts, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { type Followed, followAll, followedShape, followingShape, summaryOf } from '../follow.ts';
import { bundled, programName } from '../program.ts';
import { affectedText, interruptedText } from '../report.ts';
import type { Context } from '../session.ts';
import { sure, YES } from '../sure.ts';
import type { Target } from '../targets.ts';
import { filesOf, uploadNew } from '../upload.ts';

interface Program {
  readonly name: FileName;
  readonly bytes: Uint8Array;
  readonly args: string[];
}

/** `logFrom`: where in the vessel's log the program's own lines begin. */
const startedShape = { ...followedShape, logFrom: z.int() };

const FOLLOW = {
  name: 'follow',
  summary: "Show the logs until the programs have ended; seash's exit code is then the highest of theirs.",
} as const;

export const run = command({
  name: 'run',
  summary: 'Bundle the program FILE, upload it where it differs, and start it with the ARGs.',
  slots: [
    { name: 'FILE', kind: 'file' },
    { name: 'ARG', kind: 'text', rest: true },
  ],
  options: [FOLLOW, { name: 'no-check', summary: 'Upload it whatever is wrong with its types or its names.' }],
  example: 'on %all run --follow pingclient.js 10.0.0.7 hello',
  leaves: 'run',
  result: bulkSchema({ ...startedShape, uploaded: z.boolean() }).extend({
    program: z.string(),
    bytes: z.int(),
    ...followingShape,
  }),
  run: async (context, { FILE, ARG, follow, 'no-check': unchecked }) => {
    const targets = context.vessels();
    const args = checkedArgs(ARG);
    const factsOf = nodeFacts(context);
    const bundle = await askMeanwhile(context, { targets, factsOf }, async () => {
      return await bundled(context, context.session.path(FILE), { check: !unchecked });
    });
    const program = { ...bundle, args };
    const outcome = await onEach(context, targets, async (target) => {
      checkIdle(await factsOf(target), target);
      const uploaded = (await uploadNew(context, target, [program])) > 0;
      return { ...(await start(context, target, program)), uploaded };
    });
    const facts = { program: program.name, bytes: program.bytes.byteLength };
    return { ...facts, ...(follow ? await followed(context, outcome) : outcome) };
  },
  isOk,
  render: ({ program, vessels, interrupted }) => {
    const fresh = vessels.filter(({ uploaded }) => uploaded);
    const kept = vessels.filter(({ uploaded }) => !uploaded);
    return [
      affectedText(`Uploaded and started ${program}`, fresh),
      affectedText(`Started ${program}, which was there already,`, kept),
      interruptedText(vessels, interrupted),
    ]
      .filter(Boolean)
      .join('\n');
  },
});

export const startCommand = command({
  name: 'start',
  summary: "Start a program that is in the vessel's files, with the ARGs.",
  slots: [
    { name: 'PROGRAM', kind: 'text' },
    { name: 'ARG', kind: 'text', rest: true },
  ],
  options: [FOLLOW],
  example: 'on %1 start hello.js',
  leaves: 'start',
  result: bulkSchema(startedShape).extend(followingShape),
  run: async (context, { PROGRAM, ARG, follow }) => {
    const name = programName(PROGRAM);
    const args = checkedArgs(ARG);
    const outcome = await onEach(context, context.vessels(), async (target) => {
      await filesOf(context, target); // Opens a lost connection again, which a start by itself does not dare to.
      return await start(context, target, { name, args });
    });
    return follow ? await followed(context, outcome) : outcome;
  },
  isOk,
  render: ({ vessels, interrupted }) =>
    [affectedText('Started', vessels), interruptedText(vessels, interrupted)].filter(Boolean).join('\n'),
});

export const stop = command({
  name: 'stop',
  summary: 'Stop the program in each vessel.',
  slots: [],
  example: 'on %all stop',
  leaves: 'stop',
  result: bulkSchema({ state: vesselStateSchema }),
  run: async (context) =>
    await onEach(context, context.vessels(), async (target) => {
      return (await ask(context, target, { method: 'StopVessel', params: { vessel: target.vessel } })).result;
    }),
  render: ({ vessels }) => affectedText('Stopped', vessels),
});

export const reset = command({
  name: 'reset',
  summary: 'Stop the program in each vessel, remove its files and its log. At a terminal it asks, of more than one.',
  slots: [],
  options: [YES],
  example: 'on %all reset --yes',
  leaves: 'reset',
  result: bulkSchema({ state: vesselStateSchema }),
  run: async (context, { yes }) => {
    const targets = context.vessels();
    if (!yes) await sure(context, targets, 'Reset');
    return await onEach(context, targets, async (target) => {
      return (await ask(context, target, { method: 'ResetVessel', params: { vessel: target.vessel } })).result;
    });
  },
  render: ({ vessels }) => affectedText('Reset', vessels),
});

export const programCommands = [run, startCommand, stop, reset];

/** @throws CommandError BAD_ARGUMENTS */
export function checkedArgs(args: readonly string[]): string[] {
  const { programArguments, programArgumentLength } = LIMITS;
  if (args.length > programArguments) {
    throw new CommandError('BAD_ARGUMENTS', `expected at most ${programArguments} arguments, got ${args.length}`);
  }
  const longest = Math.max(0, ...args.map((arg) => arg.length));
  if (longest <= programArgumentLength) return [...args];
  throw new CommandError(
    'BAD_ARGUMENTS',
    `expected arguments of at most ${programArgumentLength} characters, got one of ${longest}`,
  );
}

/** So that no file is replaced under a program that runs. @throws RequestError BAD_STATE */
function checkIdle({ vessels }: Result<'GetVessels'>, { vessel }: Target): void {
  if (vessels.find(({ name }) => name === vessel)?.state !== 'Started') return;
  throw new RequestError(
    'BAD_STATE',
    'expected a vessel without a running program, got one that is Started: say "stop" first',
  );
}

/** @throws CommandError NOT_STARTED, START_UNKNOWN: the connection broke before the node's word came. */
async function start(context: Context, target: Target, program: Pick<Program, 'name' | 'args'>) {
  const params = { vessel: target.vessel, program: program.name, args: program.args };
  try {
    return (await ask(context, target, { method: 'StartVessel', params })).result;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return await startedAfterAll(context, target, program.name);
  }
}

/** Asks the node what came of a start whose reply did not come; it is never sent twice. */
async function startedAfterAll(context: Context, { vessel, info, ...target }: Target, program: FileName) {
  const now = await ask(context, target, { method: 'ListFilesInVessel', params: { vessel } }) // Waits for the start, if it came.
    .then(() => ask(context, target, { method: 'GetVessels', params: {} }))
    .then(({ result }) => result.vessels.find(({ name }) => name === vessel))
    .catch((cause: unknown) => {
      const message = 'expected the node to say that the program started, got nothing more from it: it may run';
      throw new CommandError('START_UNKNOWN', message, { cause });
    });
  const isNew = now?.program === program && (now.state === 'Started' || now.since > info.since);
  if (now !== undefined && isNew) return { state: now.state, logFrom: 0 }; // Where it began the reply would have said.
  const message = 'expected the node to say that the program started, got a broken connection: it was not started';
  throw new CommandError('NOT_STARTED', message);
}

type Start = Result<'StartVessel'>;

/** Follows what was started until it has ended. */
async function followed<T extends Start>(context: Context, outcome: Bulk<T>) {
  const { targets } = context.session;
  const follows = outcome.vessels.flatMap(({ id, logFrom }) => {
    return targets.resolve(id).map((target) => ({ target, from: logFrom }));
  });
  const { vessels, failed } = await followAll(context, follows);
  const ends = new Map<string, Followed>(vessels.map((vessel) => [vessel.id, vessel]));
  return {
    vessels: outcome.vessels.map((vessel) => ({ ...vessel, ...ends.get(vessel.id) })),
    failed: [...outcome.failed, ...failed],
    ...summaryOf(context, vessels),
  };
}

function isOk(result: {
  failed: readonly unknown[];
  exitCode?: number | undefined;
  interrupted?: boolean | undefined;
}) {
  return result.failed.length === 0 && (result.exitCode ?? 0) === 0 && result.interrupted !== true;
}
