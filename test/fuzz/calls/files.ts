import { BRIEF, type Call } from '../grammar.ts';
import * as need from '../needs.ts';
import { type Handle, nameOf, refuse, type World } from '../world.ts';

/** Files by their offsets. What one program leaves is removed before the next. */
const NAME = ['filea', 'filea', 'fileb', 'filec'];
const NAMES = [...NAME, 'file120', 'file121', 'filedot', 'fileup', 'fileslash', 'filehidden', 'empty', 'accent'];
const DATA = [
  'a',
  'word',
  'accent',
  'face',
  'lone',
  'mixed',
  'u3',
  'uutf',
  'upart',
  'ufake',
  'empty',
  'u0',
  'udp',
  'second',
];
const OFFSET = ['zero', 'zero', 'one', 'two', 'seven', 'hour', 'minuszero', 'negative', 'half'];
const SIZE = ['nul', 'nul', 'one', 'two', 'seven', 'zero', 'int53', 'nan'];
const FORM = ['undef', 'utf8', 'binary', 'latin1', 'encodingtrap'];

function needName(value: unknown): string {
  const right = typeof value === 'string' && /^(?!private_)[a-z0-9_-][a-z0-9._-]{0,119}$/.test(value);
  return right ? value : refuse('RepyArgumentError');
}

function needWhole(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : refuse('RepyArgumentError');
}

const isOpen = (world: World, name: string): boolean =>
  world.handles.file.some((file) => file.open && file.name === name);

/** The bytes of an open file, and where in them. */
function needPlace(world: World, file: Handle, offset: number): Buffer {
  if (!file.open) refuse('FileClosedError');
  const bytes = world.files.get(file.name ?? '') ?? Buffer.alloc(0);
  return offset > bytes.byteLength ? refuse('SeekPastEndOfFileError') : bytes;
}

export const FILES: readonly Call[] = [
  {
    name: 'openfile',
    weight: 8,
    makes: 'file',
    promises: true,
    args: [NAMES, ['yes', 'yes', 'no'], FORM],
    model: (world, [given, create, options]) => {
      const name = needName(given);
      if (typeof create !== 'boolean') refuse('RepyArgumentError');
      const binary = need.needEncoding(options);
      if (isOpen(world, name)) refuse('FileInUseError');
      if (world.filesopened >= world.limits.filesopened) refuse('ResourceExhaustedError');
      if (!world.files.has(name) && !create) refuse('FileNotFoundError');
      if (!world.files.has(name)) world.files.set(name, Buffer.alloc(0));
      world.take('filesopened');
      world.make('file', { name, binary });
      return '~ handle';
    },
  },
  {
    name: 'writeat',
    weight: 8,
    on: 'file',
    promises: true,
    args: [DATA, OFFSET],
    model: (world, [data, offset], file) => {
      const bytes = need.needData(data, 16 * 2 ** 20);
      const to = needWhole(offset);
      const before = needPlace(world, file, to);
      const parts = [before.subarray(0, to), bytes, before.subarray(to + bytes.byteLength)];
      world.files.set(file.name ?? '', Buffer.concat(parts));
      return '~ undefined';
    },
  },
  {
    name: 'readat',
    weight: 8,
    on: 'file',
    promises: true,
    args: [SIZE, OFFSET],
    model: (world, [size, offset], file) => {
      const most = size === null ? Number.POSITIVE_INFINITY : needWhole(size);
      const from = needWhole(offset);
      const bytes = needPlace(world, file, from).subarray(from, from + most);
      return `~ ${nameOf(file.binary ? new Uint8Array(bytes) : bytes.toString())}`;
    },
  },
  {
    name: 'close',
    weight: 3,
    on: 'file',
    promises: true,
    args: [],
    model: (world, _, file) => {
      if (!file.open) refuse('FileClosedError');
      file.open = false;
      world.filesopened -= 1;
      return '~ undefined';
    },
  },
  {
    name: 'removefile',
    weight: 4,
    promises: true,
    args: [NAMES],
    model: (world, [given]) => {
      const name = needName(given);
      if (isOpen(world, name)) refuse('FileInUseError');
      if (!world.files.delete(name)) refuse('FileNotFoundError');
      return '~ undefined';
    },
  },
  ...['listfiles', 'listdir'].map(
    (name): Call => ({
      name,
      promises: true,
      args: [['undef', 'thrower']],
      text: (args) => `h.joined(API.${name}(${args.join(', ')}))`,
      model: (world) => `~ ${nameOf([...world.files.keys()].sort().join())}`,
    }),
  ),
  {
    name: 'willblock',
    on: 'client',
    patience: BRIEF,
    args: [],
    text: () => 'ON.willblock().length',
    model: (_, __, client) => (client.open ? '= 2' : refuse('SocketClosedLocalError')),
  },
];
