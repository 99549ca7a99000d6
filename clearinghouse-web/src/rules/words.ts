import { type Point, type Rule, ruleText } from '@potluck/protocol';

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
  readonly miss?: Miss | undefined;
}

/** `expected 10 free vessels at least 500 km apart, got 7: the 8th is at most 320 km away (apart=500km)` */
export function shortageText({ wanted, found, culprit, miss }: Shortage): string {
  const vessels = `expected ${wanted} free ${wanted === 1 ? 'vessel' : 'vessels'}`;
  if (culprit === undefined) return `${vessels}, got ${found}: try fewer, or later`;
  if (culprit.kind === 'own-port') {
    const advice = `try fewer, or later, or port=any if you can do without it`;
    return `${vessels} on nodes that have your port ${culprit.port} free, got ${found}: ${advice}`;
  }
  const near = miss === undefined ? 'try fewer, or without it' : missText(culprit, found, miss);
  return `${vessels} ${phraseOf(culprit)}, got ${found}: ${near} (${ruleText(culprit)})`;
}

function missText({ kind, not }: Rule, found: number, miss: Miss): string {
  const amount = 'km' in miss ? `${Math.round(miss.km)} km` : `${Math.round(miss.ms)} ms`;
  const which = `the ${ordinal(found + 1)} is`;
  if (kind === 'apart') return `${which} ${not ? 'at least' : 'at most'} ${amount} away from one of them`;
  const where = kind === 'latency' ? 'by estimate' : 'away';
  return `${which} ${not ? 'at most' : 'at least'} ${amount} ${where}`;
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
      return `${not ? 'more than' : 'at most'} ${rule.ms} ms (estimated by distance) from ${pointText(rule.of)}`;
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
  return 'address' in point ? point.address : `${point.latitude},${point.longitude}`;
}

function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  return `${number}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}
