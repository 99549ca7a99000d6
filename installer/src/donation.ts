import { readFile } from 'node:fs/promises';
import { type Donation, donationSchema } from '@potluck/protocol';
import { z } from 'zod';
import { InstallError } from './errors.ts';

/**
 * Reads what makes an archive a donor's own.
 * @throws InstallError DONATION_BROKEN
 */
export async function readDonation(path: string): Promise<Donation> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw broken(path, 'nothing that can be read', cause);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw broken(path, 'something that is not JSON', cause);
  }
  const parsed = donationSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  throw broken(path, `${first?.message ?? 'another shape'} at ${first?.path.join('.') || 'the top'}`, undefined);
}

function broken(path: string, got: string, cause: unknown): InstallError {
  const advice = 'download the archive again';
  return new InstallError('DONATION_BROKEN', `expected a donation in ${path}, got ${got}: ${advice}`, {
    ...(cause instanceof z.ZodError ? { cause } : {}),
  });
}
