import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkFailure } from './failure.ts';

/**
 * Binds at once: numeric addresses need no look-up, so a look-up that answers at once makes all of it synchronous.
 * @throws CallFailure
 */
export function bindUdp(ip: string, port: number): Socket {
  const family = isIPv6(ip) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  let problem: unknown;
  const keep = (error: unknown) => {
    problem = error;
  };
  socket.on('error', keep);
  socket.bind({ address: ip, port, exclusive: true });
  socket.off('error', keep);
  if (problem === undefined) return socket;
  socket.on('error', () => {});
  socket.close();
  throw networkFailure(problem, `to take the local address ${ip}:${port}`);
}
