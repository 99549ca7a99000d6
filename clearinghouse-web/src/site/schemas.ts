import { acquireTypeSchema, keyIdSchema, rulesSchema, scopeSchema, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { isPlain } from '../plain.ts';

const TOKEN_DAYS = LIMITS.tokenMs / 86_400_000;

/** A form sends an empty field as an empty text. */
const emptyIsMissing = (value: unknown): unknown => (value === '' ? undefined : value);

/** A form sends one rule a line, or with spaces between. */
const linesAreRules = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(/\s+/).filter((text) => text !== '') : value;

const usernameSchema = z
  .string({ error: 'expected a username' })
  .regex(
    new RegExp(`^[0-9A-Za-z][0-9A-Za-z_]{${LIMITS.usernameShortest - 1},${LIMITS.usernameLongest - 1}}$`),
    `expected a username of ${LIMITS.usernameShortest} to ${LIMITS.usernameLongest} letters, digits or "_", not starting with "_"`,
  );

const newPasswordSchema = z
  .string({ error: 'expected a password' })
  .min(LIMITS.passwordShortest, `expected a password of at least ${LIMITS.passwordShortest} characters`)
  .max(LIMITS.passwordLongest, `expected a password of at most ${LIMITS.passwordLongest} characters`);

/** The password that the account has, given once more. */
const currentSchema = z
  .string({ error: 'expected the password of this account' })
  .max(LIMITS.passwordLongest, `expected a password of at most ${LIMITS.passwordLongest} characters`);

const labelSchema = z
  .string({ error: 'expected a name' })
  .trim()
  .min(1, 'expected a name')
  .max(LIMITS.labelLength, `expected a name of at most ${LIMITS.labelLength} characters`)
  .refine(isPlain, 'expected a name in one line, without characters that control or turn it');

/** A form sends one chosen value as a text, and several as a list. */
const asList = (value: unknown): unknown => (typeof value === 'string' ? [value] : value);

/** What `signKeyProof` of `protocol` makes. */
const keyProofSchema = z
  .string({ error: 'expected a line that is signed by your key' })
  .trim()
  .max(LIMITS.keyProofLength, `expected a line of at most ${LIMITS.keyProofLength} characters`)
  .refine((text) => !text.includes('"d"'), {
    error: 'expected a signed line, got a private key: keep it to yourself',
    abort: true,
  })
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'expected a line that is signed by your key, as "provekey" prints it');

export const registerSchema = z
  .object({
    username: usernameSchema,
    password: newPasswordSchema,
    email: z.preprocess(emptyIsMissing, z.email('expected an email address').max(254).optional()),
    keyProof: keyProofSchema,
  })
  .refine(({ username, password }) => username.toLowerCase() !== password.toLowerCase(), {
    error: 'expected a password other than the username',
    path: ['password'],
  });

export const loginSchema = z.object({
  username: z.string({ error: 'expected a username' }).max(200),
  password: z.string({ error: 'expected a password' }).max(LIMITS.passwordLongest),
  next: z.string().max(200).optional(),
});

export const passwordChangeSchema = z.object({ current: currentSchema, password: newPasswordSchema });

export const keyChangeSchema = z.object({ current: currentSchema, keyProof: keyProofSchema });

/** Which sessions to end: one, all but this one, or all. */
export const sessionsEndSchema = z
  .object({
    session: z.string().max(64).optional(),
    which: z.enum(['others', 'all'], { error: 'expected "others" or "all"' }).optional(),
  })
  .refine(({ session, which }) => (session === undefined) !== (which === undefined), {
    error: 'expected either the id of a session, or which ones: "others" or "all"',
  });

export const newTokenSchema = z.object({
  name: labelSchema,
  scopes: z.preprocess(
    asList,
    z
      .array(scopeSchema, { error: 'expected what the token is for: at least one scope' })
      .min(1, 'expected what the token is for: at least one scope')
      .max(scopeSchema.options.length, `expected at most ${scopeSchema.options.length} scopes`),
  ),
  days: z.coerce
    .number({ error: 'expected a number of days' })
    .int('expected a whole number of days')
    .min(1, 'expected at least 1 day')
    .max(TOKEN_DAYS, `expected at most ${TOKEN_DAYS} days`),
  current: currentSchema,
});

/** What a browser says of a passkey; the library that checks it says the rest. */
const credentialSchema = z.looseObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,1400}$/, 'expected the id of a passkey'),
  rawId: z.string(),
  type: z.literal('public-key'),
  response: z.looseObject({ clientDataJSON: z.string() }),
  clientExtensionResults: z.looseObject({}).default({}),
});

export const newPasskeySchema = z.object({ name: labelSchema, current: currentSchema, response: credentialSchema });

/** Who deletes his account shows by one of the two that it is his. */
export const deletionSchema = z
  .object({ current: currentSchema.optional(), response: credentialSchema.optional() })
  .refine(({ current, response }) => (current === undefined) !== (response === undefined), {
    error: 'expected the password of this account, or what a passkey has signed',
    path: ['current'],
  });

export const passkeyLoginSchema = z.object({ response: credentialSchema, next: z.string().max(200).optional() });

/** One thing of a list, by its id. */
export const chosenSchema = z.object({ id: z.string({ error: 'expected an id' }).min(1).max(1400) });

export const renameSchema = chosenSchema.extend({ name: labelSchema });

export const nothingSchema = z.object({});

/**
 * Whatever comes with a request, before its route looks at it. PostgreSQL keeps no text with a NUL character in it, and so
 * none is taken, on whichever database.
 */
export const entriesSchema = z.record(z.string(), z.unknown()).superRefine((entries, context) => {
  for (const [field, value] of Object.entries(entries)) {
    const isBad = hasNul([field, value]);
    if (isBad) context.addIssue({ code: 'custom', path: [field.replaceAll('\0', '')], message: NO_NUL });
  }
});
const NO_NUL = 'expected text without NUL characters, got one with them';

/** Without recursion: somebody else has chosen how deep it goes. */
function hasNul(whole: unknown): boolean {
  const left = [whole];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string' && value.includes('\0')) return true;
    if (typeof value === 'object' && value !== null) left.push(...Object.entries(value).flat());
  }
  return false;
}

/** Somebody, to himself. */
export const userSchema = z.object({
  username: z.string(),
  email: z.string().nullable(),
  keyId: keyIdSchema,
  userPort: z.int().nullable(),
});

export const acquireSchema = z.object({
  count: z.coerce
    .number({ error: 'expected a number of vessels' })
    .int('expected a whole number of vessels')
    .min(1, 'expected at least 1 vessel')
    .max(LIMITS.vesselsPerRequest, `expected at most ${LIMITS.vesselsPerRequest} vessels`),
  type: z.preprocess(emptyIsMissing, acquireTypeSchema.default('random')),
  rules: z.preprocess(linesAreRules, rulesSchema.default([])),
  idempotencyKey: z
    .string()
    .regex(
      new RegExp(`^[A-Za-z0-9_-]{1,${LIMITS.idempotencyKeyLength}}$`),
      `expected 1 to ${LIMITS.idempotencyKeyLength} letters, digits, "_" or "-"`,
    )
    .optional(),
});

/** `NODEID:v1` */
export const handleSchema = z
  .string()
  .max(60)
  .transform((text) => {
    const [node, name] = text.split(':');
    return { node, name };
  })
  .pipe(z.object({ node: keyIdSchema, name: vesselNameSchema }, { error: 'expected a handle such as NODEID:v1' }));

/** Of a list with a `max` that is too long, zod looks at nothing that is in it; a `refine` would come after all of it. */
const handlesSchema = z.preprocess(
  asList,
  z.array(handleSchema).max(LIMITS.vesselsPerRequest, `expected at most ${LIMITS.vesselsPerRequest} vessels`),
);

/** Programs send `handles`, or `all`; the page's buttons say `only` this one or `all`. */
export const selectionSchema = z.object({
  handles: handlesSchema.optional(),
  only: handleSchema.optional(),
  all: z.literal(['yes', true]).optional(),
  /** Where a person goes on afterwards. */
  next: z
    .string()
    .regex(/^\/vessels(\/[A-Za-z0-9_-]{43}:v\d{1,9})?$/, "expected the page of one's vessels or of one of them")
    .optional(),
});
export type Selection = z.infer<typeof selectionSchema>;
