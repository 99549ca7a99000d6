import { isIP } from 'node:net';
import { types } from 'node:util';
import { refuse, type World } from './world.ts';

/** The checks of the tables, each said once. All about types and ranges comes before anything else. */
export const MESSAGE_BYTES = 65_507;
export const SECOND_MESSAGE_BYTES = 9216;
const PORTS = [28_301, 28_302, 28_303];

function needText(value: unknown): asserts value is string {
  if (typeof value !== 'string') refuse('RepyArgumentError');
}

function needShort(value: unknown): string {
  needText(value);
  if (value.length > 255) refuse('RepyArgumentError');
  return value;
}

/** An address in its one spelling; another text stays as it is, and is refused after the arguments were looked at. */
export function needAddress(value: unknown): string {
  const text = needShort(value);
  return text === '::ffff:127.0.0.1' ? '127.0.0.1' : text;
}

/** The second generation takes the address of one machine only. */
export function needMachine(value: unknown): string {
  const address = needAddress(value);
  const first = Number(address.split('.')[0]);
  const one =
    isIP(address) === 4
      ? first >= 1 && first <= 223
      : isIP(address) === 6 && isAddress(address) && !address.startsWith('ff');
  if (!one) refuse('RepyArgumentError');
  return address;
}

export function needPort(value: unknown): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65_535) refuse('RepyArgumentError');
}

export function needSeconds(value: unknown, most: number): asserts value is number {
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) refuse('RepyArgumentError');
}

export function needFunction(value: unknown): void {
  if (typeof value !== 'function') refuse('RepyArgumentError');
}

/** A revoked proxy is none. */
export function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

export function needOptions(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) refuse('RepyArgumentError');
  return value as Record<string, unknown>;
}

/** What reading a property gives: a trap's own error is the program's. */
export function read(value: Record<string, unknown> | undefined, name: string): unknown {
  try {
    return value?.[name];
  } catch (error) {
    return refuse((error as Error).name === 'Trap' ? 'Trap' : 'TypeError');
  }
}

/** @returns whether what comes is bytes. */
export function needEncoding(options: unknown): boolean {
  const encoding = read(needOptions(options), 'encoding');
  if (encoding === undefined || encoding === 'utf8') return false;
  if (encoding === 'binary') return true;
  return refuse('RepyArgumentError');
}

function isBytes(value: unknown): value is Uint8Array {
  return types.isUint8Array(value);
}

/** @returns the bytes that a text or a Uint8Array is sent as. */
export function needData(value: unknown, most: number): Buffer {
  if (typeof value !== 'string' && !isBytes(value)) refuse('RepyArgumentError');
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(Uint8Array.prototype.slice.call(value));
  if (bytes.byteLength > most) refuse('RepyArgumentError');
  return bytes;
}

/** One with the name of an interface is the donor's own matter. */
const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');

export function needNumeric(...addresses: (string | undefined)[]): void {
  if (addresses.some((address) => address !== undefined && !isAddress(address))) refuse('NetworkAddressError');
}

/** Both of one family, and not the same: what is sent to where it comes from goes nowhere. */
export function needApart(
  to: readonly [string, number],
  from: { ip: string | undefined; port: number | undefined },
): void {
  if (from.ip === undefined) return;
  if (isIP(from.ip) !== isIP(to[0]) || (from.ip === to[0] && from.port === to[1])) refuse('RepyArgumentError');
}

export function needOwnPort(port: number | undefined): void {
  if (port !== undefined && !PORTS.includes(port)) refuse('ResourceForbiddenError');
}

/** On its own machine a vessel reaches its own ports; elsewhere, here, only the one address that a rule names. */
export function needReachable(world: World, address: string, port: number): void {
  const machine = [world.own, '127.0.0.1', '::1'].includes(address) && PORTS.includes(port);
  if (!machine && address !== world.dead) refuse('ResourceForbiddenError');
}

export function needOwnAddress(world: World, address: string | undefined): void {
  if (address !== undefined && ![world.own, '127.0.0.1', '::1'].includes(address)) refuse('AddressBindingError');
}

/** Both or neither. */
export function needLocal(ip: unknown, port: unknown): { ip: string | undefined; port: number | undefined } {
  if (ip === undefined && port === undefined) return { ip: undefined, port: undefined };
  const address = needAddress(ip);
  needPort(port);
  return { ip: address, port };
}
