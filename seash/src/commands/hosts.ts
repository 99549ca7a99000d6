import { lookupService } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { bulkOf, bulkSchema, inParallel } from '../bulk.ts';
import { unlessCancelled } from '../cancel.ts';
import { command } from '../command.ts';
import { addressesOf } from '../reach.ts';
import { table } from '../style.ts';

const ip = command({
  name: 'show ip',
  summary: "Show the address of each vessel's node, or write each address once into FILE.",
  slots: [{ name: 'FILE', kind: 'file', after: 'to', optional: true }],
  example: 'show ip to addresses.txt',
  result: bulkSchema({ ip: z.string() }).extend({ file: z.string().optional() }),
  run: async (context, { FILE }) => {
    const outcomes = await inParallel(context, context.vessels('%all'), async (target) => {
      return { ip: (await addressesOf(context, target))[0] ?? '' };
    });
    const bulk = bulkOf(outcomes);
    if (FILE === undefined) return bulk;
    const file = context.session.path(FILE);
    const ips = new Set(bulk.vessels.map((vessel) => vessel.ip));
    await writeFile(file, [...ips].map((line) => `${line}\n`).join(''));
    return { ...bulk, file };
  },
  render: ({ vessels, file }, style) => {
    if (file !== undefined) return `Wrote ${file}.`;
    return table(
      ['ID', 'Name', 'Address'],
      vessels.map((row) => [row.id, row.name, row.ip]),
      style,
    );
  },
});

const hostname = command({
  name: 'show hostname',
  summary: "Show the host name of each vessel's node, as the domain name system has it.",
  slots: [],
  example: 'show hostname',
  result: bulkSchema({ ip: z.string(), hostname: z.string().optional() }),
  run: async (context) => {
    const outcomes = await inParallel(context, context.vessels('%all'), async (target) => {
      const [address = ''] = await addressesOf(context, target);
      const looked = lookupService(address, 0).catch(() => ({ hostname: address }));
      const { hostname: name } = await unlessCancelled(context.signal, looked);
      return { ip: address, ...(name !== address && { hostname: name }) };
    });
    return bulkOf(outcomes);
  },
  render: ({ vessels }, style) => {
    const rows = vessels.map((row) => [row.id, row.name, row.hostname ?? `(none; ${row.ip})`]);
    return table(['ID', 'Name', 'Host name'], rows, style);
  },
});

export const hostCommands = [ip, hostname];
