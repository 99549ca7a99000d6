import { createServer, type Server } from 'node:https';
import { type Identity, tlsOptionsOf } from '@potluck/protocol';
import { LIMITS } from './limits.ts';

/** Speaks TLS by the gateway's key, and waits for nobody who does not go on; of HTTP it knows WebSockets only. */
export async function gatewayServer(identity: Identity): Promise<Server> {
  const server = createServer({
    ...(await tlsOptionsOf(identity)),
    // Nodes show theirs, callers have none; whose it is decides, not who signed it.
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: LIMITS.gatewayHelloMs,
    headersTimeout: LIMITS.gatewayHelloMs,
    requestTimeout: LIMITS.gatewayHelloMs,
    connectionsCheckingInterval: 1000,
  });
  return server.on('request', (_request, response) => response.writeHead(426, { connection: 'close' }).end());
}
