import {
  type Address,
  addressSchema,
  type KeyId,
  keyIdSchema,
  type VesselName,
  vesselNameSchema,
} from '@potluck/protocol';
import { CommandError, UsageError } from './errors.ts';

/**
 * Parses `10.0.0.7:1224`, `example.org:1224:v1` or `[::1]:1224`.
 * @throws CommandError BAD_ADDRESS
 */
export function parseAddress(text: string): { address: Address; vessel: VesselName | undefined } {
  const [, bracketed, plain, port, name] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})(?::(.*))?$/.exec(text) ?? [];
  const address = addressSchema.safeParse({ host: bracketed ?? plain, port: Number(port) });
  const vessel = vesselNameSchema.optional().safeParse(name);
  if (address.success && vessel.success) return { address: address.data, vessel: vessel.data };
  throw new CommandError(
    'BAD_ADDRESS',
    `expected HOST:PORT or HOST:PORT:VESSEL, such as 10.0.0.7:1224:v1, got "${text}"`,
  );
}

/** A node that is asked where others are. */
export interface DirectoryAddress {
  readonly address: Address;
  /** Without it whatever key answers is believed: a directory can hide a node, but not make one up. */
  readonly key: KeyId | undefined;
}

/**
 * Parses `10.0.0.7:1224` or `KEY@10.0.0.7:1224`.
 * @throws UsageError USAGE
 */
export function parseDirectory(text: string): DirectoryAddress {
  const [, name, place = ''] = /^(?:([^@]*)@)?(.*)$/s.exec(text) ?? [];
  const key = keyIdSchema.optional().safeParse(name);
  try {
    const { address, vessel } = parseAddress(place);
    if (key.success && vessel === undefined) return { address, key: key.data };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  throw new UsageError('USAGE', `expected a directory as HOST:PORT or KEY@HOST:PORT, got "${text}"`);
}
