import {
  type AcquireType,
  acquireTypeSchema,
  creditsSchema,
  hintFor,
  keyIdSchema,
  type Rule,
  rulesSchema,
  ruleText,
  termsSchema,
} from '@potluck/protocol';
import { z } from 'zod';
import { bulkSchema } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { endingLines, leftText, untilText } from '../expiry.ts';
import { acquire, release, renew, standing } from '../leases.ts';
import type { Module } from '../modules.ts';
import { affectedText } from '../report.ts';
import type { Context } from '../session.ts';
import { count, table } from '../style.ts';
import { agreed, sure, YES } from '../sure.ts';
import type { Target } from '../targets.ts';

const MOST = 500;
const TYPES = acquireTypeSchema.options;

const leaseShape = { handle: z.string(), expiresAt: z.iso.datetime(), warnAt: z.iso.datetime(), active: z.boolean() };

const get = command({
  name: 'get',
  summary:
    'Acquire N vessels, all or none: random, wan (different networks), lan (one) or nat (behind a relay), and by rules such as country=NL,DE or apart=500km.',
  slots: [
    { name: 'N', kind: 'text' },
    { name: 'RULES', kind: 'text', rest: true },
  ],
  example: 'get 10 wan country!=US',
  result: bulkSchema({ ...leaseShape, node: keyIdSchema }).extend({
    type: acquireTypeSchema,
    rules: z.array(z.string()),
  }),
  run: async (context, { N, RULES }) => {
    const { type, rules } = wishOf(RULES);
    const acquired = await acquire(context, { count: numberOf(N), type, rules });
    return { type, rules: rules.map(ruleText), ...acquired };
  },
  render: ({ vessels }, style) => {
    if (vessels.length === 0) return '';
    const rows = vessels.map((vessel) => [vessel.id, vessel.name, untilText(vessel)]);
    const head = `Acquired ${count(vessels.length, 'vessel')}, which are the group "acquired":`;
    return [head, table(['ID', 'Name', 'Expires in'], rows, style), ...endingLines(vessels, style)].join('\n');
  },
});

const slots = [{ name: 'GROUP', kind: 'target', optional: true }] as const;

const releaseCommand = command({
  name: 'release',
  summary:
    'Give vessels back; they are emptied. %all: all that the account holds. At a terminal it asks, of more than one.',
  slots,
  options: [YES],
  example: 'release acquired',
  result: bulkSchema(leaseShape),
  run: async (context, { GROUP, yes }) => {
    const chosen = selected(context, GROUP);
    if (!yes) {
      if (chosen === 'all') await agreed(context, () => 'Release all vessels that the account holds? [y/N] ');
      else await sure(context, chosen, 'Release');
    }
    return await release(context, chosen);
  },
  render: ({ vessels }) => affectedText('Released', vessels, ''),
});

const renewCommand = command({
  name: 'renew',
  summary: 'Hold vessels for longer; show account says for how long. %all: all that the account holds.',
  slots,
  example: 'renew %all',
  result: bulkSchema(leaseShape),
  run: async (context, { GROUP }) => await renew(context, selected(context, GROUP)),
  render: ({ vessels }) => affectedText('Renewed', vessels, ''),
});

const showAccount = command({
  name: 'show account',
  summary: 'Show your account at the clearinghouse: credits, port, and the vessels that it holds.',
  slots: [],
  example: 'show account',
  result: z.object({
    username: z.string(),
    keyId: keyIdSchema,
    userPort: z.int().nullable(),
    credits: creditsSchema,
    terms: termsSchema,
    stopped: z.object({ since: z.iso.datetime(), reason: z.string() }).optional(),
    vessels: z.array(z.object({ id: z.string(), name: z.string(), ...leaseShape })),
  }),
  run: async (context) => await standing(context),
  render: ({ username, keyId, userPort, credits, terms, stopped, vessels }, style) => {
    const rows = vessels.map((vessel) => {
      return [vessel.id, vessel.name, vessel.active ? '' : 'away', untilText(vessel)];
    });
    const lengths = `${leftText(terms.firstLeaseMs)} at first, ${leftText(terms.renewalMs)} when renewed`;
    const stop = stopped && `Everything is stopped by an administrator since ${stopped.since}: ${stopped.reason}`;
    return [
      ...(stop === undefined ? [] : [style.warning(stop)]),
      `${style.strong(username)} holds ${credits.used} of ${count(credits.total, 'vessel')}.`,
      `  key   ${keyId}`,
      `  port  ${userPort ?? 'none yet'}`,
      `  lease ${lengths}; each donated machine adds ${count(terms.creditsPerDonation, 'vessel')} while it is up`,
      ...(rows.length === 0 ? [] : [table(['ID', 'Name', 'Node', 'Expires in'], rows, style)]),
      ...endingLines(vessels, style),
    ].join('\n');
  },
});

export const clearinghouseModule: Module = {
  name: 'clearinghouse',
  summary: 'Vessels of a clearinghouse, by the key of your account there.',
  help: [
    'Acquired vessels are yours for some hours, renewed ones for longer: show account says how long. list says until when,',
    'and warns of what ends soon. What is released or has run out is emptied.',
  ].join('\n'),
  commands: [get, releaseCommand, renewCommand, showAccount],
};

/** At most one word that is a type, and any number that are rules. */
function wishOf(words: readonly string[]): { type: AcquireType; rules: Rule[] } {
  const [word = 'random', ...more] = words.filter((text) => !text.includes('='));
  const type = acquireTypeSchema.safeParse(word);
  if (!type.success || more.length > 0) {
    const wrong = type.success ? (more[0] ?? '') : word;
    const message = `expected one of ${TYPES.join(', ')}, got "${wrong}"${hintFor(wrong, TYPES)}`;
    throw new CommandError('BAD_ARGUMENTS', message);
  }
  const rules = rulesSchema.safeParse(words.filter((text) => text.includes('=')));
  if (rules.success) return { type: type.data, rules: rules.data };
  throw new CommandError('BAD_ARGUMENTS', rules.error.issues.map(({ message }) => message).join('; '));
}

function numberOf(text: string): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MOST) return number;
  throw new CommandError('BAD_ARGUMENTS', `expected a number of vessels from 1 to ${MOST}, got "${text}"`);
}

/** With %all also what this shell has not met. */
function selected(context: Context, group: string | undefined): readonly Target[] | 'all' {
  if ((group ?? context.targetName) === '%all') return 'all';
  return group === undefined ? context.vessels() : context.session.targets.resolve(group);
}
