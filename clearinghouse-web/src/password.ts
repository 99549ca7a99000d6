import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(argon2);

/** What a guess costs: `memory` in KiB. */
export interface PasswordCost {
  readonly memory: number;
  readonly passes: number;
}

/** OWASP's smallest advice for argon2id: 19 MiB, two passes, one lane. */
export const PASSWORD_COST: PasswordCost = { memory: 19_456, passes: 2 };
const SHAPE = { parallelism: 1, tagLength: 32 } as const;
const SALT_BYTES = 16;

/** @returns the password's hash as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`. */
export async function hashPassword(password: string, cost: PasswordCost = PASSWORD_COST): Promise<string> {
  const nonce = randomBytes(SALT_BYTES);
  const tag = await derive('argon2id', { message: Buffer.from(password), nonce, ...cost, ...SHAPE });
  const { memory, passes } = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${SHAPE.parallelism}$${unpadded(nonce)}$${unpadded(tag)}`;
}

/** Takes the same time for a user who does not exist (`phc` undefined) as for one who does. */
export async function verifyPassword(password: string, phc: string | undefined): Promise<boolean> {
  const stored = phc === undefined ? undefined : parse(phc);
  const { expected, parameters } = stored ?? DECOY;
  const tag = await derive('argon2id', { message: Buffer.from(password), ...parameters });
  return timingSafeEqual(tag, expected) && stored !== undefined;
}

interface Stored {
  readonly expected: Buffer;
  readonly parameters: Omit<Argon2Parameters, 'message'>;
}

const DECOY: Stored = {
  expected: randomBytes(SHAPE.tagLength),
  parameters: { nonce: randomBytes(SALT_BYTES), ...PASSWORD_COST, ...SHAPE },
};

function parse(phc: string): Stored | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc);
  if (match === null) return undefined;
  const [, memory, passes, parallelism, salt = '', hash = ''] = match;
  const expected = Buffer.from(hash, 'base64');
  return {
    expected,
    parameters: {
      nonce: Buffer.from(salt, 'base64'),
      memory: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
      tagLength: expected.length,
    },
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
