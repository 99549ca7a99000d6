import type { RawData, WebSocket } from 'ws';
import type { Wire } from './request-client.ts';

/** An open WebSocket of Node's as what carries messages. */
export function socketWire(socket: WebSocket): Wire {
  return {
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
    listen: ({ message, failed, closed }) => {
      socket.on('message', (data) => message(toBuffer(data)));
      socket.on('error', failed);
      socket.on('close', (code, reason) => closed(code, reason.toString()));
    },
    send: (bytes) => socket.send(bytes),
    hold: (on) => (on ? socket.pause() : socket.resume()),
    close: async () => {
      if (socket.readyState === socket.CLOSED) return;
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.close();
      await closed;
    },
    terminate: () => socket.terminate(),
  };
}

/** `ws` hands over a Buffer, an ArrayBuffer or fragments, as its `binaryType` says. */
export function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
