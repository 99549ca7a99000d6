import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { ask, bulkSchema, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { affectedText } from '../report.ts';
import { sure, YES } from '../sure.ts';
import { nameOf, type Target } from '../targets.ts';
import { readLocal, remoteName } from '../upload.ts';

export const upload = command({
  name: 'upload',
  summary: 'Copy the file LOCAL into each vessel, as REMOTE.',
  slots: [
    { name: 'LOCAL', kind: 'file' },
    { name: 'REMOTE', kind: 'text', optional: true },
  ],
  example: 'on %all upload peers.txt',
  leaves: 'upload',
  result: bulkSchema({}).extend({ file: z.string(), bytes: z.int() }),
  run: async (context, { LOCAL, REMOTE }) => {
    const name = remoteName(REMOTE ?? basename(LOCAL));
    const targets = context.vessels();
    const attachment = await readLocal(context.session.path(LOCAL));
    const outcome = await onEach(context, targets, async ({ node, reach, vessel }) => {
      await ask(context, { node, reach }, { method: 'AddFileToVessel', params: { vessel, name }, attachment });
      return {};
    });
    return { file: name, bytes: attachment.byteLength, ...outcome };
  },
  render: ({ file, bytes, vessels }) => affectedText(`Uploaded ${file} (${bytes} bytes)`, vessels),
});

export const download = command({
  name: 'download',
  summary: 'Copy REMOTE out of each vessel, into LOCAL (of many: LOCAL.HOST_PORT_VESSEL).',
  slots: [
    { name: 'REMOTE', kind: 'text' },
    { name: 'LOCAL', kind: 'file', optional: true },
  ],
  example: 'on %all download results.txt',
  leaves: 'download',
  result: bulkSchema({ file: z.string(), bytes: z.int() }),
  run: async (context, { REMOTE, LOCAL }) => {
    const name = remoteName(REMOTE);
    const targets = context.vessels();
    const path = context.session.path(LOCAL ?? name);
    return await onEach(context, targets, async (target) => {
      const call = { method: 'RetrieveFileFromVessel', params: { vessel: target.vessel, name } } as const;
      const { attachment } = await ask(context, target, call);
      const file = localPath(path, target, targets);
      await writeFile(file, attachment);
      return { file, bytes: attachment.byteLength };
    });
  },
  render: ({ vessels }) => vessels.map(({ name, file, bytes }) => `${name}: ${file} (${bytes} bytes)`).join('\n'),
});

export const cat = command({
  name: 'cat',
  summary: 'Show the file REMOTE of each vessel as text.',
  slots: [{ name: 'REMOTE', kind: 'text' }],
  example: 'on %1 cat results.txt',
  leaves: 'cat',
  result: bulkSchema({ text: z.string() }),
  run: async (context, { REMOTE }) => {
    const name = remoteName(REMOTE);
    return await onEach(context, context.vessels(), async (target) => {
      const call = { method: 'RetrieveFileFromVessel', params: { vessel: target.vessel, name } } as const;
      return { text: Buffer.from((await ask(context, target, call)).attachment).toString('utf8') };
    });
  },
  render: ({ vessels }, style) => {
    if (vessels.length === 1) return vessels[0]?.text.replace(/\n$/, '') ?? '';
    return vessels.map(({ name, text }) => `${style.strong(`${name}:`)}\n${text.replace(/\n$/, '')}`).join('\n');
  },
});

export const remove = command({
  name: 'delete',
  summary: 'Remove the file REMOTE from each vessel. At a terminal it asks, of more than one.',
  slots: [{ name: 'REMOTE', kind: 'text' }],
  options: [YES],
  example: 'on %all delete results.txt',
  leaves: 'delete',
  result: bulkSchema({ file: z.string() }),
  run: async (context, { REMOTE, yes }) => {
    const name = remoteName(REMOTE);
    const targets = context.vessels();
    if (!yes) await sure(context, targets, `Remove ${name} from`);
    return await onEach(context, targets, async (target) => {
      await ask(context, target, { method: 'DeleteFileInVessel', params: { vessel: target.vessel, name } });
      return { file: name };
    });
  },
  render: ({ vessels }) => affectedText(`Removed ${vessels[0]?.file}`, vessels),
});

export const fileCommands = [upload, download, cat, remove];

/** Of many `PATH.10.0.0.7_1224_v1`; an IPv6 address without its colons, which some file systems refuse. */
export function localPath(path: string, target: Target, targets: readonly Target[]): string {
  if (targets.length === 1) return path;
  return `${path}.${nameOf(target).replaceAll(/[[\]]/g, '').replaceAll(':', '_')}`;
}
