import { OP } from '../ops.ts';
import { canonical } from './address.ts';
import { awaitRequest, invoke, type Primitive } from './bridge.ts';
import { needAddress } from './data.ts';
import { errorOf } from './errors.ts';
import { includes, parseJson } from './primordials.ts';

type Names = [name: string, aliases: string[], addresses: string[]];

/** Seattle's own call: `[name, aliases, addresses]`; a numeric address is its own name. */
export async function gethostbyname_ex(name: unknown): Promise<Names> {
  const text = needAddress(name, 'a host name');
  const address = canonical(text);
  if (address !== '') return [address, [], [address]];
  const map = (json: Primitive) => parseJson(json as string);
  return (await awaitRequest(invoke(OP.resolve, text) as number, map)) as Names;
}

/** The first address of a name. */
export async function gethostbyname(name: unknown): Promise<string> {
  return (await gethostbyname_ex(name))[2][0] as string;
}

/**
 * Does something with a host: with its address as it is, or with each address of its name until one is right. The name is
 * looked up once; what is done is done by addresses, and those are checked as if the program had named them.
 * @param like an address of the family that is wanted, '' for any
 */
export function toHost<T>(host: string, like: string, attempt: (address: string) => Promise<T>): Promise<T> {
  return canonical(host) === '' ? toName(host, like, attempt) : attempt(host);
}

async function toName<T>(name: string, like: string, attempt: (address: string) => Promise<T>): Promise<T> {
  const addresses = (await gethostbyname_ex(name))[2];
  let failure: unknown;
  for (let at = 0; at < addresses.length; at++) {
    const address = addresses[at] as string;
    if (like !== '' && includes(like, ':') !== includes(address, ':')) continue;
    try {
      return await attempt(address);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? errorOf('NetworkAddressError', 'expected a name with an address of the kind of the local address');
}
