import { asciiBytes, asciiText } from '#platform';
import { RequestError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** One WebSocket message: the signed envelope and the bytes that it vouches for by their SHA-256. */
export interface Message {
  /** JWS in compact form. */
  readonly envelope: string;
  /** Empty when the method attaches nothing. */
  readonly attachment: Uint8Array;
}

const HEADER_BYTES = 4;

/**
 * Layout: 4 bytes big-endian length of the envelope, the envelope as ASCII, the attachment.
 * @throws RequestError BAD_MESSAGE the other side would not take it.
 */
export function packMessage({ envelope, attachment }: Message): Uint8Array {
  if (envelope.length > LIMITS.envelopeBytes) {
    throw bad(`an envelope of at most ${LIMITS.envelopeBytes} bytes`, envelope.length);
  }
  const packed = new Uint8Array(HEADER_BYTES + envelope.length + attachment.byteLength);
  new DataView(packed.buffer).setUint32(0, envelope.length);
  packed.set(asciiBytes(envelope), HEADER_BYTES);
  packed.set(attachment, HEADER_BYTES + envelope.length);
  return packed;
}

/** @throws RequestError BAD_MESSAGE */
export function unpackMessage(bytes: Uint8Array): Message {
  if (bytes.length > LIMITS.messageBytes) throw bad(`at most ${LIMITS.messageBytes} bytes`, bytes.length);
  if (bytes.length < HEADER_BYTES) throw bad(`at least ${HEADER_BYTES} bytes`, bytes.length);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length > LIMITS.envelopeBytes) throw bad(`an envelope of at most ${LIMITS.envelopeBytes} bytes`, length);
  if (HEADER_BYTES + length > bytes.length) throw bad(`${length} bytes of envelope`, bytes.length - HEADER_BYTES);
  return {
    envelope: asciiText(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length)),
    attachment: bytes.subarray(HEADER_BYTES + length),
  };
}

function bad(expected: string, got: number): RequestError {
  return new RequestError('BAD_MESSAGE', `expected ${expected}, got ${got}`);
}
