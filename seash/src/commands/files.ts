import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type FileName, fileNameSchema, LIMITS } from '@potluck/protocol';
import { z } from 'zod';
import { ask, bulkSchema, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { affectedText } from '../report.ts';
import { nameOf, type Target } from '../targets.ts';

const upload = command({
  name: 'upload',
  summary: 'Copy the file LOCAL into each vessel, as REMOTE.',
  slots: [
    { name: 'LOCAL', kind: 'file' },
    { name: 'REMOTE', kind: 'text', optional: true },
  ],
  example: 'on %all upload peers.txt',
  result: bulkSchema({}).extend({ file: z.string(), bytes: z.int() }),
  run: async (context, { LOCAL, REMOTE }) => {
    const name = remoteName(REMOTE ?? basename(LOCAL));
    const targets = context.vessels();
    const attachment = await readLocal(context.session.path(LOCAL));
    const outcome = await onEach(context, { group: 'upload', targets }, async ({ node, address, vessel }) => {
      await ask(context, { node, address }, { method: 'AddFileToVessel', params: { vessel, name }, attachment });
      return {};
    });
    return { file: name, bytes: attachment.byteLength, ...outcome };
  },
  render: ({ file, bytes, vessels }) => affectedText(`Uploaded ${file} (${bytes} bytes)`, vessels),
});

const download = command({
  name: 'download',
  summary: 'Copy REMOTE out of each vessel, into LOCAL (of many: LOCAL.HOST_PORT_VESSEL).',
  slots: [
    { name: 'REMOTE', kind: 'text' },
    { name: 'LOCAL', kind: 'file', optional: true },
  ],
  example: 'on %all download results.txt',
  result: bulkSchema({ file: z.string(), bytes: z.int() }),
  run: async (context, { REMOTE, LOCAL }) => {
    const name = remoteName(REMOTE);
    const targets = context.vessels();
    const path = context.session.path(LOCAL ?? name);
    return await onEach(context, { group: 'download', targets }, async (target) => {
      const call = { method: 'RetrieveFileFromVessel', params: { vessel: target.vessel, name } } as const;
      const { attachment } = await ask(context, target, call);
      const file = targets.length === 1 ? path : `${path}.${suffixOf(target)}`;
      await writeFile(file, attachment);
      return { file, bytes: attachment.byteLength };
    });
  },
  render: ({ vessels }) => vessels.map(({ name, file, bytes }) => `${name}: ${file} (${bytes} bytes)`).join('\n'),
});

export const fileCommands = [upload, download];

/** @throws CommandError BAD_NAME */
function remoteName(text: string): FileName {
  const name = fileNameSchema.safeParse(text);
  if (name.success) return name.data;
  throw new CommandError('BAD_NAME', `${z.treeifyError(name.error).errors.join(', ')}, got "${text}"`);
}

/** `10.0.0.7_1224_v1`; an IPv6 address without its colons, which some file systems refuse. */
function suffixOf(target: Target): string {
  return nameOf(target).replaceAll(/[[\]]/g, '').replaceAll(':', '_');
}

/** @throws CommandError FILE_MISSING, FILE_BROKEN, FILE_TOO_LARGE */
async function readLocal(path: string): Promise<Uint8Array> {
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError('FILE_MISSING', `expected a file at ${path}, got none`, { cause });
  });
  if (!facts.isFile()) throw new CommandError('FILE_BROKEN', `expected a file at ${path}, got something else`);
  if (facts.size > LIMITS.fileBytes) {
    throw new CommandError(
      'FILE_TOO_LARGE',
      `expected at most ${LIMITS.fileBytes} bytes in ${path}, got ${facts.size}`,
    );
  }
  return await readFile(path);
}
