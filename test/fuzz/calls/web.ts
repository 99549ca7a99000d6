import type { Call } from '../grammar.ts';
import { nameOf, refuse } from '../world.ts';

/** What JavaScript has everywhere: the model is Node's own, an engine's and a library's work of which ours knows nothing. */
const TEXTS = ['a', 'accent', 'face', 'lone', 'lone2', 'mixed', 'nil', 'empty', 'long256', 'udplone1', 'udpwide'];
const BYTES = ['u0', 'u3', 'uutf', 'usub', 'upart', 'ufake', 'unamed', 'buffer', 'view', 'int16array', 'float64array'];
const LABELS = ['undef'];
const ODD = ['thrower', 'revoked', 'tothrow', 'symbol'];

/** Runs Node's own; what throws there has to throw here, with whatever class. */
export function like(run: (...args: readonly unknown[]) => unknown): Call['model'] {
  return (_, args) => {
    let expected: string;
    try {
      expected = `= ${nameOf(run(...args))}`;
    } catch {
      return (actual) => actual.startsWith('! ');
    }
    return expected;
  };
}

const decode = (label?: unknown, options?: unknown, input?: unknown) =>
  new TextDecoder(label as string, options as object).decode(input as Uint8Array);

/** The same as `describeClone` inside. */
function cloneHere(value: unknown): string {
  const copy = structuredClone(value) as { self?: unknown; size?: unknown; byteLength?: unknown };
  const part = typeof copy === 'object' && copy !== null ? Object.keys(copy).length : typeof copy;
  const tag = Object.prototype.toString.call(copy);
  return `${tag}${copy === value}${part}${copy?.self === copy}${copy?.size ?? ''}${copy?.byteLength ?? ''}`;
}

export const WEB: readonly Call[] = [
  {
    name: 'encode',
    touches: true,
    args: [[...TEXTS, 'totext', 'tothrow', 'array', 'one']],
    text: (args) => `new API.TextEncoder().encode(${args.join(', ')})`,
    model: like((...args) => new TextEncoder().encode(...(args as [string]))),
  },
  {
    name: 'encodeInto',
    touches: true,
    fixed: 2,
    args: [
      ['a', 'accent', 'face', 'lone', 'mixed', 'empty'],
      ['u0', 'u3', 'upart', 'uutf', 'usub', 'float64array', 'nul', 'uproxy', 'buffer'],
    ],
    text: (args) =>
      `((into) => { const { read, written } = new API.TextEncoder().encodeInto(${args[0]}, into); return read + ' ' + written + ' ' + into.join(); })(${args[1]})`,
    model: like((text, into) => {
      const { read, written } = new TextEncoder().encodeInto(text as string, into as Uint8Array);
      return `${read} ${written} ${(into as Uint8Array).join()}`;
    }),
  },
  {
    name: 'decode',
    weight: 4,
    touches: true,
    args: [LABELS, ['undef', 'object', 'fatal'], [...BYTES, 'undef']],
    fixed: 1,
    never: ['nul', ...ODD, 'array', 'fn'],
    text: (args) => `new API.TextDecoder(...[${args.slice(0, 2).join(', ')}]).decode(${args.slice(2).join(', ')})`,
    model: (_, args) => {
      const [, options] = args;
      if (options !== undefined && typeof options !== 'object') return (actual) => actual.startsWith('! ');
      return like(decode)(_, args, undefined as never);
    },
  },
  ...['atob', 'btoa'].map(
    (name): Call => ({
      name,
      weight: 3,
      touches: true,
      fixed: 1,
      args: [
        [
          'a',
          'b64',
          'b64bad',
          'b64open',
          'empty',
          'accent',
          'face',
          'nil',
          'one',
          'nul',
          'totext',
          'tothrow',
          'symbol',
          'array',
        ],
      ],
      model: like(name === 'atob' ? (text) => atob(text as string) : (text) => btoa(text as string)),
    }),
  ),
  {
    name: 'structuredClone',
    weight: 4,
    touches: true,
    fixed: 1,
    args: [
      [
        'object',
        'array',
        'sparse',
        'cyclic',
        'date',
        'baddate',
        'map',
        'set',
        ...BYTES,
        'symbol',
        'fn',
        'promise',
        'thenable',
        'one',
        'minuszero',
        'big',
        'float16array',
      ],
    ],
    text: ([value]) => `h.describeClone(${value})`,
    model: like((value) => cloneHere(value)),
  },
  {
    name: 'getRandomValues',
    args: [['u3', 'int16array', 'u0', 'u65537', 'float64array', 'nul', 'thrower', 'buffer', 'view']],
    fixed: 1,
    text: ([array]) => `((given) => API.crypto.getRandomValues(given) === given)(${array})`,
    model: (_, [array]) => {
      const name = ArrayBuffer.isView(array)
        ? (array as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]
        : '';
      if (!/(Int|Uint)\d+(Clamped)?Array$/.test(name)) refuse('RepyArgumentError');
      if ((array as Uint8Array).byteLength > 65_536) refuse('RepyArgumentError');
      return '= true';
    },
  },
  { name: 'randomUUID', args: [], text: () => 'API.crypto.randomUUID().length', model: () => '= 36' },
  {
    name: 'abort',
    args: [['undef', 'a', 'object', 'nul', 'thrower']],
    fixed: 1,
    text: ([reason]) =>
      `((why) => { const one = new API.AbortController(); const any = API.AbortSignal.any([one.signal]); let n = 0; any.onabort = () => { n++; }; one.abort(why); one.abort(); return n + ' ' + any.aborted + ' ' + (any.reason === one.signal.reason) + ' ' + (why === undefined || any.reason === why); })(${reason})`,
    model: (world) => `= ${world.name('1 true true true')}`,
  },
];
