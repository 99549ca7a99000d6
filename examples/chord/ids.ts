// The circle of numbers that Chord is drawn on: 0 to 2^32 - 1, and after the last comes the first.

/** One vessel of the ring. */
export interface Peer {
  readonly id: number;
  readonly ip: string;
  readonly port: number;
}

/** A number for any text, spread evenly over the circle (FNV-1a, then mixed so that near texts are far apart). */
export function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) sum = Math.imul(sum ^ byte, 0x01000193);
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
  return (sum ^ (sum >>> 16)) >>> 0;
}

/** How far it is from one number to another, clockwise. */
export const distance = (from: number, to: number): number => (to - from) >>> 0;

/** Whether `id` lies behind `from` and not behind `to`. From a number to itself is once around. */
export function within(id: number, from: number, to: number): boolean {
  return from === to || (id !== from && distance(from, id) <= distance(from, to));
}

export const same = (one: Peer | null, other: Peer | null): boolean => one?.id === other?.id;

export const show = ({ id, ip, port }: Peer): string => `${id.toString(16).padStart(8, '0')} ${ip}:${port}`;

export function peerAt(ip: string, port: number): Peer {
  return { id: hash(`${ip} ${port}`), ip, port };
}

/** Reads `IP:PORT`; an IPv6 address may stand in brackets. */
export function parsePeer(text: string): Peer {
  const match = /^\[?([0-9A-Fa-f.:]+?)\]?:(\d{1,5})$/.exec(text);
  if (match === null) throw new RepyArgumentError(`expected IP:PORT, got "${text}"`);
  return peerAt(match[1] ?? '', Number(match[2]));
}
