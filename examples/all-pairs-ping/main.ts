// All-pairs ping: every vessel measures the way to every other and tells all the others what it found.
// seash> run main.ts 10.0.0.7:63100 10.0.0.8:63100 10.0.0.9:63100        then open http://10.0.0.7:63100/
import { matrixText } from './matrix.ts';
import { serve } from './page.ts';
import { become, type Peer, parsePeers } from './peers.ts';

const PING_SECONDS = 0.5;
/** A value that nobody has renewed for so long is forgotten. */
const STALE_SECONDS = 10;
/** The shortest of so many measurements is the way; what the others took longer, somebody waited for a processor. */
const KEPT = 10;
/** The matrix goes into the log once, after so many rounds: then start-up is over everywhere. */
const LOGGED_ROUND = 8;

const peers = parsePeers(callargs);
/** `rtt[from][to]` in milliseconds, null while unknown. */
const rtt: (number | null)[][] = peers.map((_, from) => peers.map((_, to) => (from === to ? 0 : null)));
const heard: number[][] = peers.map(() => peers.map(() => 0));
/** This vessel's last measurements of each other one, in milliseconds. */
const measured: number[][] = peers.map(() => []);
/** When the pings of the last rounds left, by their number. */
const left = new Map<number, number>();
let rounds = 0;
let complete = false;

const me = become(peers, receive);

function tell(peer: Peer, text: string): void {
  // A lost or refused message is no fault: all of it is said again half a second later.
  sendmess(peer.ip, peer.port, text, me.ip, me.port);
}

function receive(ip: string, port: number, message: string): void {
  const from = peers.findIndex((peer) => peer.ip === ip && peer.port === port);
  const peer = peers[from];
  if (peer === undefined) return;
  const [word = '', ...values] = message.split(' ');
  if (word === 'ping') tell(peer, `pong ${values[0]}`);
  else if (word === 'pong') measure(from, Number(values[0]));
  else if (word === 'row' && values.length === peers.length) learn(from, values);
}

function measure(to: number, round: number): void {
  const start = left.get(round);
  const last = measured[to];
  if (start === undefined || last === undefined) return;
  last.push((getruntime() - start) * 1000);
  if (last.length > KEPT) last.shift();
  note(me.index, to, Math.min(...last));
}

/** Another vessel's row: its round-trip times to all, `-` where it knows none. */
function learn(from: number, values: string[]): void {
  for (const [to, text] of values.entries()) {
    const ms = text === '-' ? Number.NaN : Number(text);
    if (from !== to && ms >= 0) note(from, to, ms);
  }
}

function note(from: number, to: number, ms: number): void {
  const row = rtt[from];
  const times = heard[from];
  if (row === undefined || times === undefined) return;
  row[to] = Math.round(ms * 100) / 100;
  times[to] = getruntime();
  if (complete || rounds < LOGGED_ROUND || rtt.some((other) => other.includes(null))) return;
  complete = true;
  log(`matrix complete\n${matrixText(peers, rtt)}\n`);
}

function forget(): void {
  for (const [from, row] of rtt.entries()) {
    for (const to of row.keys()) {
      if (from !== to && getruntime() - (heard[from]?.[to] ?? 0) > STALE_SECONDS) row[to] = null;
    }
  }
}

serve(me, () => ({ peers: peers.map(({ ip, port }) => `${ip}:${port}`), rtt, rounds }));
for (; ; rounds++) {
  left.set(rounds, getruntime());
  left.delete(rounds - 20);
  const row = (rtt[me.index] ?? []).map((ms) => ms ?? '-').join(' ');
  for (const peer of peers) {
    if (peer.index === me.index) continue;
    tell(peer, `ping ${rounds}`);
    tell(peer, `row ${row}`);
  }
  await sleep(PING_SECONDS);
  forget();
}
