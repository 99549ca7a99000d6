// Nodes that are only there: each a key, a connection to the gateway, and an advertisement on it. Prints how many it
// connected in a second, then how many heartbeats (advertisements that the gateway has answered) all of them together
// bring in a second, and stays until it is killed. Usage: gateway-nodes.ts GATEWAY COUNT
import { once } from 'node:events';
import {
  type GatewayAddress,
  generateIdentity,
  type Identity,
  openPinnedSocket,
  signAdvertisement,
} from '@potluck/protocol';
import type { WebSocket } from 'ws';

/** Of one address; the gateway takes 512. */
const PER_HOST = 200;
const AT_ONCE = 16;
/** As long as it may be: all dial in before any says it again, and on a slow database that takes minutes. */
const LIFETIME_SECONDS = 600;

interface SimulatedNode {
  readonly identity: Identity;
  readonly socket: WebSocket;
}

const [, , text = '', count = ''] = process.argv;
const gateway = JSON.parse(text) as GatewayAddress;
const nodes: SimulatedNode[] = [];

async function connect(index: number): Promise<void> {
  const host = Math.floor(index / PER_HOST);
  const from = `127.1.${Math.floor(host / 250)}.${(host % 250) + 1}`;
  const identity = generateIdentity();
  const init = { address: gateway, key: gateway.key, from, identity, maxPayloadBytes: 65_536 };
  const { socket } = await openPinnedSocket(init);
  nodes.push({ identity, socket });
  await say({ identity, socket });
}

async function say({ identity, socket }: SimulatedNode): Promise<void> {
  const facts = { addresses: [{ host: '127.0.0.1', port: 1 }], keys: [], version: 'bench' };
  const answered = once(socket, 'message');
  socket.send(await signAdvertisement(identity, facts, LIFETIME_SECONDS));
  await answered;
}

async function perSecond(work: (index: number) => Promise<void>): Promise<number> {
  const began = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < Number(count)) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (Number(count) * 1000) / (performance.now() - began);
}

console.log(await perSecond(connect));
console.log(await perSecond(async (index) => await say(nodes[index] as SimulatedNode)));
