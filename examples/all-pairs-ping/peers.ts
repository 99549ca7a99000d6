export interface Peer {
  readonly index: number;
  readonly ip: string;
  readonly port: number;
}

type Receive = (ip: string, port: number, message: string) => void;

/** Reads `IP:PORT` arguments; an IPv6 address may stand in brackets. */
export function parsePeers(args: readonly string[]): Peer[] {
  if (args.length === 0) throw new RepyArgumentError('expected IP:PORT of every vessel as arguments, got none');
  return args.map((text, index) => {
    const match = /^\[?([0-9A-Fa-f.:]+?)\]?:(\d{1,5})$/.exec(text);
    if (match === null) throw new RepyArgumentError(`expected IP:PORT, got "${text}"`);
    return { index, ip: match[1] ?? '', port: Number(match[2]) };
  });
}

/** Which of the peers is this vessel? The one whose address and port it may listen on. */
export function become(peers: readonly Peer[], receive: Receive): Peer {
  const refusals: string[] = [];
  for (const peer of peers) {
    try {
      recvmess(peer.ip, peer.port, receive);
      return peer;
    } catch (error) {
      if (!(error instanceof RepyError)) throw error;
      refusals.push(`${peer.ip}:${peer.port}: ${error.message}`);
    }
  }
  throw new RepyArgumentError(`expected this vessel among the arguments, got: ${refusals.join('; ')}`);
}
