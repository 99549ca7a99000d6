import { CALL_LIMITS, OP } from '../ops.ts';
import { invoke, promised } from './bridge.ts';
import { bytesOf, fromBinary, lengthOf, partOf, toBinary } from './data.ts';
import { argumentError } from './errors.ts';
import { SafePromise, typedArrayBuffer } from './primordials.ts';

/** A name, or an object that has one; the host knows which there are. */
function needAlgorithm(algorithm: unknown): string {
  const name = typeof algorithm === 'object' && algorithm !== null ? (algorithm as { name?: unknown }).name : algorithm;
  if (typeof name === 'string' && name.length <= 16) return name;
  throw argumentError('an algorithm such as "SHA-256"', name);
}

/** The bytes as they are now: what becomes of them later is of no matter. */
function digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
  return promised(() => {
    const name = needAlgorithm(algorithm);
    const bytes = bytesOf(data);
    if (bytes === undefined) throw argumentError('an ArrayBuffer, a typed array or a DataView', data);
    const length = lengthOf(bytes);
    if (length > CALL_LIMITS.digestBytes) throw argumentError(`at most ${CALL_LIMITS.digestBytes} bytes`, length);
    invoke(OP.digestbegin, name);
    for (let at = 0; at < length; at += CALL_LIMITS.digestPieceBytes) {
      invoke(OP.digestadd, toBinary(partOf(bytes, at, CALL_LIMITS.digestPieceBytes)));
    }
    const result = typedArrayBuffer(fromBinary(invoke(OP.digestend) as string));
    return new SafePromise<ArrayBuffer>((resolve) => resolve(result));
  });
}

export const subtle = { digest };
