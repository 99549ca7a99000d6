import { endingSchema, hintFor, loadPlaces, vesselStateSchema } from '@potluck/protocol';
import { CommandError } from './errors.ts';
import type { NodeFacts, Target } from './targets.ts';

type About = NodeFacts | undefined;

/** What a condition may ask, of what the node said last and of what the shell knows of it. */
interface Fact {
  /** Numbers are compared with `<` and the like, too. */
  readonly isNumber?: true;
  /** All that it can be: so a mistyped word is told apart from one that no vessel has now. */
  readonly values?: () => readonly string[];
  /** More than one where each is a name of the same. */
  read(target: Target, about: About): string | number | readonly string[] | undefined;
}

const FACTS: Readonly<Record<string, Fact>> = {
  state: { values: () => vesselStateSchema.options, read: ({ info }) => info.state },
  program: { read: ({ info }) => info.program },
  ending: { values: () => endingSchema.shape.kind.options, read: ({ info }) => info.ending?.kind },
  code: { isNumber: true, read: ({ info }) => info.ending?.exitCode },
  node: { read: ({ node }) => node },
  host: { read: ({ reach }) => reach.addresses[0]?.host },
  port: { isNumber: true, read: ({ reach }) => reach.addresses[0]?.port },
  vessel: { read: ({ vessel }) => vessel },
  owner: { read: ({ info }) => info.owner },
  country: { values: countryNames, read: countryOf },
  os: { read: (_, about) => about?.os },
  arch: { read: (_, about) => about?.arch },
  version: { read: (_, about) => about?.version },
  latency: { isNumber: true, read: (_, about) => about?.latencyMs },
};

/** `state=Started`, `host!=10.0.*`, `latency<50`. */
const CONDITION = /^(?<name>[a-z]+)(?<operator>!=|<=|>=|=|<|>)(?<value>[^=<>!].*)?$/;

const COMPARE: Readonly<Record<string, (found: number, value: number) => boolean>> = {
  '=': (found, value) => found === value,
  '<': (found, value) => found < value,
  '<=': (found, value) => found <= value,
  '>': (found, value) => found > value,
  '>=': (found, value) => found >= value,
};

/** @returns what a condition says of a vessel; undefined for a word that is no condition. @throws CommandError UNKNOWN_TARGET */
export function conditionOf(word: string): ((target: Target, about: About) => boolean) | undefined {
  const groups = CONDITION.exec(word)?.groups;
  if (groups === undefined) return undefined;
  const { name = '', operator = '', value = '' } = groups;
  const fact = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
  if (fact === undefined) {
    const names = Object.keys(FACTS);
    throw unknown(`a condition on one of ${names.join(', ')}`, `"${word}"${hintFor(name, names)}`);
  }
  if (value === '') throw unknown(`a value after "${name}${operator}"`, 'none');
  if (operator === '!=') {
    const isEqual = testOf(fact, { name, operator: '=', value });
    return (target, about) => !isEqual(target, about);
  }
  return testOf(fact, { name, operator, value });
}

interface Parts {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
}

function testOf(fact: Fact, { name, operator, value }: Parts): (target: Target, about: About) => boolean {
  const compare = COMPARE[operator] ?? COMPARE['='];
  if (fact.isNumber && compare !== undefined && !value.includes('*')) {
    const number = Number(value);
    if (Number.isNaN(number)) throw unknown(`a number after "${name}${operator}"`, `"${value}"`);
    return (target, about) => {
      const found = fact.read(target, about);
      return typeof found === 'number' && compare(found, number);
    };
  }
  if (operator !== '=') throw unknown(`"${name}=" or "${name}!=", for it is no number`, `"${name}${operator}${value}"`);
  const isLike = patternOf(value);
  const values = fact.values?.();
  if (values !== undefined && !values.some(isLike)) {
    const list = values.length > 20 ? 'such as NL or Netherlands' : `one of ${values.join(', ')}`;
    throw unknown(`a ${name}, ${list}`, `"${value}"${hintFor(value, values)}`);
  }
  return (target, about) => [fact.read(target, about) ?? []].flat().some((found) => isLike(String(found)));
}

/** `*` stands for any characters; upper and lower case are the same. */
function patternOf(value: string): (found: string) => boolean {
  const pattern = new RegExp(`^${value.split('*').map(RegExp.escape).join('.*')}$`, 'i');
  return (found) => pattern.test(found);
}

/** By the first address that is on the map. */
function countryOf({ reach }: Target): readonly string[] | undefined {
  const places = loadPlaces();
  const place = reach.addresses.map(({ host }) => places.placeOf(host)).find((found) => found !== undefined);
  return place && [place.country, place.name];
}

function countryNames(): readonly string[] {
  return loadPlaces().countries.flatMap(({ country, name }) => [country, name]);
}

export function unknown(expected: string, got: string): CommandError {
  return new CommandError('UNKNOWN_TARGET', `expected ${expected}, got ${got}`);
}
