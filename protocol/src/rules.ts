import { z } from 'zod';
import { canonicalAddress } from './addresses.ts';
import { LIMITS } from './limits.ts';
import { hintFor } from './nearest.ts';

/** Half of the Earth's way round: nothing is farther apart. */
const FARTHEST_KM = 20_038;
const SLOWEST_MS = 10_000;
const COUNTRY = /^[A-Z]{2}$/;
const LABEL = /^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$/;

/** What an operator calls his node, for rules to choose by: `gpu`, `campus-north`. Nobody checks that it is true. */
export const labelSchema = z
  .string()
  .regex(LABEL, 'expected 1 to 32 small letters, digits, "-" or ".", beginning and ending with a letter or digit');
export const labelsSchema = z.array(labelSchema).max(LIMITS.advertisedLabels).readonly();

const countrySchema = z.string().regex(COUNTRY, 'expected the two capital letters of a country, such as NL');
const countriesSchema = z
  .array(countrySchema)
  .min(1, 'expected a country')
  .max(LIMITS.ruleCountries, `expected at most ${LIMITS.ruleCountries} countries`)
  .readonly();

const address = z.string().max(64).refine(isNumeric, 'expected a numeric IP address');
const places = [
  z.strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) }),
  z.strictObject({ country: countrySchema }),
  z.strictObject({ address }),
] as const;
const PLACES = 'expected a place such as 52.5,13.4, a country such as NL, or a numeric IP address';

/** Where distances are measured from. Of a country and of an address, it is the middle of the country. */
const pointSchema = z.union(places, { error: PLACES });
/** An address and a port where connections are taken: nodes measure how long one takes. */
const hostSchema = z.strictObject({ address, port: z.int().min(1).max(65_535) });
const farSchema = z.union([...places, hostSchema], { error: `${PLACES}, with or without a port` });
export type Host = z.infer<typeof hostSchema>;
export type Point = z.infer<typeof farSchema>;

const kmSchema = z.number().min(1, 'expected at least 1 km').max(FARTHEST_KM, `expected at most ${FARTHEST_KM} km`);
const msSchema = z.number().min(1, 'expected at least 1 ms').max(SLOWEST_MS, `expected at most ${SLOWEST_MS} ms`);
const not = { not: z.boolean().optional() };

const ruleObjectSchema = z.discriminatedUnion('kind', [
  /** The node's country is one of these. */
  z.strictObject({ kind: z.literal('country'), countries: countriesSchema, ...not }),
  /** Any two vessels are at least so far apart; inverted: at most. */
  z.strictObject({ kind: z.literal('apart'), km: kmSchema, ...not }),
  /** The node is at most so far from a point; inverted: farther. */
  z.strictObject({ kind: z.literal('within'), km: kmSchema, of: pointSchema, ...not }),
  /** No two vessels were donated by one account; inverted: all by one. */
  z.strictObject({ kind: z.literal('owners'), ...not }),
  /** No two vessels are in one network (/24, /48); inverted: all in one. */
  z.strictObject({ kind: z.literal('networks'), ...not }),
  /** The round trip between node and point takes at most so long, estimated, or measured of a host; inverted: longer. */
  z.strictObject({ kind: z.literal('latency'), ms: msSchema, of: farSchema, ...not }),
  /** The node's operator gave it each of these labels; inverted: none of them. */
  z.strictObject({
    kind: z.literal('label'),
    labels: labelsSchema.unwrap().min(1, 'expected a label').readonly(),
    ...not,
  }),
  /** The vessel owns this port, in place of the account's own; `any`: no port is asked for. */
  z.strictObject({ kind: z.literal('port'), port: z.union([z.int().min(1).max(65_535), z.literal('any')]), ...not }),
  /** The node is reached through a relay; inverted: straight. */
  z.strictObject({ kind: z.literal('nat'), ...not }),
]);

/** One rule by which vessels are chosen; as text (`apart=500km`) or as what the text says. */
export const ruleSchema = z.preprocess((value, context) => {
  if (typeof value !== 'string') return value;
  const read = readRule(value);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read, input: value });
  return z.NEVER;
}, ruleObjectSchema);
export type Rule = z.infer<typeof ruleObjectSchema>;
export type RuleKind = Rule['kind'];

/** The nodes themselves measure what the rule asks. */
export type MeasuredRule = Extract<Rule, { kind: 'latency' }> & { readonly of: Host };
export function isMeasured<R extends Rule>(rule: R): rule is R & MeasuredRule {
  return rule.kind === 'latency' && 'port' in rule.of;
}

/** All of an acquisition's. */
export const rulesSchema = z
  .array(ruleSchema)
  .max(LIMITS.rules, `expected at most ${LIMITS.rules} rules`)
  .refine((rules) => rules.filter(({ kind }) => kind === 'port').length <= 1, 'expected at most one port')
  .refine((rules) => rules.filter(isMeasured).length <= 1, 'expected at most one latency to a host');

export const RULE_KINDS = [
  ...(['country', 'apart', 'within', 'owners', 'networks', 'latency', 'label', 'port', 'nat'] as const),
] satisfies readonly RuleKind[];

/** One example of each kind, by the word that it begins with. */
export const RULE_EXAMPLES: Readonly<Record<RuleKind, string>> = {
  country: 'country=NL,DE',
  apart: 'apart=500km',
  within: 'within=300km@52.5,13.4',
  owners: 'owners=different',
  networks: 'networks=different',
  latency: 'latency=40ms@NL',
  label: 'label=gpu',
  port: 'port=63111',
  nat: 'nat=yes',
};

/** @returns the rule as `readRule` reads it: `country!=US`. */
export function ruleText(rule: Rule): string {
  return `${rule.kind}${rule.not ? '!=' : '='}${valueText(rule)}`;
}

function valueText(rule: Rule): string {
  switch (rule.kind) {
    case 'country':
      return rule.countries.join(',');
    case 'apart':
      return `${rule.km}km`;
    case 'within':
      return `${rule.km}km@${pointText(rule.of)}`;
    case 'latency':
      return `${rule.ms}ms@${pointText(rule.of)}`;
    case 'owners':
    case 'networks':
      return 'different';
    case 'label':
      return rule.labels.join(',');
    case 'port':
      return String(rule.port);
    case 'nat':
      return 'yes';
  }
}

function pointText(point: Point): string {
  if ('country' in point) return point.country;
  if (!('address' in point)) return `${point.latitude},${point.longitude}`;
  return 'port' in point ? hostText(point) : point.address;
}

/** `193.0.6.139:443`, `[2001:67c:2e8::1]:443` */
export function hostText({ address, port }: Host): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** What a rule's text says, for the schema to check; a text when it has no rule's form. */
function readRule(text: string): object | string {
  const [, kind = '', inverted = '', value = ''] = /^([a-z]+)(!?)=(.+)$/s.exec(text.trim()) ?? [];
  const kinds = RULE_KINDS;
  if (kind === '') return `expected a rule such as ${RULE_EXAMPLES.country}, got "${text.slice(0, 80)}"`;
  if (!Object.hasOwn(READERS, kind)) {
    return `expected one of ${kinds.join(', ')}, got "${kind.slice(0, 40)}"${hintFor(kind, kinds)}`;
  }
  const read = READERS[kind as RuleKind](value);
  if (read === undefined) {
    const example = RULE_EXAMPLES[kind as RuleKind];
    return `expected ${kind} in the form of ${example}, got "${text.slice(0, 80)}"`;
  }
  return { kind, ...read, ...(inverted === '!' && { not: true }) };
}

const READERS: Readonly<Record<RuleKind, (value: string) => object | undefined>> = {
  country: (value) => ({ countries: listOf(value).map((code) => code.toUpperCase()) }),
  apart: (value) => quantity(value, 'km'),
  within: (value) => measured(value, 'km', pointOf),
  latency: (value) => measured(value, 'ms', (text) => hostOf(text) ?? pointOf(text)),
  owners: (value) => (value === 'different' ? {} : undefined),
  networks: (value) => (value === 'different' ? {} : undefined),
  label: (value) => ({ labels: listOf(value) }),
  port: (value) => (/^\d{1,6}$/.test(value) ? { port: Number(value) } : value === 'any' ? { port: 'any' } : undefined),
  nat: (value) => (value === 'yes' ? {} : undefined),
};

function listOf(value: string): string[] {
  return value.split(',').map((part) => part.trim());
}

/** `500km` or `500` */
function quantity(value: string, unit: 'km' | 'ms'): object | undefined {
  const [, number, given] = /^(\d{1,6}(?:\.\d{1,3})?)(km|ms)?$/.exec(value) ?? [];
  return number === undefined || (given ?? unit) !== unit ? undefined : { [unit]: Number(number) };
}

/** `300km@52.5,13.4` */
function measured(value: string, unit: 'km' | 'ms', read: typeof pointOf): object | undefined {
  const at = value.indexOf('@');
  const amount = at < 0 ? undefined : quantity(value.slice(0, at), unit);
  const of = read(value.slice(at + 1));
  return amount === undefined || of === undefined ? undefined : { ...amount, of };
}

function pointOf(text: string): object | undefined {
  const [, latitude, longitude] = /^(-?\d{1,2}(?:\.\d{1,8})?),(-?\d{1,3}(?:\.\d{1,8})?)$/.exec(text) ?? [];
  if (latitude !== undefined) return { latitude: Number(latitude), longitude: Number(longitude) };
  if (/^[a-z]{2}$/i.test(text)) return { country: text.toUpperCase() };
  return isNumeric(text) ? { address: text } : undefined;
}

function hostOf(text: string): object | undefined {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]{1,64})\]|([\d.]{1,64})):(\d{1,5})$/.exec(text) ?? [];
  const address = inBrackets ?? plain ?? '';
  return isNumeric(address) ? { address, port: Number(port) } : undefined;
}

function isNumeric(text: string): boolean {
  return canonicalAddress(text) !== undefined;
}
