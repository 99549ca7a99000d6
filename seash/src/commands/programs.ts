import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type FileName, fileNameSchema, LIMITS, RequestError, type Result, vesselStateSchema } from '@potluck/protocol';
import { z } from 'zod';
import { ask, bulkSchema, nodeFacts, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { affectedText } from '../report.ts';
import type { Context } from '../session.ts';
import type { Target } from '../targets.ts';
import { filesOf, uploadNew } from '../upload.ts';

interface Program {
  readonly name: FileName;
  readonly bytes: Uint8Array;
  readonly args: string[];
}

/** `logFrom`: where in the vessel's log the program's own lines begin. */
const startedShape = { state: vesselStateSchema, logFrom: z.int() };

export const run = command({
  name: 'run',
  summary: 'Bundle the program FILE, upload it where it differs, and start it with the ARGs.',
  slots: [
    { name: 'FILE', kind: 'file' },
    { name: 'ARG', kind: 'text', rest: true },
  ],
  example: 'on %all run pingclient.js 10.0.0.7 hello',
  result: bulkSchema({ ...startedShape, uploaded: z.boolean() }).extend({
    program: z.string(),
    bytes: z.int(),
  }),
  run: async (context, { FILE, ARG }) => {
    const targets = context.vessels();
    const program = { ...(await bundled(context.session.path(FILE))), args: checkedArgs(ARG) };
    const factsOf = nodeFacts(context);
    const outcome = await onEach(context, { group: 'run', targets }, async (target) => {
      checkIdle(await factsOf(target), target);
      const uploaded = (await uploadNew(context, target, [program])) > 0;
      return { ...(await start(context, target, program)), uploaded };
    });
    return { program: program.name, bytes: program.bytes.byteLength, ...outcome };
  },
  render: ({ program, vessels }) => {
    const fresh = vessels.filter(({ uploaded }) => uploaded);
    const kept = vessels.filter(({ uploaded }) => !uploaded);
    return [
      affectedText(`Uploaded and started ${program}`, fresh),
      affectedText(`Started ${program}, which was there already,`, kept),
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
  example: 'on %1 start hello.js',
  result: bulkSchema(startedShape),
  run: async (context, { PROGRAM, ARG }) => {
    const name = programName(PROGRAM);
    const args = checkedArgs(ARG);
    return await onEach(context, { group: 'start', targets: context.vessels() }, async (target) => {
      await filesOf(context, target); // Opens a lost connection again, which a start by itself does not dare to.
      return await start(context, target, { name, args });
    });
  },
  render: ({ vessels }) => affectedText('Started', vessels),
});

export const stop = command({
  name: 'stop',
  summary: 'Stop the program in each vessel.',
  slots: [],
  example: 'on %all stop',
  result: bulkSchema({ state: vesselStateSchema }),
  run: async (context) =>
    await onEach(context, { group: 'stop', targets: context.vessels() }, async (target) => {
      return (await ask(context, target, { method: 'StopVessel', params: { vessel: target.vessel } })).result;
    }),
  render: ({ vessels }) => affectedText('Stopped', vessels),
});

export const reset = command({
  name: 'reset',
  summary: 'Stop the program in each vessel, remove its files and its log. Does not ask.',
  slots: [],
  example: 'on %all reset',
  result: bulkSchema({ state: vesselStateSchema }),
  run: async (context) =>
    await onEach(context, { group: 'reset', targets: context.vessels() }, async (target) => {
      return (await ask(context, target, { method: 'ResetVessel', params: { vessel: target.vessel } })).result;
    }),
  render: ({ vessels }) => affectedText('Reset', vessels),
});

export const programCommands = [run, startCommand, stop, reset];

/** A directory stands for the `main.ts` or `main.js` in it, under the directory's name. */
async function bundled(path: string): Promise<{ name: FileName; bytes: Uint8Array }> {
  const isDirectory = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const { bundleProgram } = await import('@potluck/repy-api'); // Brings esbuild: only `run` waits for it.
  const bundle = await bundleProgram(isDirectory ? await mainOf(path) : path);
  const name = isDirectory ? programName(`${basename(path)}.js`) : bundle.name;
  return { name, bytes: Buffer.from(bundle.source, 'utf8') };
}

async function mainOf(directory: string): Promise<string> {
  for (const path of [join(directory, 'main.ts'), join(directory, 'main.js')]) {
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  throw new CommandError('FILE_MISSING', `expected main.ts or main.js in ${directory}, got neither`);
}

/** @throws CommandError BAD_NAME */
function programName(text: string): FileName {
  const name = fileNameSchema.safeParse(text);
  if (name.success) return name.data;
  throw new CommandError('BAD_NAME', `expected the name of a file in the vessel, such as hello.js, got "${text}"`);
}

/** @throws CommandError BAD_ARGUMENTS */
function checkedArgs(args: readonly string[]): string[] {
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

async function start(context: Context, { vessel, ...target }: Target, program: Pick<Program, 'name' | 'args'>) {
  const params = { vessel, program: program.name, args: program.args };
  return (await ask(context, target, { method: 'StartVessel', params })).result;
}
