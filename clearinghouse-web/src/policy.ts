import { readFile } from 'node:fs/promises';
import {
  ConfigError,
  describeError,
  inSteps,
  MANDATORY_QUANTITIES,
  QUANTITY_NAMES,
  type QuantityName,
  stepsPerUnit,
} from '@potluck/protocol';
import { z } from 'zod';
import { POLICY, POLICY_LIMITS } from './limits.ts';
import { SLICE, type SliceSizes } from './slice.ts';

const HOUR_MS = 3_600_000;
const count = (least: number, most: number) =>
  z.int(`expected a whole number`).min(least, `expected at least ${least}`).max(most, `expected at most ${most}`);
const hours = (most: number) =>
  z
    .number('expected a number of hours')
    .min(1 / 60, 'expected at least a minute (0.0167)')
    .max(most, `expected at most ${most} hours`);
const port = count(1024, 65_535);
const cores = z
  .number('expected a number of cores')
  .min(1 / stepsPerUnit('cpu'), 'expected at least a millionth of a core')
  .max(POLICY_LIMITS.sliceCores, `expected at most ${POLICY_LIMITS.sliceCores} cores`)
  .transform((value) => inSteps('cpu', value));
const amount = (name: QuantityName): z.ZodType<number, number> =>
  name === 'cpu' ? cores : count(MANDATORY_QUANTITIES.includes(name) ? 1 : 0, POLICY_LIMITS.sliceAmount);
const amountOf = (name: QuantityName) => amount(name).default(SLICE[name]);

/** What is left out is as in Seattle. */
const sliceSchema = z.strictObject({
  ...(Object.fromEntries(QUANTITY_NAMES.map((name) => [name, amountOf(name)])) as Record<
    QuantityName,
    ReturnType<typeof amountOf>
  >),
  ports: count(1, POLICY_LIMITS.slicePorts).default(SLICE.ports),
});

/** What `--policy FILE` may say; what it leaves out is as in Seattle. */
const fileSchema = z
  .strictObject({
    freeCredits: count(0, POLICY_LIMITS.credits).default(POLICY.freeCredits),
    creditsPerDonation: count(0, POLICY_LIMITS.credits).default(POLICY.creditsPerDonation),
    firstLeaseHours: hours(POLICY_LIMITS.leaseHours).default(POLICY.firstLeaseMs / HOUR_MS),
    renewalHours: hours(POLICY_LIMITS.leaseHours).default(POLICY.renewalMs / HOUR_MS),
    warningHours: hours(POLICY_LIMITS.leaseHours).default(POLICY.warningMs / HOUR_MS),
    firstUserPort: port.default(POLICY.firstUserPort),
    lastUserPort: port.default(POLICY.lastUserPort),
    slice: sliceSchema.default(SLICE),
  })
  .refine(({ firstUserPort, lastUserPort }) => firstUserPort <= lastUserPort, {
    path: ['lastUserPort'],
    message: 'expected a port that is not below firstUserPort',
  });

/** The rules about credits and leases. */
export interface Policy {
  readonly freeCredits: number;
  readonly creditsPerDonation: number;
  readonly firstLeaseMs: number;
  readonly renewalMs: number;
  /** A lease that ends within this time is warned of. */
  readonly warningMs: number;
  readonly firstUserPort: number;
  readonly lastUserPort: number;
  /** Into what donated vessels are split that are two or more of it; Seattle's, unless it is given. */
  readonly slice?: SliceSizes;
}

/** @throws ConfigError CONFIG_BROKEN: it names the file, and of each fault its line, its key, and what was expected */
export async function loadPolicy(path: string): Promise<Policy> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw broken(path, describeError(cause));
  });
  if (Buffer.byteLength(text) > POLICY_LIMITS.fileBytes)
    throw broken(path, `more than ${POLICY_LIMITS.fileBytes} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw broken(path, `${lineOfSyntax(text, cause)}${describeError(cause)}`);
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return policyOf(parsed.data);
  const faults = parsed.error.issues.map((issue) => {
    const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path.at(-1);
    return `${lineOfKey(text, key)}${String(key ?? 'the whole')}: ${issue.message}`;
  });
  throw broken(path, faults.join('; '));
}

function policyOf({ firstLeaseHours, renewalHours, warningHours, ...rest }: z.infer<typeof fileSchema>): Policy {
  const ms = (hoursLong: number): number => Math.round(hoursLong * HOUR_MS);
  return { ...rest, firstLeaseMs: ms(firstLeaseHours), renewalMs: ms(renewalHours), warningMs: ms(warningHours) };
}

/** No two keys are alike, those of the slice included, so that the first place of a key is its only one. */
function lineOfKey(text: string, key: PropertyKey | undefined): string {
  const at = key === undefined ? -1 : text.indexOf(JSON.stringify(String(key)));
  return at < 0 ? '' : `line ${text.slice(0, at).split('\n').length}: `;
}

function lineOfSyntax(text: string, cause: unknown): string {
  const [, position] = /at position (\d+)/.exec(String(cause)) ?? [];
  return position === undefined ? '' : `line ${text.slice(0, Number(position)).split('\n').length}: `;
}

function broken(path: string, got: string): ConfigError {
  return new ConfigError('CONFIG_BROKEN', `expected a policy in ${path}, got: ${got}`, { details: { path } });
}
