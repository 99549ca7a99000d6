import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const;

/** What names lead to: addresses, or another name after `=`; each answer takes the next list, and the last one stays. */
export type Zone = Readonly<Record<string, readonly (readonly string[])[]>>;

export interface NameServer extends AsyncDisposable {
  /** As `NameResolver` takes it. */
  readonly place: string;
  /** Each name that was asked for, with its type. */
  readonly asked: readonly string[];
}

/** A name server on loopback, of one zone; it does not answer at all about names that begin with `silent`. */
export async function nameServer(address: string, zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const turns = new Map<string, number>();
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, end } = readName(query, 12);
    const type = query.readUInt16BE(end);
    asked.push(`${name} ${Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? type}`);
    if (name.startsWith('silent')) return;
    const turn = turns.get(`${name} ${type}`) ?? 0;
    turns.set(`${name} ${type}`, turn + 1);
    const lists = zone[name];
    const records = lists?.[Math.min(turn, lists.length - 1)];
    socket.send(
      answerTo(query, end + 4, records === undefined ? undefined : chain(zone, name, type, records)),
      from.port,
      from.address,
    );
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  const close = async () => {
    socket.close();
    await once(socket, 'close');
  };
  return { place: `${address}:${socket.address().port}`, asked, [Symbol.asyncDispose]: close };
}

interface Answer {
  readonly name: string;
  readonly type: number;
  readonly data: Buffer;
}

/** As a resolver answers: each alias, then the addresses of the last. */
function chain(zone: Zone, name: string, type: number, records: readonly string[]): Answer[] {
  const alias = records.find((text) => text.startsWith('='))?.slice(1);
  if (alias !== undefined) {
    const step = { name, type: TYPES.CNAME, data: nameBytes(alias) };
    return type === TYPES.CNAME || alias === name
      ? [step]
      : [step, ...chain(zone, alias, type, zone[alias]?.at(-1) ?? [])];
  }
  const wanted = records.filter((text) => (isIPv6(text) ? TYPES.AAAA : TYPES.A) === type);
  return wanted.map((text) => ({ name, type, data: addressBytes(text) }));
}

function answerTo(query: Buffer, end: number, records: readonly Answer[] | undefined): Buffer {
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // An answer, with recursion; 3 is that there is no such name.
  header.writeUInt16BE(0x8180 | (records === undefined ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records?.length ?? 0, 6);
  const bodies = (records ?? []).map(({ name, type, data }) => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(60, 4);
    fixed.writeUInt16BE(data.length, 8);
    return Buffer.concat([nameBytes(name), fixed, data]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...bodies]);
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

function readName(bytes: Buffer, at: number): { name: string; end: number } {
  const labels: string[] = [];
  let next = at;
  for (let length = bytes[next] ?? 0; length > 0; length = bytes[next] ?? 0) {
    labels.push(bytes.toString('latin1', next + 1, next + 1 + length));
    next += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: next + 1 };
}

function addressBytes(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const mapped = /^::ffff:(.*)$/.exec(text)?.[1];
  if (mapped !== undefined) return Buffer.concat([Buffer.alloc(10), Buffer.from([255, 255]), addressBytes(mapped)]);
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string) => part.split(':').filter(Boolean);
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...groups(head), ...zeros, ...groups(tail)].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}
