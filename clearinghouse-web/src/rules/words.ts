import { hostText, isMeasured, type Point, type Rule, ruleText, type ShortageFacts } from '@potluck/protocol';
import { PortalError } from '../errors.ts';

/** What fell short: a rule of the request, or the account's own port, which every node must have for him. */
export type Culprit = Rule | { readonly kind: 'own-port'; readonly port: number };

/** How far off the nearest miss is. */
export type Miss = { readonly km: number } | { readonly ms: number };

export interface Shortage {
  readonly wanted: number;
  /** The most that were found at once. */
  readonly found: number;
  /** Nothing when too few are free by any rule. */
  readonly culprit?: Culprit | undefined;
  /** More would meet the culprit, but for other rules: for all of them, or those before it. */
  readonly beside?: 'all' | 'before' | undefined;
  readonly miss?: Miss | undefined;
  /** The nodes have said so. */
  readonly measured?: boolean;
}

/** As programs are told. */
function shortageFacts({ wanted, found, culprit, miss }: Shortage): ShortageFacts {
  const facts = { wanted, found, short: Math.max(0, wanted - found) };
  if (culprit === undefined) return { ...facts, unit: 'vessels' };
  const text = culprit.kind === 'own-port' ? `port=${culprit.port}` : ruleText(culprit);
  const nearest = miss && ('km' in miss ? { km: rounded(miss.km) } : { ms: rounded(miss.ms) });
  const off = nearest && offBy(culprit, nearest);
  return {
    ...facts,
    unit: unitOf(culprit),
    rule: culprit.kind,
    text,
    ...(nearest && { nearest }),
    ...(off && { off }),
  };
}

export function refusalOf(shortage: Shortage): PortalError {
  return new PortalError('UNABLE_TO_ACQUIRE', shortageText(shortage), { details: { ...shortageFacts(shortage) } });
}

/** `expected 10 free vessels at least 500 km apart, got 7: 3 short, the 8th is at most 320 km away, 180 km too near (apart=500km)` */
function shortageText(shortage: Shortage): string {
  const { wanted, found, culprit, beside } = shortage;
  const vessels = `expected ${wanted} free ${wanted === 1 ? 'vessel' : 'vessels'}`;
  const { short, unit, text } = shortageFacts(shortage);
  if (culprit === undefined) return `${vessels}, got ${found}: ${short} short, try fewer, or later`;
  if (culprit.kind === 'own-port') {
    const advice = 'try fewer, or later, or port=any if you can do without it';
    return `${vessels} on nodes that have your port ${culprit.port} free, got ${found}: ${short} short, ${advice}`;
  }
  const units = unit === 'vessels' ? '' : ` ${found === 1 ? unit.slice(0, -1) : unit}`;
  const also =
    beside && ` that ${found === 1 ? 'meets' : 'meet'} ${beside === 'all' ? 'all else' : 'the rules before it'} too`;
  const near = missText(shortage) ?? 'try fewer, or without it';
  return `${vessels} ${phraseOf(culprit)}, got ${found}${units}${also ?? ''}: ${short} short, ${near} (${text})`;
}

/** Of vessels that must differ in something, as many are found as there are different ones. */
function unitOf({ kind, ...rest }: Culprit): ShortageFacts['unit'] {
  return (kind === 'owners' || kind === 'networks') && !('not' in rest && rest.not) ? kind : 'vessels';
}

function missText(shortage: Shortage): string | undefined {
  const { culprit, found, measured } = shortage;
  const { nearest, off } = shortageFacts(shortage);
  if (culprit === undefined || culprit.kind === 'own-port' || nearest === undefined || off === undefined)
    return undefined;
  const { kind, not = false } = culprit;
  // Two that must be apart are too near, and one that must be near a point is too far.
  const isTooFar = (kind === 'apart') === not;
  const bound = isTooFar ? 'at least' : 'at most';
  const how =
    kind === 'latency'
      ? measured
        ? 'by its own measurement'
        : 'by estimate'
      : kind === 'apart'
        ? 'away from one of them'
        : 'away';
  const past = kind === 'latency' ? (isTooFar ? 'too slow' : 'too fast') : isTooFar ? 'too far' : 'too near';
  return `the ${ordinal(found + 1)} is ${bound} ${amountText(nearest)} ${how}, ${amountText(off)} ${past}`;
}

function offBy(culprit: Culprit, nearest: Miss): Miss | undefined {
  const off = (asked: number, got: number): number => Math.max(0.1, rounded(Math.abs(asked - got)));
  if ('km' in culprit && 'km' in nearest) return { km: off(culprit.km, nearest.km) };
  return 'ms' in culprit && 'ms' in nearest ? { ms: off(culprit.ms, nearest.ms) } : undefined;
}

/** Places are known by country: more than tenths would promise too much. */
function rounded(amount: number): number {
  return amount >= 100 ? Math.round(amount) : Math.round(amount * 10) / 10;
}

function amountText(amount: Miss): string {
  return 'km' in amount ? `${amount.km} km` : `${amount.ms} ms`;
}

function phraseOf(rule: Rule): string {
  const { not = false } = rule;
  switch (rule.kind) {
    case 'country':
      return not ? `outside ${rule.countries.join(' and ')}` : `in ${rule.countries.join(' or ')}`;
    case 'apart':
      return `${not ? 'at most' : 'at least'} ${rule.km} km apart`;
    case 'within':
      return `${not ? 'farther than' : 'within'} ${rule.km} km of ${pointText(rule.of)}`;
    case 'latency':
      return `${not ? 'more than' : 'at most'} ${rule.ms} ms (${isMeasured(rule) ? 'measured' : 'estimated by distance'}) from ${pointText(rule.of)}`;
    case 'owners':
      return not ? 'of one owner' : 'of as many different owners';
    case 'networks':
      return not ? 'in one network' : 'in as many different networks';
    case 'label':
      return `${not ? 'without the label' : 'labelled'} ${rule.labels.join(not ? ' or ' : ' and ')}`;
    case 'port':
      return `${not ? 'without' : 'with'} port ${rule.port}`;
    case 'nat':
      return not ? 'that are reached without a relay' : 'behind a relay';
  }
}

function pointText(point: Point): string {
  if ('country' in point) return `the middle of ${point.country}`;
  if (!('address' in point)) return `${point.latitude},${point.longitude}`;
  return 'port' in point ? hostText(point) : point.address;
}

function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  return `${number}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}
