import { once } from 'node:events';
import { type KeyId, passPath, RequestClient, socketWire, type Wire } from '@potluck/protocol';
import { WebSocket } from 'ws';
import type { Api } from './api.ts';

/** Changes what passes, as a site may try to. */
export type Lie = (bytes: Uint8Array) => Uint8Array;

interface Passing {
  /** Whose session and whose key. */
  readonly api: Api;
  readonly node: KeyId;
  /** Of the site process on this machine that is to pass it on. */
  readonly port: number;
  /** Where people reach the site. */
  readonly url: string;
  readonly lies?: { readonly toNode?: Lie; readonly toBrowser?: Lie };
}

/** What a page does in a browser, with the same client: it asks a node by way of a site. */
export async function passedOn({ api, node, port, url, lies = {} }: Passing): Promise<RequestClient> {
  const headers = { origin: url, cookie: api.cookie };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${passPath(node)}`, { headers });
  await once(socket, 'open');
  const wire = socketWire(socket);
  const { toNode = (bytes) => bytes, toBrowser = (bytes) => bytes } = lies;
  const lying: Wire = {
    get isOpen() {
      return wire.isOpen;
    },
    listen: (listener) => wire.listen({ ...listener, message: (bytes) => listener.message(toBrowser(bytes)) }),
    send: (bytes) => wire.send(toNode(bytes)),
    hold: (on) => wire.hold(on),
    close: async () => await wire.close(),
    terminate: () => wire.terminate(),
  };
  return new RequestClient(lying, { signer: api.identity, node, way: 'the node, by way of a site' });
}

/** One bit of the signature's end, or of what is attached. */
export function changed(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 100] = (copy[copy.length - 100] ?? 0) ^ 1;
  return copy;
}
