// Chord: a table that no vessel holds alone. Any vessel finds who has a name in a few questions, and some may die.
// seash> %all run main.ts 10.0.0.7:63100 10.0.0.8:63100       the peers that are known, which need not be all
// seash> %7 run main.ts 10.0.0.7:63100 put colour green       one more, with something to do: put KEY VALUE, get KEY
import { type Peer, parsePeer, peerAt, same, show } from './ids.ts';
import { Ring } from './ring.ts';
import { Store } from './store.ts';
import { type Question, Wire } from './wire.ts';

const ROUND_SECONDS = 0.4;

const command = callargs.findIndex((text) => text === 'put' || text === 'get');
const known = await Promise.all(callargs.slice(0, command === -1 ? undefined : command).map(parsePeer));
const own = await Promise.all(getresources().limits.messport.map((port) => peerAt(getmyip(), port)));
const wire = listen();
const ring = new Ring(wire);
const store = new Store(ring, wire);
log(`chord ${show(wire.self)}\n`);

/** As one of the known peers if this vessel can, else on another port of its own. */
function listen(): Wire {
  const isKnown = (peer: Peer) => known.some((one) => same(one, peer));
  for (const self of [...own.filter(isKnown), ...own.reverse()]) {
    try {
      return new Wire(self, answer);
    } catch (error) {
      if (!(error instanceof DuplicateTupleError)) throw error;
    }
  }
  throw new RepyArgumentError('expected a vessel with a free messport, got none');
}

function answer(question: Question): unknown {
  const { ask, id, peer, key, value, kept } = question as Question & { [name: string]: never };
  if (ask === 'alive') return true;
  if (ask === 'step') return ring.step(id);
  if (ask === 'neighbours') return ring.neighbours();
  if (ask === 'notify') return ring.notify(peer);
  if (ask === 'own') return store.own(key, value);
  if (ask === 'keep') return store.keep(key, kept);
  if (ask === 'fetch') return store.fetch(key);
  // The rest is for whoever uses the table: any vessel will do.
  if (ask === 'owner') return ring.owner(id);
  if (ask === 'put') return store.put(key, value);
  if (ask === 'get') return store.get(key);
  throw new RepyArgumentError(`expected a question of Chord, got "${ask}"`);
}

async function carryOut([word, key = '', value = '']: readonly string[]): Promise<void> {
  if (word === 'get') return log(`get ${key}: ${await store.get(key)}\n`);
  const owner = await store.put(key, value);
  log(owner === null ? `could not put ${key}\n` : `put ${key} at ${show(owner)}\n`);
}

async function forEver(run: () => Promise<void>): Promise<void> {
  for (;;) {
    await run();
    await sleep(ROUND_SECONDS);
  }
}

const others = known.filter((peer) => !same(peer, ring.self));
const anyone = () => others[Math.floor(randomfloat() * others.length)];
forEver(() => ring.meet(anyone() ?? ring.self));
forEver(() => ring.stabilise());
forEver(() => ring.checkPredecessor());
forEver(() => ring.fixFinger());
forEver(() => store.refresh());

const words = callargs.slice(known.length);
while (words.length > 0 && same(ring.successor, ring.self)) await sleep(ROUND_SECONDS);
if (words.length > 0) await carryOut(words);
