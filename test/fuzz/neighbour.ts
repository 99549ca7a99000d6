import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseRestrictions } from '@potluck/protocol';
import { type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import { places } from './batch.ts';

const PORT = 28_400;
const ANSWER_MS = 20_000;
const ASK_MS = 200;
const ECHO = `recvmess(getmyip(), ${PORT}, (ip, port, message) => { sendmess(ip, port, message); });`;
const RESTRICTIONS = `
resource cpu 1
resource memory 50000000
resource diskused 1000000
resource events 5
resource insockets 2
resource loopsend 1000000
resource looprecv 1000000
resource messport ${PORT}
destination allow 127.0.0.0/8
`;

/** Another vessel on the same machine: whatever the fuzzed ones do, it answers. */
export interface Neighbour extends AsyncDisposable {
  /** @returns whether it answered. */
  answers(): Promise<boolean>;
}

export async function startNeighbour(files: RuntimeFiles): Promise<Neighbour> {
  const { own, dead } = places();
  const vessel = VesselProcess.spawn(files);
  vessel.start({
    program: { name: 'neighbour.js', source: ECHO },
    args: [],
    address: own,
    restrictions: parseRestrictions(RESTRICTIONS),
  });
  const socket = createSocket('udp4');
  socket.bind(0, dead);
  await Promise.all([vessel.started, once(socket, 'listening')]);
  let question = 0;
  const answers = async (): Promise<boolean> => {
    question += 1;
    const text = `${question}`;
    const answered = Promise.withResolvers<boolean>();
    const hear = (message: Buffer) => {
      if (message.toString() === text) answered.resolve(true);
    };
    socket.on('message', hear);
    const ask = () => socket.send(text, PORT, own);
    const asking = setInterval(ask, ASK_MS);
    const late = setTimeout(() => answered.resolve(false), ANSWER_MS);
    vessel.ended.then(() => answered.resolve(false));
    ask();
    const result = await answered.promise;
    clearInterval(asking);
    clearTimeout(late);
    socket.off('message', hear);
    return result;
  };
  const close = async () => {
    socket.close();
    await vessel[Symbol.asyncDispose]();
  };
  return { answers, [Symbol.asyncDispose]: close };
}
