import { fileNameSchema, LIMITS, rulesSchema } from '@potluck/protocol';
import { z } from 'zod';
import { DEPLOY_LIMITS } from './limits.ts';
import { placeholderFault } from './template.ts';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `5m`, `4h`, `2d`; in milliseconds from here on. */
const duration = z.string({ error: 'expected a time such as 30s' }).transform((text, context) => {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(number) * UNITS[(unit ?? 'ms') as keyof typeof UNITS];
  if (ms <= DEPLOY_LIMITS.longestMs) return ms;
  context.addIssue({ code: 'custom', message: 'expected a time such as 500ms, 30s, 5m, 4h or 2d, of at most 30d' });
  return z.NEVER;
});

const localFile = z.string({ error: 'expected the name of a file' }).min(1, 'expected the name of a file').max(4096);

/** `peers.txt` stands for `{ from: peers.txt }`. */
const file = z.preprocess(
  (value) => (typeof value === 'string' ? { from: value } : value),
  z.strictObject({
    from: localFile,
    /** Its name in the vessel; its own unless said. */
    as: fileNameSchema.optional(),
    /** Put there once for each version, and the program's to change from then on. */
    seed: z.boolean({ error: 'expected true or false' }).default(false),
  }),
);

const argument = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected a text or a number' })
  .transform(String)
  .pipe(z.string().max(LIMITS.programArgumentLength, `expected at most ${LIMITS.programArgumentLength} characters`))
  .superRefine((text, context) => {
    const message = placeholderFault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** `on-failure` stands for `{ when: on-failure }`. */
const restart = z.preprocess(
  (value) => (typeof value === 'string' ? { when: value } : value),
  z.strictObject({
    when: z.enum(['never', 'on-failure', 'always'], { error: 'expected never, on-failure or always' }),
    /** How often in a row, without a run between that lasted `rollout.healthyAfter`. */
    atMost: z.int({ error: 'expected a whole number' }).min(1).max(1000).default(5),
    /** Before the first of them; doubled each time. */
    firstDelay: duration.prefault('1s'),
    longestDelay: duration.prefault('5m'),
  }),
);

const rollout = z.strictObject({
  /** How many vessels get a new version at the same time. */
  atOnce: z.int({ error: 'expected a whole number' }).min(1).max(DEPLOY_LIMITS.vessels).default(1),
  /** A program that has not failed for so long is taken for healthy. */
  healthyAfter: duration.prefault('5s'),
});

const where = z.strictObject({
  type: z.enum(['wan', 'lan', 'nat', 'random'], { error: 'expected wan, lan, nat or random' }).default('random'),
  /** As after `get`: `country=NL,DE`, `apart=500km`. */
  rules: rulesSchema.default([]),
});

/** `deployment.yaml`; docs/deployments.md explains it. */
export const deploymentSchema = z
  .strictObject(
    {
      name: z
        .string({ error: 'expected a name' })
        .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'expected a name of 1 to 64 letters, digits, "_", "-" or "."'),
      program: localFile,
      args: z
        .array(argument, { error: 'expected a list of arguments' })
        .max(LIMITS.programArguments, `expected at most ${LIMITS.programArguments} arguments`)
        .default([]),
      files: z
        .array(file, { error: 'expected a list of files' })
        .max(DEPLOY_LIMITS.files, `expected at most ${DEPLOY_LIMITS.files} files`)
        .default([]),
      count: z
        .int({ error: 'expected a whole number of vessels' })
        .min(1, 'expected at least 1 vessel')
        .max(DEPLOY_LIMITS.vessels, `expected at most ${DEPLOY_LIMITS.vessels} vessels`)
        .optional(),
      identity: localFile.optional(),
      where: where.optional(),
      nodes: z
        .array(z.string({ error: 'expected HOST:PORT' }).max(300), { error: 'expected a list of HOST:PORT' })
        .max(DEPLOY_LIMITS.nodes, `expected at most ${DEPLOY_LIMITS.nodes} nodes`)
        .default([]),
      targets: z.string({ error: 'expected vessels such as %all' }).min(1).max(4096).optional(),
      renew: duration
        .prefault('2h')
        .refine(
          (ms) => ms <= 6 * UNITS.d,
          'expected at most 6d, for a lease is renewed for 7 days unless the clearinghouse says otherwise',
        ),
      restart: restart.prefault('on-failure'),
      replaceAfter: duration.prefault('2m'),
      every: duration.prefault('10s'),
      rollout: rollout.prefault({}),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'expected the words of a deployment' : undefined) },
  )
  .superRefine((value, context) => {
    const say = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (value.where === undefined) return;
    if (value.count === undefined) say('where', 'expected "count" beside it: how many vessels to acquire');
    if (value.targets !== undefined) say('targets', 'expected either "where" or "targets", got both');
    if (value.nodes.length > 0) say('nodes', 'expected either "where" or "nodes", got both');
  });
export type Deployment = z.infer<typeof deploymentSchema>;

/** The words of each object, for "did you mean". */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(deploymentSchema.shape),
  where: Object.keys(where.shape),
  rollout: Object.keys(rollout.shape),
  restart: ['when', 'atMost', 'firstDelay', 'longestDelay'],
  files: ['from', 'as', 'seed'],
};
