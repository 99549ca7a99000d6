import { type Address, addressSchema, type VesselName, vesselNameSchema } from '@potluck/protocol';
import { CommandError } from './errors.ts';

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
