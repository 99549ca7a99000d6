import { z } from 'zod';
import { bulkSchema, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import type { Module } from '../modules.ts';
import { affectedText } from '../report.ts';
import { count, enumerate } from '../style.ts';
import { readFolder, uploadNew } from '../upload.ts';

export const uploaddir = command({
  name: 'uploaddir',
  summary: 'Copy the files of FOLDER into each vessel, where they differ; without the folders in it.',
  slots: [{ name: 'FOLDER', kind: 'file' }],
  example: 'on %all uploaddir site',
  leaves: 'uploaddir',
  result: bulkSchema({ uploaded: z.int() }).extend({ files: z.array(z.string()), skipped: z.array(z.string()) }),
  run: async (context, { FOLDER }) => {
    const targets = context.vessels();
    const { uploads, skipped } = await readFolder(context.session.path(FOLDER));
    const outcome = await onEach(context, targets, async (target) => {
      return { uploaded: await uploadNew(context, target, uploads) };
    });
    return { files: uploads.map(({ name }) => name), skipped, ...outcome };
  },
  render: ({ files, skipped, vessels }) => {
    const left = skipped.length === 0 ? '' : `Left out: ${enumerate(skipped)}.`;
    const sent = vessels.reduce((sum, { uploaded }) => sum + uploaded, 0);
    const kept = files.length * vessels.length - sent;
    const note = kept === 0 ? '' : ` (${kept} were there already)`;
    return [affectedText(`Uploaded ${count(sent, 'file')}${note}`, vessels), left].filter(Boolean).join('\n');
  },
});

export const uploaddirModule: Module = {
  name: 'uploaddir',
  summary: 'Whole folders into vessels.',
  help: 'Files whose name begins with a dot, and folders in the folder, are left out. What a vessel has already is not sent.',
  commands: [uploaddir],
};
