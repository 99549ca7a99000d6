import { LIMITS, METHODS } from '@potluck/protocol';
import type { Dice } from './dice.ts';
import { huge, nonsense } from './values.ts';
import { frame, jsonOf, payloadOf, signText, type World } from './world.ts';

export interface Shot {
  readonly kind: string;
  /** `message`: one binary WebSocket message; `text`: one of text; `raw`: bytes in the place of WebSocket frames. */
  readonly as: 'message' | 'text' | 'raw';
  readonly bytes: Buffer;
}

type Maker = (dice: Dice, world: World) => Omit<Shot, 'kind'>;
const message = (bytes: Buffer) => ({ as: 'message', bytes }) as const;

const valid = (dice: Dice, world: World): Buffer =>
  frame(signText(dice.pick(world.signers), { payload: jsonOf(payloadOf(world, dice)) }));

const RAW_HEADS = [
  '8205',
  '8285',
  'c285',
  'f285',
  '8385',
  '8b85',
  '0085',
  '89ff00000000ffffffff',
  '82ff7fffffffffffffff',
];

/** Values that a parameter may have, so that some requests get as far as their handlers. */
function right(dice: Dice, name: string, world: World): string {
  const keys = world.signers.map(({ id }) => id);
  const values: Record<string, readonly unknown[]> = {
    vessel: ['v1', 'v2', 'v3', 'v4', 'v5', 'v6'],
    other: ['v1', 'v2', 'v3', 'v4'],
    name: ['a', 'b.txt', 'c'],
    program: ['absent.js'],
    args: [[], ['x']],
    users: [[], [keys[1]], keys],
    owner: [keys[0]],
    text: ['', 'note'],
    advertise: [true, false],
    restrictions: ['', 'resource cpu .01\nresource memory 1000000\nresource diskused 1000\nresource events 1\n'],
  };
  return JSON.stringify(dice.pick(values[name] ?? ['']));
}

function request(dice: Dice, world: World): Buffer {
  const [method, { params, attachment }] = dice.pick(Object.entries(METHODS));
  const names = Object.keys(params.shape);
  const wrong = dice.roll(3);
  const given = names.map((name) => [name, dice.roll(4) < wrong ? nonsense(dice) : right(dice, name, world)]);
  if (dice.roll(8) === 0) given.push([dice.pick(['more', '__proto__', 'vessel']), nonsense(dice)]);
  if (dice.roll(8) === 0) given.pop();
  const attached = dice.roll(attachment === 'request' ? 2 : 20) === 0 ? dice.bytes(dice.roll(300)) : Buffer.alloc(0);
  const members = { ...payloadOf(world, dice, attached), method: JSON.stringify(method) };
  const body = { ...members, params: jsonOf(Object.fromEntries(given)) };
  return frame(signText(dice.pick(world.signers), { payload: jsonOf(body) }), attached);
}

function headerOf(dice: Dice, world: World): string {
  const { publicJwk, privateJwk } = dice.pick(world.signers);
  const right = { alg: 'EdDSA', typ: 'potluck-request', jwk: publicJwk };
  const headers: readonly unknown[] = [
    { ...right, alg: 'none' },
    { ...right, alg: 'HS256' },
    { ...right, typ: 'potluck-reply' },
    { ...right, jwk: privateJwk },
    { ...right, jwk: { ...publicJwk, x: dice.bytes(dice.roll(64)).toString('base64url') } },
    { ...right, jwk: { ...publicJwk, crv: 'X25519' } },
    { ...right, jwk: { kty: 'oct', k: 'AAAA' } },
    { ...right, crit: ['b64'], b64: false },
    { ...right, kid: 'x' },
    { alg: 'EdDSA', typ: 'potluck-request' },
    [],
    'text',
    null,
  ];
  return dice.roll(4) === 0 ? nonsense(dice) : JSON.stringify(dice.pick(headers));
}

/** How often each comes, and how it is made. Those that end their connection are few: a new one costs most. */
const KINDS: Record<string, readonly [weight: number, Maker]> = {
  garbage: [20, (dice) => message(dice.bytes(dice.roll(2000)))],
  'wrong length': [30, (dice, world) => lengthened(dice, valid(dice, world))],
  truncated: [40, (dice, world) => cut(dice, valid(dice, world))],
  'turned bits': [1400, (dice, world) => turned(dice, valid(dice, world))],
  header: [
    1500,
    (dice, world) => {
      const payload = jsonOf(payloadOf(world, dice));
      return message(frame(signText(dice.pick(world.signers), { header: headerOf(dice, world), payload })));
    },
  ],
  'signed nonsense': [
    1600,
    (dice, world) => {
      const { nonce = '' } = payloadOf(world, dice);
      const payload = `{"nonce":${nonce},"${dice.pick(['method', 'params', 'x', '__proto__'])}":${nonsense(dice)}}`;
      return message(frame(signText(dice.pick(world.signers), { payload })));
    },
  ],
  'signed nonsense without a nonce': [
    10,
    (dice, world) => message(frame(signText(dice.pick(world.signers), { payload: nonsense(dice) }))),
  ],
  'a wrong member': [
    1900,
    (dice, world) => {
      const members = payloadOf(world, dice);
      members[dice.pick(['method', 'params', 'node', 'iat', 'exp', 'sha256', 'more'])] = nonsense(dice);
      return message(frame(signText(dice.pick(world.signers), { payload: jsonOf(members) })));
    },
  ],
  request: [3500, (dice, world) => message(request(dice, world))],
  huge: [
    4,
    (dice, world) => {
      const members = payloadOf(world, dice);
      members[dice.pick(['method', 'params', 'params', 'more'])] = huge(dice);
      return message(frame(signText(dice.pick(world.signers), { payload: jsonOf(members) })));
    },
  ],
  'huge attachment': [
    1,
    (dice, world) => {
      const envelope = signText(dice.pick(world.signers), { payload: jsonOf(payloadOf(world, dice)) });
      const most = LIMITS.messageBytes - envelope.length - 4;
      return message(frame(envelope, Buffer.alloc(dice.pick([most, most + 1, dice.roll(most)]))));
    },
  ],
  text: [5, (dice, world) => ({ as: 'text', bytes: dice.roll(2) === 0 ? dice.bytes(20) : valid(dice, world) })],
  'no WebSocket frame': [
    10,
    (dice) => ({
      as: 'raw',
      bytes: Buffer.concat([Buffer.from(dice.pick(RAW_HEADS), 'hex'), dice.bytes(dice.roll(40))]),
    }),
  ],
};

function lengthened(dice: Dice, bytes: Buffer): Omit<Shot, 'kind'> {
  const length = bytes.readUInt32BE();
  bytes.writeUInt32BE(
    dice.pick([0, 1, length - 1, length + 1, LIMITS.envelopeBytes, LIMITS.envelopeBytes + 1, 2 ** 32 - 1]),
  );
  return message(bytes);
}

function cut(dice: Dice, bytes: Buffer): Omit<Shot, 'kind'> {
  const kept = bytes.subarray(0, dice.roll(bytes.length));
  if (dice.roll(2) === 0 && kept.length > 4) kept.writeUInt32BE(kept.length - 4);
  return message(kept);
}

/** Mostly not in the payload: who cannot find a nonce there has nothing to answer under, and ends the connection. */
function turned(dice: Dice, bytes: Buffer): Omit<Shot, 'kind'> {
  const dots = [bytes.indexOf('.'), bytes.lastIndexOf('.')] as const;
  const [from, to] =
    dice.roll(16) === 0
      ? [4, bytes.length]
      : dice.pick([
          [4, dots[0]],
          [dots[1], bytes.length],
        ] as const);
  for (let times = dice.roll(3); times >= 0; times -= 1) {
    const at = from + dice.roll(to - from);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.roll(7));
  }
  return message(bytes);
}

const TOTAL = Object.values(KINDS).reduce((sum, [weight]) => sum + weight, 0);

/** @returns the next shot of these dice. */
export function shoot(dice: Dice, world: World): Shot {
  let left = dice.roll(TOTAL);
  for (const [kind, [weight, make]] of Object.entries(KINDS)) {
    left -= weight;
    if (left < 0) return { kind, ...make(dice, world) };
  }
  return { kind: 'garbage', ...message(Buffer.alloc(0)) };
}
