// The circle of numbers that Chord is drawn on: 0 to 2^32 - 1, and after the last comes the first.

/** One vessel of the ring. */
export interface Peer {
  readonly id: number;
  readonly ip: string;
  readonly port: number;
}

/** A number for any text, spread evenly over the circle: the first bytes of its SHA-1, as in the paper. */
export async function hash(text: string): Promise<number> {
  return new DataView(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))).getUint32(0);
}

/** How far it is from one number to another, clockwise. */
export const distance = (from: number, to: number): number => (to - from) >>> 0;

/** Whether `id` lies behind `from` and not behind `to`. From a number to itself is once around. */
export function within(id: number, from: number, to: number): boolean {
  return from === to || (id !== from && distance(from, id) <= distance(from, to));
}

export const same = (one: Peer | null, other: Peer | null): boolean => one?.id === other?.id;

export const show = ({ id, ip, port }: Peer): string => `${id.toString(16).padStart(8, '0')} ${ip}:${port}`;

export async function peerAt(ip: string, port: number): Promise<Peer> {
  return { id: await hash(`${ip} ${port}`), ip, port };
}

/** Reads `IP:PORT`; an IPv6 address may stand in brackets. */
export async function parsePeer(text: string): Promise<Peer> {
  const match = /^\[?([0-9A-Fa-f.:]+?)\]?:(\d{1,5})$/.exec(text);
  if (match === null) throw new RepyArgumentError(`expected IP:PORT, got "${text}"`);
  return peerAt(match[1] ?? '', Number(match[2]));
}
