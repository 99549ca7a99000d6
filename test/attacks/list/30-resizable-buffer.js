/**
 * 30 resizable-buffer: makes buffers that can grow, by every way to the constructor
 * expected: held
 */
import { holds, verdict } from '../inside/tell.js';

const options = { maxByteLength: 1e9 };
const Kinds = [Uint8Array, Float64Array, BigInt64Array, DataView, Int8Array];
const { constructor } = new Uint8Array(8).buffer;
class Derived extends ArrayBuffer {
  static get [Symbol.species]() {
    return constructor;
  }
}
const makes = {
  'the global': () => new ArrayBuffer(8, options),
  'a buffer of an array': () => new constructor(8, options),
  'its prototype': () => new (Object.getPrototypeOf(new Uint8Array(1).buffer).constructor)(8, options),
  reflection: () => Reflect.construct(ArrayBuffer, [8, options]),
  'another target': () => Reflect.construct(ArrayBuffer, [8, options], Derived),
  derived: () => new Derived(8, options),
  slice: () => new Derived(8, options).slice(0),
  bound: () => new (ArrayBuffer.bind(null, 8, options))(),
  ...Object.fromEntries(Kinds.map((Kind) => [Kind.name, () => new Kind(new ArrayBuffer(8, options)).buffer])),
  clone: () => structuredClone(new ArrayBuffer(8, options)),
  encoder: () => new TextEncoder().encode('x').buffer,
};
for (const [name, make] of Object.entries(makes)) {
  let buffer;
  try {
    buffer = make();
  } catch {
    continue;
  }
  holds(`${name} is fixed`, buffer.resizable !== true && buffer.maxByteLength === undefined && buffer.byteLength < 100);
  for (const method of ['resize', 'transfer', 'transferToFixedLength', 'transferToImmutable', 'grow'])
    holds(`${name}.${method}`, !(method in buffer));
}
const plain = new ArrayBuffer(8);
holds(
  'buffers are still buffers',
  plain instanceof ArrayBuffer && plain.byteLength === 8 && plain.slice(2).byteLength === 6,
);
verdict();
