/**
 * Gives the memory of bytes back at once, for what is large and done with: the collector is slow to see that anything is
 * there to collect, and then goes through the whole heap of the node manager, every few MiB. The bytes read as none from
 * then on. Bytes that share their memory with others stay as they are.
 */
export function letGo({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
