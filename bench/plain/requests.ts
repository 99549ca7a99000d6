// Sends signed requests to a node, and as many bytes to a bare echo that answers with as many as the node; now to the one
// and now to the other, each on one connection that stays open. Prints both rates, a line for each pair.
// Usage: requests.ts URL METHOD DEPTH PAIRS ROUND_MS, with the node's address, its key and the user's key as JSON in NODE
import { once } from 'node:events';
import {
  type Address,
  identityFrom,
  type KeyId,
  type MethodName,
  NodeClient,
  openPinnedSocket,
  type PrivateJwk,
  packMessage,
  signRequest,
} from '@potluck/protocol';
import { WebSocket } from 'ws';

const WARM_UP_PAIRS = 1;

const [, , url = '', name = '', ...numbers] = process.argv;
const [depth = 1, pairs = 1, roundMs = 300] = numbers.map(Number);
const { address, node, jwk } = JSON.parse(process.env.NODE ?? '') as { address: Address; node: KeyId; jwk: PrivateJwk };
const [identity, method] = [identityFrom(jwk), name as MethodName];
const params = (method === 'GetVessels' ? {} : { vessel: 'v1' }) as never;

/** @returns how many bytes a request has, and its answer. */
async function sizes(): Promise<[request: number, reply: number]> {
  const { socket } = await openPinnedSocket({ address, key: node, maxPayloadBytes: 2 ** 20 });
  const request = packMessage((await signRequest(identity, { method, params, node })).message);
  socket.send(request);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.terminate();
  return [request.length, reply.length];
}

async function bareEcho(): Promise<() => Promise<void>> {
  const [request, reply] = await sizes();
  const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(String(reply));
  const waiting: (() => void)[] = [];
  socket.on('message', () => waiting.shift()?.());
  const bytes = Buffer.alloc(request, 'potluck ');
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      socket.send(bytes);
    });
}

/** @returns exchanges in a second, with `depth` of them under way. */
async function rateOf(exchange: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    for (; performance.now() - begin < roundMs; count++) await exchange();
  };
  await Promise.all(Array.from({ length: depth }, worker));
  return (count * 1000) / (performance.now() - begin);
}

const client = await NodeClient.connect({ address, node, identity });
const [signed, bare] = [() => client.call(method, params), await bareEcho()];
for (let pair = -WARM_UP_PAIRS; pair < pairs; pair++) {
  const figures = [await rateOf(signed), await rateOf(bare)];
  if (pair >= 0) console.log(...figures);
}
process.exit();
