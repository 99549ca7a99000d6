import { BRIEF, type Call } from '../grammar.ts';
import * as need from '../needs.ts';
import { refuse } from '../world.ts';

/** What concerns nobody else: timers, tasks, locks, randomness, the log. */
const CALLBACK = ['fn', 'asyncfn', 'bound', 'fnproxy'];
const LATER = ['hour', 'late'];
const LATER_MS = ['hourms', 'int31'];
const AT_ONCE = ['zero', 'minuszero', 'nan', 'negative', 'int32', 'undef', 'nul', 'no', 'empty', 'word'];
const ANY = ['a', 'one', 'object', 'array', 'cyclic', 'sparse', 'date', 'map', 'set', 'u3', 'nul', 'undef', 'wide'];

/** Seconds for which nobody waits here. */
const NUMBERS = ['one', 'two', 'half', 'seven', 'hour', 'late', 'hourms', 'toolong', 'mib1', 'int31', 'port65536'];
const LONG = [...NUMBERS, 'p1', 'p2', 'p3', 'unlisted'];

/** A timer that only `canceltimer` ends here. */
export const TIMERS: readonly Call[] = [
  {
    name: 'settimer',
    weight: 4,
    makes: 'timer',
    args: [[...LATER, 'toolate', 'negative', 'nan'], CALLBACK, ['undef', 'array']],
    never: ['zero', 'minuszero', 'one', 'two', 'half', 'tiny', 'seven'],
    model: (world, [seconds, fn, args = []]) => {
      need.needSeconds(seconds, 1e9);
      need.needFunction(fn);
      if (!need.isArray(args)) refuse('RepyArgumentError');
      world.take('events');
      world.make('timer');
      return '= handle';
    },
  },
  {
    name: 'canceltimer',
    weight: 3,
    on: 'timer',
    args: [],
    text: () => 'API.canceltimer(ON)',
    model: (world, _, timer) => {
      const was = timer.open;
      timer.open = false;
      if (was) world.events -= 1;
      return `= ${was}`;
    },
  },
  {
    name: 'canceltimer',
    args: [['nul', 'one', 'object', 'thrower', 'revoked']],
    model: () => refuse('RepyArgumentError'),
  },
  {
    name: 'settimer soon',
    promises: true,
    patience: 5,
    fixed: 2,
    args: [
      ['zero', 'tiny', 'minuszero'],
      ['a', 'symbol', 'thrower'],
    ],
    text: ([seconds, value]) => `h.soon((fn) => API.settimer(${seconds}, () => fn(typeof ${value}), []))`,
    model: (world, [, value]) => {
      world.take('events');
      world.events -= 1;
      return `~ ${world.name(typeof value)}`;
    },
  },
  {
    name: 'sleep',
    promises: true,
    patience: 0.05,
    args: [['zero', 'tiny', 'negative', 'nan', 'infinite', 'toolate']],
    never: LONG,
    model: (_, [seconds]) => {
      need.needSeconds(seconds, 1e9);
      return '~ undefined';
    },
  },
];

const WEB: readonly Call[] = [
  ...['setTimeout', 'setInterval'].map(
    (name): Call => ({
      name,
      weight: 3,
      makes: 'web',
      fixed: 2,
      args: [[...CALLBACK, 'nul', 'word', 'object', 'thrower'], [...LATER_MS, 'symbol', 'big', 'tothrow'], ANY],
      touches: true,
      model: (world, [fn, delay]) => {
        need.needFunction(fn);
        if (typeof delay === 'symbol' || typeof delay === 'bigint') refuse('TypeError');
        if (typeof delay === 'object') refuse('Trap');
        world.take('events');
        world.make('web');
        return '= handle';
      },
    }),
  ),
  {
    name: 'setTimeout soon',
    promises: true,
    patience: 5,
    fixed: 1,
    args: [AT_ONCE],
    touches: true,
    text: ([delay]) => `h.soon((fn) => API.setTimeout(fn, ${delay}, 'a'))`,
    model: (world) => {
      world.take('events');
      world.events -= 1;
      return `~ ${world.name('a')}`;
    },
  },
  {
    name: 'clearTimeout',
    on: 'web',
    args: [],
    text: () => 'API.clearTimeout(ON)',
    model: (world, _, timer) => {
      if (timer.open) world.events -= 1;
      timer.open = false;
      return '= undefined';
    },
  },
  {
    name: 'clearTimeout',
    args: [['nul', 'nan', 'thrower', 'word', 'int53', 'negative', 'undef', 'object']],
    fixed: 1,
    model: () => '= undefined',
  },
];

export const TASKS: readonly Call[] = [
  { name: 'createlock', weight: 3, makes: 'lock', args: [], model: (world) => `= ${world.make('lock') && 'handle'}` },
  {
    name: 'acquire',
    patience: BRIEF,
    weight: 5,
    on: 'lock',
    promises: true,
    args: [['yes', 'no', 'undef', 'one', 'zero']],
    model: (world, [blocking = true], lock) => {
      // The first generation says it by numbers.
      if (typeof blocking !== 'boolean' && blocking !== 0 && blocking !== 1) refuse('RepyArgumentError');
      const got = lock.held !== true;
      lock.held = true;
      if (got || !blocking) return `~ ${got}`;
      lock.readers.push(world.place);
      return '...';
    },
  },
  {
    name: 'release',
    weight: 5,
    on: 'lock',
    args: [],
    model: (world, _, lock) => {
      if (lock.held !== true) refuse('LockDoubleReleaseError');
      const next = lock.readers.shift();
      if (next === undefined) lock.held = false;
      else world.later(next, '~ true');
      return '= undefined';
    },
  },
  {
    name: 'createthread',
    args: [[...CALLBACK, 'nul', 'object', 'thrower']],
    model: (world, [fn]) => {
      need.needFunction(fn);
      world.take('events');
      world.events -= 1;
      return '= undefined';
    },
  },
  {
    name: 'createthread that waits',
    args: [],
    text: () => 'API.createthread(h.hold)',
    model: (world) => {
      world.take('events');
      return '= undefined';
    },
  },
  {
    name: 'queueMicrotask',
    args: [[...CALLBACK, 'nul', 'object', 'thrower']],
    model: (_, [fn]) => {
      need.needFunction(fn);
      return '= undefined';
    },
  },
];

const OTHERS: readonly Call[] = [
  { name: 'getmyip', args: [ANY], text: (args) => `(API.getmyip(${args.join(', ')}) === OWN)`, model: () => '= true' },
  { name: 'randombytes', promises: true, args: [], model: () => (actual) => /^~ b1024:\d+$/.test(actual) },
  { name: 'getruntime', args: [], text: () => '(API.getruntime() >= 0)', model: () => '= true' },
  {
    name: 'randomfloat',
    args: [],
    text: () => '(API.randomfloat() < 1 && API.randomfloat() >= 0)',
    model: () => '= true',
  },
  { name: 'getresources', args: [['thrower']], model: () => '= object' },
  {
    name: 'getlasterror',
    args: [],
    text: () => "(typeof (API.getlasterror() ?? '') === 'string')",
    model: () => '= true',
  },
  { name: 'log', weight: 3, touches: true, args: [ANY, ANY], model: () => '= undefined' },
];

export const LOCAL: readonly Call[] = [...TIMERS, ...WEB, ...TASKS, ...OTHERS];
